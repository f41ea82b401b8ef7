package experiment

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// palette is that of Okabe and Ito (2008), whose colours stay apart for people with a colour vision deficiency.
var palette = []color.NRGBA{
	{0, 0, 0, 255}, {0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255},
	{204, 121, 167, 255}, {86, 180, 233, 255}, {230, 159, 0, 255},
}

// glyphs tell the curves apart where colours cannot.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{},
}

const (
	figureWidth  = 18 * vg.Centimeter
	figureHeight = 11 * vg.Centimeter
	labelWidth   = 4 * vg.Centimeter // right of the axes, for the curves' names
)

// writeFigure draws the learning curves as curves.png and curves.svg in the folder.
func (f *Folder) writeFigure(r Report) error {
	p, err := r.plot()
	if err != nil {
		return err
	}
	svg := vgsvg.New(figureWidth, figureHeight)
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, figureHeight), vgimg.UseDPI(200))}
	for name, canvas := range map[string]vg.CanvasWriterTo{"curves.svg": svg, "curves.png": png} {
		c := draw.New(canvas)
		p.Draw(draw.Crop(c, 0, -labelWidth, 0, 0))
		var b bytes.Buffer
		if _, err := canvas.WriteTo(&b); err != nil {
			return err
		}
		if err := renameio.WriteFile(f.path(name), b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// plot returns the figure: per strategy the mean 3D Dice over the runs against the labelled items, with a band of one
// standard deviation.
func (r Report) plot() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "Learning curves"
	p.Title.Padding = 2 * vg.Millimeter
	p.X.Label.Text = "labelled slices"
	p.Y.Label.Text = "Dice of the test cases (3D), mean ± std over the runs"
	p.X.Padding, p.Y.Padding = vg.Millimeter, vg.Millimeter
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.Gray{225}
	p.Add(grid)

	var names endLabels
	for i, s := range r.Strategies {
		if len(s.Curve) == 0 {
			continue
		}
		shade := palette[i%len(palette)]
		line, points, band := s.lines()
		if len(line) == 0 {
			continue
		}
		if len(band) > 2 {
			polygon, err := plotter.NewPolygon(band)
			if err != nil {
				return nil, err
			}
			polygon.LineStyle.Width = 0
			polygon.Color = color.NRGBA{shade.R, shade.G, shade.B, 36}
			p.Add(polygon)
		}
		curve, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		curve.Color, curve.Width = shade, vg.Points(1.6)
		marks.Color, marks.Shape, marks.Radius = shade, glyphs[i%len(glyphs)], vg.Points(2.6)
		p.Add(curve, marks)
		names = append(names, endLabel{text: s.Strategy, at: line[len(line)-1], color: shade})
	}
	p.Add(names)
	return p, nil
}

// lines returns a curve's points and the outline of its band. Cycles without a value are left out.
func (s StrategyReport) lines() (line, points, band plotter.XYs) {
	var upper, lower plotter.XYs
	for _, p := range s.Curve {
		if p.Dice3D.N == 0 {
			continue
		}
		x, y, std := float64(p.Labelled), p.Dice3D.Mean, p.Dice3D.Std
		if math.IsNaN(std) {
			std = 0
		}
		line = append(line, plotter.XY{X: x, Y: y})
		upper = append(upper, plotter.XY{X: x, Y: min(1, y+std)})
		lower = append(lower, plotter.XY{X: x, Y: max(0, y-std)})
	}
	slices.Reverse(lower)
	return line, line, append(upper, lower...)
}

// endLabels writes the name of each curve right of its last point, in its colour, moved apart where they would touch.
type endLabels []endLabel

type endLabel struct {
	text  string
	at    plotter.XY
	color color.Color
}

// Plot implements plot.Plotter.
func (l endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	style.Font.Size = vg.Points(10)

	order := slices.Clone(l)
	slices.SortStableFunc(order, func(a, b endLabel) int {
		switch {
		case a.at.Y < b.at.Y:
			return -1
		case a.at.Y > b.at.Y:
			return 1
		}
		return 0
	})
	height := make([]vg.Length, len(order))
	for i, label := range order {
		height[i] = y(label.at.Y)
	}
	spread(height, 1.3*style.Font.Size)
	for i, label := range order {
		style.Color = label.color
		c.FillText(style, vg.Point{X: x(label.at.X) + 2*vg.Millimeter, Y: height[i]}, label.text)
	}
}

// spread moves sorted heights apart until each is at least gap above the one before; groups that touch stay centred.
func spread(height []vg.Length, gap vg.Length) {
	for range height {
		for i := 1; i < len(height); i++ {
			if overlap := gap - (height[i] - height[i-1]); overlap > 0 {
				height[i-1] -= overlap / 2
				height[i] += overlap / 2
			}
		}
	}
}

// WriteFigures redraws the figure and the table of curves from the records of a run folder.
func (f *Folder) WriteFigures(r Report) error {
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		return err
	}
	if err := renameio.WriteFile(f.path("curves.csv"), b.Bytes(), 0o666); err != nil {
		return err
	}
	if err := f.writeFigure(r); err != nil {
		return fmt.Errorf("draw curves: %w", err)
	}
	return nil
}
