package figure

import (
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nextslice/nextslice/internal/null"
)

// The page draws figures as inline SVG in the page's own colours, which follow its light or dark theme. Without scripts
// the figures are complete; the script adds what the pointer is on.

// svg is a drawing in the making.
type svg struct{ strings.Builder }

func (s *svg) add(format string, args ...any) { fmt.Fprintf(s, format, args...) }

func (s *svg) text(x, y float64, class, text string) {
	s.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, html.EscapeString(text))
}

// attribute encodes data for the script.
func attribute(data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic("figure: svg: " + err.Error())
	}
	return html.EscapeString(string(text))
}

// HTML returns the figure's drawings for the page.
func (f Figure) HTML() template.HTML {
	switch {
	case f.Lines != nil:
		return template.HTML(f.Lines.html())
	case f.Map != nil:
		return template.HTML(f.Map.html())
	}
	return template.HTML(f.Forest.html())
}

// frame maps values to places in a drawing.
type frame struct{ left, right, top, bottom float64 }

func (f frame) x(a axis, v float64) float64 {
	return f.left + (v-a.low)/(a.high-a.low)*(f.right-f.left)
}
func (f frame) y(a axis, v float64) float64 {
	return f.bottom - (v-a.low)/(a.high-a.low)*(f.bottom-f.top)
}

// hoverPanel is what the script needs of a panel: the places of the label counts, and each curve's values there.
type hoverPanel struct {
	X      []float64     `json:"x"`
	At     []float64     `json:"at"`
	Curves []hoverSeries `json:"curves"`
}

type hoverSeries struct {
	Name   string    `json:"name"`
	Role   int       `json:"role"`
	Values []*[4]any `json:"values"` // mean, low, high, runs; null where there is none
}

func (l Lines) html() string {
	var s svg
	s.add(`<div class="panels" style="--columns:%d">`, l.columns())
	for _, p := range l.Panels {
		s.add(`<div class="panel"><h5>%s</h5>`, html.EscapeString(p.Title))
		s.WriteString(p.legend())
		own, x, y := l.of(p)
		p.draw(&s, own, x, y)
		s.add(`</div>`)
	}
	s.add("</div>\n")
	return s.String()
}

func (p Panel) legend() string {
	var s svg
	s.add(`<ul class="legend">`)
	if p.Level != nil {
		s.add(`<li><svg width="26" height="10" aria-hidden="true"><path class="level" d="M1 5H25"/></svg>%s</li>`, html.EscapeString(p.Level.Name))
	}
	for _, one := range p.Series {
		s.add(`<li data-name="%s"><svg width="26" height="10" aria-hidden="true"><path class="curve r%d" d="M1 5H25"/><circle class="dot r%d" cx="13" cy="5" r="3"/></svg>%s</li>`,
			html.EscapeString(one.Name), roleClass(one.Role), roleClass(one.Role), html.EscapeString(one.Name))
	}
	s.add(`</ul>`)
	return s.String()
}

// roleClass is the CSS class of a role's colour.
func roleClass(role int) int { return slices.Index(colours, colour(role)) }

func (p Panel) draw(s *svg, l Lines, x, y axis) {
	width, height := 380.0, 250.0 // in pixels of a wide page, so that texts have their size
	if l.columns() > 2 {
		width, height = 1080/float64(l.columns())-24, 200
	}
	f := frame{left: 44, right: width - 10, top: 8, bottom: height - 38}
	hover := hoverPanel{}
	for _, one := range p.Series {
		for _, q := range one.Points {
			if !slices.Contains(hover.X, q.X) {
				hover.X = append(hover.X, q.X)
			}
		}
	}
	slices.Sort(hover.X)
	for _, n := range hover.X {
		hover.At = append(hover.At, math.Round(10*f.x(x, n))/10)
	}
	for _, one := range p.Series {
		h := hoverSeries{Name: one.Name, Role: roleClass(one.Role), Values: make([]*[4]any, len(hover.X))}
		for _, q := range one.Points {
			h.Values[slices.Index(hover.X, q.X)] = &[4]any{null.Float(q.Mean), null.Float(q.Low), null.Float(q.High), q.N}
		}
		hover.Curves = append(hover.Curves, h)
	}
	s.add(`<svg class="lines" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s, %s" data-top="%.0f" data-bottom="%.0f" data-unit="%s" data-hover="%s">`,
		width, height, html.EscapeString(p.Title), html.EscapeString(l.Y), f.top, f.bottom, html.EscapeString(l.Unit), attribute(hover))
	for _, v := range y.ticks {
		s.add(`<path class="grid" d="M%.1f %.1fH%.1f"/>`, f.left, f.y(y, v), f.right)
		s.text(f.left-6, f.y(y, v)+3.5, "tick right", tickText(v))
	}
	for i, v := range x.ticks {
		if l.columns() > 3 && i%2 == 1 {
			continue
		}
		s.add(`<path class="axis" d="M%.1f %.1fv4"/>`, f.x(x, v), f.bottom)
		s.text(f.x(x, v), f.bottom+15, "tick middle", tickText(v))
	}
	s.add(`<path class="axis" d="M%.1f %.1fH%.1f"/>`, f.left, f.bottom, f.right)
	s.text((f.left+f.right)/2, height-6, "label middle", l.X)
	s.add(`<text class="label middle" transform="translate(11 %.1f) rotate(-90)">%s</text>`, (f.top+f.bottom)/2, html.EscapeString(l.Y))
	if l.Equal {
		s.add(`<path class="axis" d="M%.1f %.1fL%.1f %.1f"/>`, f.left, f.bottom, f.right, f.top)
	}
	if l.Zero != "" {
		s.add(`<path class="curve r0" d="M%.1f %.1fH%.1f"/>`, f.left, f.y(y, 0), f.right)
	}
	if p.Level != nil {
		s.add(`<path class="level" d="M%.1f %.1fH%.1f"/>`, f.left, f.y(y, p.Level.Value), f.right)
	}
	for _, one := range p.Series {
		if one.Dots {
			for _, q := range one.Points {
				if !math.IsNaN(q.Low) {
					s.add(`<path class="interval r%d" d="M%.1f %.1fV%.1f"/>`, roleClass(one.Role), f.x(x, q.X), f.y(y, q.Low), f.y(y, q.High))
				}
			}
			continue
		}
		if band := one.band(f, x, y); band != "" {
			s.add(`<path class="band r%d" d="%s"/>`, roleClass(one.Role), band)
		}
	}
	for _, one := range p.Series {
		role := roleClass(one.Role)
		s.add(`<g data-name="%s">`, html.EscapeString(one.Name))
		if !one.Dots {
			s.add(`<path class="curve r%d" d="`, role)
			for i, q := range one.Points {
				s.add("%c%.1f %.1f", "ML"[min(i, 1)], f.x(x, q.X), f.y(y, q.Mean))
			}
			s.add(`"/>`)
		}
		for _, q := range one.Points {
			s.add(`<circle class="dot r%d" cx="%.1f" cy="%.1f" r="2.8"/>`, role, f.x(x, q.X), f.y(y, q.Mean))
		}
		s.add(`</g>`)
	}
	s.add(`<path class="cursor" d="M0 0"/></svg>`)
}

// band is the outline of the intervals, "" with fewer than two of them.
func (one Series) band(f frame, x, y axis) string {
	var s svg
	var inside []Point
	for _, q := range one.Points {
		if !math.IsNaN(q.Low) {
			inside = append(inside, q)
		}
	}
	if len(inside) < 2 {
		return ""
	}
	for i, q := range inside {
		s.add("%c%.1f %.1f", "ML"[min(i, 1)], f.x(x, q.X), f.y(y, q.High))
	}
	slices.Reverse(inside)
	for _, q := range inside {
		s.add("L%.1f %.1f", f.x(x, q.X), f.y(y, q.Low))
	}
	return s.String() + "Z"
}

func (f Forest) html() string {
	const width, row = 900.0, 25.0
	names := 270.0 // wide, or more for long ones
	for _, r := range f.Rows {
		if !r.Title {
			names = min(max(names, 7.6*float64(utf8.RuneCountInString(r.Name))+18), width/2)
		}
	}
	a := f.axis()
	height := row*float64(len(f.Rows)) + 44
	in := frame{left: names, right: width - 150, top: 4, bottom: height - 40}
	var s svg
	s.add(`<svg class="forest" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, width, height, html.EscapeString(f.X))
	for _, v := range a.ticks {
		s.add(`<path class="grid" d="M%.1f %.1fV%.1f"/>`, in.x(a, v), in.top, in.bottom)
		s.text(in.x(a, v), in.bottom+15, "tick middle", tickText(v))
	}
	s.add(`<path class="zero" d="M%.1f %.1fV%.1f"/>`, in.x(a, 0), in.top, in.bottom)
	s.text((in.left+in.right)/2, height-6, "label middle", f.X)
	for i, r := range f.Rows {
		y := in.top + row*(float64(i)+0.5)
		if r.Title {
			s.text(4, y+4, "block", r.Name)
			continue
		}
		s.add(`<g class="row"><rect class="hit" x="0" y="%.1f" width="%.0f" height="%.0f"/>`, y-row/2, width, row)
		s.text(names-10, y+4, "name right", r.Name)
		role := roleClass(r.Role)
		for _, d := range r.Sets {
			s.add(`<circle class="set r%d" cx="%.1f" cy="%.1f" r="2.6"/>`, role, in.x(a, d), y)
		}
		numbers := strings.Replace(fmt.Sprintf("%+.2f", r.Mean), "-", "−", 1)
		if !math.IsNaN(r.Low) {
			s.add(`<path class="interval r%d" d="M%.1f %.1fH%.1f"/>`, role, in.x(a, r.Low), y, in.x(a, r.High))
			numbers += strings.ReplaceAll(fmt.Sprintf(" [%+.2f, %+.2f]", r.Low, r.High), "-", "−")
		}
		if r.Star {
			numbers += " *"
		}
		s.add(`<circle class="dot mean r%d" cx="%.1f" cy="%.1f" r="5"/>`, role, in.x(a, r.Mean), y)
		s.text(in.right+12, y+4, "tick", numbers)
		s.add(`</g>`)
	}
	s.add("</svg>\n")
	return s.String()
}

func (m Map) html() string {
	at := map[string]int{}
	for i, name := range m.Cases {
		at[name] = i
	}
	const width, height = 300.0, 190.0
	f := frame{left: 26, right: width - 4, top: 4, bottom: height - 22}
	x, y := axis{low: -0.5, high: float64(len(m.Cases)) - 0.5}, axis{low: -0.5, high: float64(m.Slices) - 0.5}
	cell := [2]float64{(f.right - f.left) / float64(len(m.Cases)), (f.bottom - f.top) / float64(m.Slices)}
	var s svg
	s.add(`<div class="panels maps" style="--columns:3" data-cases="%s">`, attribute(m.Cases))
	for _, p := range m.Panels {
		var hover [][3]int
		byTimes := map[int][]string{}
		for _, pick := range p.Picks {
			column, known := at[pick.Case]
			if !known {
				continue
			}
			hover = append(hover, [3]int{column, pick.Slice, pick.Times})
			byTimes[pick.Times] = append(byTimes[pick.Times], fmt.Sprintf("M%.1f %.1fh%.2fv%.2fh%.2fz",
				f.x(x, float64(column))-0.45*cell[0], f.y(y, float64(pick.Slice))-0.45*cell[1], 0.9*cell[0], 0.9*cell[1], -0.9*cell[0]))
		}
		s.add(`<div class="panel"><h5>%s</h5><svg class="map" viewBox="0 0 %.0f %.0f" role="img" aria-label="slices picked by %s" data-frame="[%.1f,%.1f,%.1f,%.1f,%d,%d]" data-picks="%s">`,
			html.EscapeString(p.Title), width, height, html.EscapeString(p.Title), f.left, f.top, f.right, f.bottom, len(m.Cases), m.Slices, attribute(hover))
		s.add(`<rect class="ground" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, f.left, f.top, f.right-f.left, f.bottom-f.top)
		times := make([]int, 0, len(byTimes))
		for n := range byTimes {
			times = append(times, n)
		}
		slices.Sort(times)
		for _, n := range times {
			s.add(`<path class="pick" fill-opacity="%.2f" d="%s"/>`, m.opacity(Pick{Times: n}), strings.Join(byTimes[n], ""))
		}
		for _, v := range niceAxis([]float64{0, float64(m.Slices - 1)}, 4).ticks {
			if v <= y.high {
				s.text(f.left-4, f.y(y, v)+3.5, "tick right", tickText(v))
			}
		}
		s.text((f.left+f.right)/2, height-6, "label middle", p.Note)
		s.add(`</svg></div>`)
	}
	s.add("</div>\n")
	return s.String()
}
