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
	"gonum.org/v1/plot/text"
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
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
}

const (
	axesWidth    = 15 * vg.Centimeter
	figureHeight = 11 * vg.Centimeter
	margin       = 3 * vg.Millimeter
)

// writeFigure draws the learning curves as curves.png and curves.svg in the folder.
func (f *Folder) writeFigure(r Report) error {
	p, names, err := r.plot()
	if err != nil {
		return err
	}
	labelWidth := names.width(p)
	figureWidth := axesWidth + labelWidth
	svg := vgsvg.New(figureWidth, figureHeight)
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, figureHeight), vgimg.UseDPI(200))}
	for name, canvas := range map[string]vg.CanvasWriterTo{"curves.svg": svg, "curves.png": png} {
		c := draw.New(canvas)
		p.Draw(draw.Crop(c, margin, -labelWidth, margin, -margin))
		var b bytes.Buffer
		if _, err := canvas.WriteTo(&b); err != nil {
			return err
		}
		if err := renameio.WriteFile(f.path(name), NameFonts(b.Bytes()), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// NameFonts names, in an SVG figure of gonum/plot, the fonts to be taken where Liberation Sans is not installed: first those
// of the same widths, or labels would run into what they stand beside. Other bytes are returned as they are.
func NameFonts(figure []byte) []byte {
	return bytes.ReplaceAll(figure, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}

// plot returns the figure: per strategy the mean 3D Dice over the runs against the labelled items, with a band of one
// standard deviation.
func (r Report) plot() (*plot.Plot, endLabels, error) {
	p := plot.New()
	p.Title.Text = "Dice on the test cases (3D), mean ± standard deviation over the initial sets"
	if len(r.Recipes) > 0 {
		p.Title.Text += " and recipes"
	}
	p.X.Label.Text = "labelled slices"
	p.Y.Label.Text = "Dice"
	p.Title.Padding = 4 * vg.Millimeter
	p.X.Label.Padding, p.Y.Label.Padding = vg.Millimeter, vg.Millimeter
	p.X.Padding, p.Y.Padding = vg.Millimeter, 0
	for style, size := range map[*text.Style]vg.Length{
		&p.Title.TextStyle: 11, &p.X.Label.TextStyle: 11, &p.Y.Label.TextStyle: 11, &p.X.Tick.Label: 9.5, &p.Y.Tick.Label: 9.5,
	} {
		style.Font.Variant, style.Font.Size = "Sans", vg.Points(float64(size))
	}
	p.X.Tick.Marker = r.labelTicks()
	p.Y.Tick.Marker = tenths{}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.Gray{220}
	p.Add(grid)

	var names endLabels
	var curves []plot.Plotter // over all bands
	for i, s := range r.Strategies {
		if len(s.Curve) == 0 {
			continue
		}
		shade := palette[i%len(palette)]
		line, band := s.lines()
		if len(line) == 0 {
			continue
		}
		if len(band) > 2 {
			polygon, err := plotter.NewPolygon(band)
			if err != nil {
				return nil, nil, err
			}
			polygon.LineStyle.Width = 0
			polygon.Color = color.NRGBA{shade.R, shade.G, shade.B, 28}
			p.Add(polygon)
		}
		curve, marks, err := plotter.NewLinePoints(line)
		if err != nil {
			return nil, nil, err
		}
		curve.Color, curve.Width = shade, vg.Points(1.6)
		marks.Color, marks.Shape, marks.Radius = shade, glyphs[i%len(glyphs)], vg.Points(2.6)
		curves = append(curves, curve, marks)
		names = append(names, endLabel{text: s.Strategy, at: line[len(line)-1], color: shade})
	}
	p.Add(curves...)
	p.Add(names)
	p.Y.Min, p.Y.Max = max(0, math.Floor(10*p.Y.Min)/10), min(1, math.Ceil(10*p.Y.Max)/10)
	return p, names, nil
}

// labelTicks marks the label counts of the cycles, and leaves out what would touch.
func (r Report) labelTicks() plot.ConstantTicks {
	var counts []int
	for _, s := range r.Strategies {
		for _, p := range s.Curve {
			counts = append(counts, p.Labelled)
		}
	}
	slices.Sort(counts)
	counts = slices.Compact(counts)
	const most = 12
	every := (len(counts) + most - 1) / most
	var ticks plot.ConstantTicks
	for i, n := range counts {
		tick := plot.Tick{Value: float64(n)}
		if i%every == 0 {
			tick.Label = fmt.Sprint(n)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// tenths marks every tenth, and every twentieth on short axes.
type tenths struct{}

// Ticks implements plot.Ticker.
func (tenths) Ticks(low, high float64) []plot.Tick {
	per := 10.0
	if high-low <= 0.3 {
		per = 20
	}
	var ticks []plot.Tick
	for n := int(math.Ceil(low*per - 1e-9)); float64(n) <= high*per+1e-9; n++ { // whole numbers have no -0
		v := float64(n) / per
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.4g", v)})
	}
	return ticks
}

// lines returns the points of a curve and the outline of its band. Cycles without a value are left out.
func (s StrategyReport) lines() (line, band plotter.XYs) {
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
	return line, append(upper, lower...)
}

// endLabels writes the name of each curve right of its last point, in its colour, moved apart where they would touch.
type endLabels []endLabel

type endLabel struct {
	text  string
	at    plotter.XY
	color color.Color
}

// style is that of the names in a plot.
func (endLabels) style(p *plot.Plot) text.Style {
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	style.Font.Size = vg.Points(10)
	return style
}

// gap is the space between a curve and its name.
const gap = 2 * vg.Millimeter

// width returns how much room the names need right of the axes.
func (l endLabels) width(p *plot.Plot) vg.Length {
	style := l.style(p)
	widest := vg.Length(0)
	for _, label := range l {
		widest = max(widest, style.Width(label.text))
	}
	return gap + widest + margin
}

// Plot implements plot.Plotter.
func (l endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := l.style(p)

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
		c.FillText(style, vg.Point{X: x(label.at.X) + gap, Y: height[i]}, label.text)
	}
}

// spread moves sorted heights apart until each is at least apart above the one before; groups that touch stay centred.
func spread(height []vg.Length, apart vg.Length) {
	for range height {
		for i := 1; i < len(height); i++ {
			if overlap := apart - (height[i] - height[i-1]); overlap > 0 {
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
