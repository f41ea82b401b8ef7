package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// plot returns the axes of a forest; the rows go from the top down.
func (f Forest) plot() *plot.Plot {
	p := newPlot("")
	a := f.axis()
	a.apply(&p.X)
	p.X.Label.Text = f.X
	p.Y.Min, p.Y.Max = -0.6, float64(len(f.Rows))-0.4
	var ticks plot.ConstantTicks
	for i, r := range f.Rows {
		if !r.Title {
			name := r.Name
			if r.Star {
				name += " *"
			}
			ticks = append(ticks, plot.Tick{Value: f.height(i), Label: name})
		}
	}
	p.Y.Tick.Marker, p.Y.Tick.Length, p.Y.LineStyle.Width = ticks, 0, 0
	p.Add(forestRows{f, a})
	return p
}

// height is where a row lies on the y axis.
func (f Forest) height(row int) float64 { return float64(len(f.Rows) - 1 - row) }

// forestRows is the plot.Plotter of the rows.
type forestRows struct {
	Forest
	axis axis
}

// Plot implements plot.Plotter.
func (f forestRows) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	grey := draw.LineStyle{Color: color.Gray{228}, Width: vg.Points(0.5)}
	for _, v := range f.axis.ticks {
		c.StrokeLine2(grey, x(v), c.Min.Y, x(v), c.Max.Y)
	}
	c.StrokeLine2(draw.LineStyle{Color: color.Gray{110}, Width: vg.Points(1)}, x(0), c.Min.Y, x(0), c.Max.Y)
	for i, r := range f.Rows {
		at := y(f.height(i))
		if r.Title {
			style := sans(8.5, true)
			style.YAlign = draw.YCenter
			c.FillText(style, vg.Point{X: c.Min.X + vg.Millimeter, Y: at}, r.Name)
			continue
		}
		for _, d := range r.Sets {
			c.DrawGlyph(draw.GlyphStyle{Color: shade(r.Role, 90), Radius: vg.Points(1.8), Shape: draw.CircleGlyph{}}, vg.Point{X: x(d), Y: at})
		}
		if !math.IsNaN(r.Low) {
			c.StrokeLine2(draw.LineStyle{Color: shade(r.Role, 255), Width: vg.Points(1.6)}, x(r.Low), at, x(r.High), at)
		}
		c.DrawGlyph(draw.GlyphStyle{Color: shade(r.Role, 255), Radius: vg.Points(3.4), Shape: draw.CircleGlyph{}}, vg.Point{X: x(r.Mean), Y: at})
	}
}

// plots returns one plot per strategy.
func (m Map) plots() (out []*plot.Plot) {
	at := map[string]int{}
	for i, name := range m.Cases {
		at[name] = i
	}
	for i, panel := range m.Panels {
		p := newPlot(panel.Title)
		p.X.Min, p.X.Max = -0.5, float64(len(m.Cases))-0.5
		p.Y.Min, p.Y.Max = -0.5, float64(m.Slices)-0.5
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "1"}, {Value: float64(len(m.Cases) - 1), Label: tickText(float64(len(m.Cases)))}}
		niceAxis([]float64{0, float64(m.Slices - 1)}, 4).within(&p.Y)
		p.X.Label.Text = panel.Note
		if i%3 == 0 {
			p.Y.Label.Text = "slice"
		}
		p.Add(mapCells{m, panel, at})
		out = append(out, p)
	}
	return out
}

// within sets the ticks of an axis whose range stands, but for those outside.
func (a axis) within(to *plot.Axis) {
	var ticks plot.ConstantTicks
	for _, v := range a.ticks {
		if v >= to.Min && v <= to.Max {
			ticks = append(ticks, plot.Tick{Value: v, Label: tickText(v)})
		}
	}
	to.Tick.Marker = ticks
}

// mapCells is the plot.Plotter of the picked slices.
type mapCells struct {
	Map
	panel MapPanel
	at    map[string]int
}

// Plot implements plot.Plotter.
func (m mapCells) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.FillPolygon(color.Gray{246}, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	for _, pick := range m.panel.Picks {
		column, known := m.at[pick.Case]
		if !known {
			continue
		}
		left, right := x(float64(column)-0.45), x(float64(column)+0.45)
		low, high := y(float64(pick.Slice)-0.45), y(float64(pick.Slice)+0.45)
		c.FillPolygon(shade(RoleBatches, uint8(255*m.opacity(pick))), []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high}, {X: left, Y: high}})
	}
}

// opacity is how dark a pick is drawn: a single one can be seen.
func (m Map) opacity(p Pick) float64 {
	if m.Most <= 1 {
		return 0.8
	}
	return 0.25 + 0.75*float64(p.Times-1)/float64(m.Most-1)
}
