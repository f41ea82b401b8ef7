package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// drawing is a figure laid out on paper: plots in rows, all of one size.
type drawing struct {
	plots         [][]*plot.Plot
	below         map[*plot.Plot]*plot.Legend // legends placed under their plot, where there is no room inside
	width, height vg.Length                   // of the whole
	title         string
}

// room returns how much the plots of a row leave free under them for legends.
func (d drawing) room(row []*plot.Plot) (room vg.Length) {
	for _, p := range row {
		if l := d.below[p]; l != nil {
			room = max(room, l.Rectangle(draw.Canvas{}).Size().Y+2*vg.Millimeter)
		}
	}
	return room
}

// Write draws the figure in a format, png or svg.
func (f Figure) Write(w io.Writer, format string) error {
	d, err := f.draw()
	if err != nil {
		return err
	}
	var canvas vg.CanvasWriterTo
	switch format {
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(d.width, d.height), vgimg.UseDPI(200))}
	case "svg":
		canvas = vgsvg.New(d.width, d.height)
	default:
		panic("figure: Figure.Write: format " + format)
	}
	c := draw.New(canvas)
	head := sans(11, true)
	head.XAlign, head.YAlign = draw.XCenter, draw.YTop
	margin := 3 * vg.Millimeter
	c.FillText(head, vg.Point{X: d.width / 2, Y: d.height - margin}, d.title)
	c = draw.Crop(c, margin, -margin, margin, -9*vg.Millimeter)
	d.drawRows(c)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	_, err = w.Write(nameFonts(b.Bytes()))
	return err
}

// drawRows draws the plots from the top down, with their axes of one size and aligned.
func (d drawing) drawRows(c draw.Canvas) {
	const gap = 5 * vg.Millimeter
	packed := c // as if no legend stood below
	for _, row := range d.plots {
		packed.Min.Y += d.room(row)
	}
	rows := vg.Length(len(d.plots))
	height := (packed.Max.Y - packed.Min.Y - gap*(rows-1)) / rows
	tiles := draw.Tiles{Rows: len(d.plots), Cols: len(d.plots[0]), PadX: gap, PadY: gap}
	bottom := c.Max.Y // of the row
	var lower vg.Length
	for i, cells := range plot.Align(d.plots, tiles, packed) {
		bottom -= height
		room := d.room(d.plots[i])
		for j, p := range d.plots[i] {
			if p == nil {
				continue
			}
			p.Draw(draw.Crop(cells[j], 0, 0, -lower, -lower))
			if l := d.below[p]; l != nil {
				under := cells[j]
				under.Min.X += vg.Centimeter
				under.Min.Y, under.Max.Y = bottom-room, bottom-vg.Millimeter
				l.Draw(under)
			}
		}
		bottom -= room + gap
		lower += room
	}
}

func (f Figure) draw() (drawing, error) {
	switch {
	case f.Lines != nil:
		plots, below, err := f.Lines.plots()
		width, height := f.Lines.size()
		d := layout(f.Title, plots, f.Lines.columns(), width, height)
		d.below = below
		for _, row := range d.plots {
			d.height += d.room(row)
		}
		return d, err
	case f.Map != nil:
		plots := f.Map.plots()
		return layout(f.Title, plots, min(3, len(plots)), 6.6*vg.Centimeter, 5*vg.Centimeter), nil
	}
	p := f.Forest.plot()
	return layout(f.Title, []*plot.Plot{p}, 1, 20*vg.Centimeter, vg.Length(len(f.Forest.Rows))*0.62*vg.Centimeter+1.6*vg.Centimeter), nil
}

// columns returns how many panels stand side by side.
func (l Lines) columns() int {
	switch n := len(l.Panels); {
	case l.Columns > 0:
		return l.Columns
	case n <= 3:
		return max(1, n)
	case n == 4:
		return 2
	}
	return 3
}

func layout(title string, plots []*plot.Plot, columns int, width, height vg.Length) drawing {
	d := drawing{title: title, width: vg.Length(columns) * width}
	for row := range slices.Chunk(plots, columns) {
		row = slices.Clone(row)
		for len(row) < columns {
			row = append(row, nil)
		}
		d.plots = append(d.plots, row)
	}
	d.height = vg.Length(len(d.plots))*height + 1.2*vg.Centimeter
	return d
}

// sans is the style of all text.
func sans(points vg.Length, bold bool) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: points}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return draw.TextStyle{Color: color.Black, Font: f, Handler: plot.DefaultTextHandler}
}

// newPlot returns empty axes in the style of all figures.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Title.Padding = title, vg.Millimeter
	p.Title.TextStyle.Font = sans(9.5, true).Font
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = sans(8.5, false).Font
		a.Tick.Label.Font = sans(8, false).Font
		a.LineStyle.Color, a.Tick.LineStyle.Color = color.Gray{120}, color.Gray{120}
		a.Padding, a.Tick.Length = vg.Millimeter, vg.Points(4)
	}
	p.Legend.Padding = vg.Points(2)
	p.Legend.TextStyle.Font = sans(8, false).Font
	return p
}

func (a axis) apply(to *plot.Axis) {
	to.Min, to.Max = a.low, a.high
	var ticks plot.ConstantTicks
	for _, v := range a.ticks {
		ticks = append(ticks, plot.Tick{Value: v, Label: tickText(v)})
	}
	to.Tick.Marker = ticks
}

// plots draws the panels. Where a legend would hide a curve wherever it stood, it is apart.
func (l Lines) plots() (out []*plot.Plot, below map[*plot.Plot]*plot.Legend, err error) {
	columns := l.columns()
	_, height := l.size()
	below = map[*plot.Plot]*plot.Legend{}
	for i, panel := range l.Panels {
		l, x, y := l.of(panel)
		p := newPlot(panel.Title)
		grid := plotter.NewGrid()
		grid.Vertical.Width, grid.Horizontal.Color = 0, color.Gray{228}
		p.Add(grid)
		if l.Zero != "" {
			zero, err := plotter.NewLine(plotter.XYs{{X: x.low}, {X: x.high}})
			if err != nil {
				return nil, nil, err
			}
			zero.Color, zero.Width, zero.Dashes = shade(RoleRandom, 255), vg.Points(1.2), dashes(RoleRandom)
			p.Add(zero)
		}
		if l.Equal {
			equal, err := plotter.NewLine(plotter.XYs{{X: x.low, Y: x.low}, {X: x.high, Y: x.high}})
			if err != nil {
				return nil, nil, err
			}
			equal.Color, equal.Width = color.Gray{190}, vg.Points(1)
			p.Add(equal)
		}
		if panel.Level != nil {
			level, err := plotter.NewLine(plotter.XYs{{X: x.low, Y: panel.Level.Value}, {X: x.high, Y: panel.Level.Value}})
			if err != nil {
				return nil, nil, err
			}
			level.Color, level.Width, level.Dashes = color.Black, vg.Points(1), []vg.Length{vg.Points(7), vg.Points(2), vg.Points(1.5), vg.Points(2)}
			p.Add(level)
			p.Legend.Add(panel.Level.Name, level)
		}
		var curves []plot.Plotter
		for _, s := range panel.Series {
			if s.Dots {
				marks, err := s.dots()
				if err != nil {
					return nil, nil, err
				}
				curves = append(curves, marks...)
				p.Legend.Add(s.Name, marks[0].(*plotter.Scatter))
				continue
			}
			band, curve, marks, err := s.plotters()
			if err != nil {
				return nil, nil, err
			}
			if band != nil {
				p.Add(band)
			}
			curves = append(curves, curve, marks)
			p.Legend.Add(s.Name, curve, marks)
		}
		p.Add(curves...)
		x.apply(&p.X)
		y.apply(&p.Y)
		if l.Apart || i >= len(l.Panels)-columns { // the lowest panel of its column
			p.X.Label.Text = l.X
		}
		if l.Apart || i%columns == 0 {
			p.Y.Label.Text = l.Y
		}
		left, lift, hides := l.legendPlace(panel, x, y)
		p.Legend.Left = left
		p.Legend.XOffs, p.Legend.YOffs = -vg.Millimeter, vg.Millimeter+vg.Length(lift)*(height-aroundAxes)
		if left {
			p.Legend.XOffs = 2 * vg.Millimeter
		}
		if hides {
			apart := p.Legend
			apart.Left, apart.Top, apart.XOffs, apart.YOffs = true, true, 0, 0
			below[p], p.Legend = &apart, plot.NewLegend()
		}
		out = append(out, p)
	}
	return out, below, nil
}

// Width and height of a panel of curves among others, and about what of its height lies around the axes.
const (
	panelWidth  = 8.6 * vg.Centimeter
	panelHeight = 6.4 * vg.Centimeter
	aroundAxes  = 1.7 * vg.Centimeter
)

// size returns the width and height of a panel; one that stands alone is larger.
func (l Lines) size() (width, height vg.Length) {
	if len(l.Panels) == 1 {
		return 16 * vg.Centimeter, 10 * vg.Centimeter
	}
	return panelWidth, panelHeight
}

// legendPlace returns where a panel's legend hides no part of a curve or band, or the least: on the left or the right, and
// how far its lower edge is lifted, as a part of the axis; and whether it hides a curve there. The lower right is taken if it is free.
func (l Lines) legendPlace(p Panel, x, y axis) (left bool, lift float64, hides bool) {
	longest := 0
	entries := len(p.Series)
	for _, s := range p.Series {
		longest = max(longest, len(s.Name))
	}
	if p.Level != nil {
		longest, entries = max(longest, len(p.Level.Name)), entries+1
	}
	panel, axes := l.size()
	width := (0.15 + 0.018*float64(longest)) * float64(panelWidth/panel)
	height := 0.02 + 0.075*float64(entries)*float64((panelHeight-aroundAxes)/(axes-aroundAxes))
	const aCurve = 1 << 16 // more than all edges of bands
	least := math.MaxInt
	for step := range 20 {
		low := float64(step) / 20
		for _, side := range []bool{false, true} {
			hidden := 0
			l.along(p, x, y, func(across, up float64, curve bool) {
				if side {
					across = 1 - across
				}
				switch {
				case across <= 1-width || up <= low-0.02 || up >= low+height:
				case curve:
					hidden += aCurve
				default:
					hidden++
				}
			})
			if hidden < least && low+height <= 1 {
				left, lift, least = side, low, hidden
			}
		}
	}
	return left, lift, least >= aCurve
}

// along calls f at places along every curve, the edges of its band and the lines of reference, as parts of the axes.
func (l Lines) along(p Panel, x, y axis, f func(across, up float64, curve bool)) {
	line := func(x0, y0, x1, y1 float64, curve bool) {
		for k := range 9 {
			part := float64(k) / 8
			f((x0+part*(x1-x0)-x.low)/(x.high-x.low), (y0+part*(y1-y0)-y.low)/(y.high-y.low), curve)
		}
	}
	for _, s := range p.Series {
		for i := 1; i < len(s.Points); i++ {
			a, b := s.Points[i-1], s.Points[i]
			line(a.X, a.Mean, b.X, b.Mean, true)
			line(a.X, a.Low, b.X, b.Low, false)
			line(a.X, a.High, b.X, b.High, false)
		}
	}
	if l.Zero != "" {
		line(x.low, 0, x.high, 0, false)
	}
	if p.Level != nil {
		line(x.low, p.Level.Value, x.high, p.Level.Value, true)
	}
	if l.Equal {
		line(x.low, x.low, x.high, x.high, false)
	}
}

// plotters returns the band of the intervals, which may be nil, the curve and its points.
func (s Series) plotters() (*plotter.Polygon, *plotter.Line, *plotter.Scatter, error) {
	var line, upper, lower plotter.XYs
	for _, q := range s.Points {
		line = append(line, plotter.XY{X: q.X, Y: q.Mean})
		if !math.IsNaN(q.Low) {
			upper, lower = append(upper, plotter.XY{X: q.X, Y: q.High}), append(lower, plotter.XY{X: q.X, Y: q.Low})
		}
	}
	curve, marks, err := plotter.NewLinePoints(line)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	curve.Color, curve.Width, curve.Dashes = shade(s.Role, 255), vg.Points(1.5), dashes(s.Role)
	glyphs := []draw.GlyphDrawer{draw.RingGlyph{}, draw.SquareGlyph{}, draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}}
	marks.Color, marks.Shape, marks.Radius = shade(s.Role, 255), glyphs[s.Role%len(glyphs)], vg.Points(2)
	if len(upper) < 2 {
		return nil, curve, marks, nil
	}
	slices.Reverse(lower)
	band, err := plotter.NewPolygon(append(upper, lower...))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	band.LineStyle.Width, band.Color = 0, shade(s.Role, 34)
	return band, curve, marks, nil
}

// dots returns points and the intervals through them.
func (s Series) dots() (marks []plot.Plotter, err error) {
	var at plotter.XYs
	var bars []plot.Plotter
	for _, q := range s.Points {
		at = append(at, plotter.XY{X: q.X, Y: q.Mean})
		if math.IsNaN(q.Low) {
			continue
		}
		bar, err := plotter.NewLine(plotter.XYs{{X: q.X, Y: q.Low}, {X: q.X, Y: q.High}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		bar.Color, bar.Width = shade(s.Role, 140), vg.Points(1.2)
		bars = append(bars, bar)
	}
	points, err := plotter.NewScatter(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	points.Color, points.Shape, points.Radius = shade(s.Role, 255), draw.CircleGlyph{}, vg.Points(2.5)
	return append([]plot.Plotter{points}, bars...), nil
}

// shade returns the colour of a role.
func shade(role int, alpha uint8) color.NRGBA {
	n, err := strconv.ParseUint(colour(role)[1:], 16, 32)
	if err != nil {
		panic("figure: colour " + colour(role))
	}
	return color.NRGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), alpha}
}

// dashes tell the curves apart where colours cannot.
func dashes(role int) []vg.Length {
	switch role {
	case RoleRandom:
		return []vg.Length{vg.Points(1.5), vg.Points(2.5)}
	case RolePlain:
		return []vg.Length{vg.Points(5), vg.Points(2.5)}
	}
	return nil
}

// nameFonts names, in an SVG figure of gonum/plot, the fonts to be taken where Liberation Sans is not installed: first those
// of the same widths, or labels would run into what they stand beside. Other bytes are returned as they are.
func nameFonts(figure []byte) []byte {
	return bytes.ReplaceAll(figure, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}
