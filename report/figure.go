package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/query"
)

// Figure is a figure in no format yet: it is drawn by gonum/plot for files, and as inline SVG for the page.
type Figure struct {
	Name    string // of its files
	Title   string
	Note    string // what is drawn, for the caption
	Section string // of the page
	Minor   bool   // folded away on the page

	// One of these.
	Lines  *Lines
	Forest *Forest
	Map    *Map
}

// Sections of the page that hold figures.
const (
	sectionCompare = "comparison"
	sectionCurves  = "curves"
	sectionPicks   = "picks"
)

// Lines is curves over labelled slices, in panels that share their axes.
type Lines struct {
	X, Y   string
	Zero   string // what the line at zero stands for; "" without one
	From0  bool   // the y axis begins at zero
	Equal  bool   // both axes are the same, with a line where x and y are equal
	Unit   string // of x, as in "70 labelled"
	Panels []Panel
	// Columns is how many panels stand side by side; 0 leaves it to the drawing.
	Columns int
}

// Panel is one pair of axes.
type Panel struct {
	Title  string
	Series []Series
}

// Series is one curve with the interval around it.
type Series struct {
	Name   string
	Role   int // its colour and dashes; see role
	Points []Place
}

// Place is a point of a curve, in the units of the axes. Low and High are NaN where there is no interval.
type Place struct {
	X, Mean, Low, High float64
	N                  int // runs
}

// Forest is differences with their intervals, one per row.
type Forest struct {
	X    string // title of the axis
	Sign float64
	Rows []ForestRow
}

// ForestRow is one comparison. A row with a title only begins a block.
type ForestRow struct {
	Name            string
	Title           bool
	Role            int
	Mean, Low, High float64
	Sets            []float64
	Star            bool
}

// Map is which slices were picked how often, one panel per strategy.
type Map struct {
	Cases  []string // of the pool
	Slices int      // the largest number of a picked slice, and one
	Most   int      // the most runs that picked a slice
	Panels []MapPanel
}

// MapPanel is one strategy.
type MapPanel struct {
	Title string
	Picks []Pick
	Note  string
}

// Roles of strategies in a panel. They decide the colour, the same in every figure: random is grey and dotted, the plain
// score vermilion and dashed, stochastic batches blue. Others follow.
const (
	roleRandom = iota
	rolePlain
	roleBatches
	roleOther
)

// colours are those of Okabe and Ito (2008), which stay apart for people with a colour vision deficiency.
var colours = []string{"#707070", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#6a3d9a"}

// colour returns that of a role.
func colour(role int) string {
	if role < len(colours) {
		return colours[role]
	}
	return colours[roleOther+(role-roleOther)%(len(colours)-roleOther)]
}

// roles returns the roles of a family's members.
func (f family) roles() map[string]int {
	out := map[string]int{Baseline: roleRandom}
	next := roleOther
	for _, m := range f.members {
		switch p := query.Split(m); {
		case m == Baseline:
		case f.name != "" && p.Selector == "":
			out[m] = rolePlain
		case p.Selector == "sb":
			out[m] = roleBatches
		default:
			out[m] = next
			next++
		}
	}
	return out
}

// figures returns those of a group.
func (x Experiment) figures(g Group) []Figure {
	var out []Figure
	if f := x.forest(g); len(f.Forest.Rows) > 0 {
		out = append(out, f)
	}
	for i, m := range measures {
		l := &Lines{X: "labelled slices", Unit: "labelled", Y: fmt.Sprintf("%s (%s)", m.long, m.unit(x.DistanceUnit))}
		l.Panels = g.panels(true, m.scale, func(st Strategy) []Point { return st.Results[i].Curve })
		name := "curves"
		if i > 0 {
			name += "-" + m.name
		}
		out = append(out, Figure{Name: name, Section: sectionCurves, Minor: i > 0, Title: "Learning curves: " + m.long, Lines: l,
			Note: "Mean over initial sets with its 95 % BCa bootstrap interval; " + m.betterWord() + "."})
	}
	for i, m := range measures {
		if _, ok := g.find(Baseline); !ok || len(g.Strategies) < 2 {
			break
		}
		l := &Lines{X: "labelled slices", Unit: "labelled", Y: fmt.Sprintf("%s − random (%s)", m.long, m.pointsUnit(x.DistanceUnit)), Zero: Baseline}
		l.Panels = g.panels(false, m.scale, func(st Strategy) []Point { return st.Results[i].Difference })
		name := "difference"
		if i > 0 {
			name += "-" + m.name
		}
		out = append(out, Figure{Name: name, Section: sectionCurves, Minor: i > 0, Title: "Difference to random: " + m.long, Lines: l,
			Note: "Paired by initial set: mean difference with its 95 % BCa bootstrap interval, at each number of labels; " + m.betterWord() + ". " +
				"The cycles of one run are not independent, and these intervals are not corrected for their number."})
	}
	if len(x.Classes) > 1 {
		l := &Lines{X: "labelled slices", Unit: "labelled", Y: "3D Dice (%)"}
		for class, name := range x.Classes {
			for _, p := range g.panels(true, 100, func(st Strategy) []Point { return st.Classes[class] }) {
				p.Title = name + ": " + p.Title
				l.Panels = append(l.Panels, p)
			}
			l.Columns = min(4, len(l.Panels)/(class+1))
		}
		out = append(out, Figure{Name: "classes", Section: sectionCurves, Title: "Learning curves per class: 3D Dice", Lines: l,
			Note: "Mean over initial sets with its 95 % BCa bootstrap interval; higher is better."})
	}
	if f := g.reliability(); len(f.Lines.Panels) > 0 {
		out = append(out, f)
	}
	adjacent := &Lines{X: "labelled slices when the query was made", Unit: "labelled", Y: "next to a labelled slice (%)", From0: true,
		Panels: g.panels(true, 100, func(st Strategy) []Point { return st.Picks.AdjacentCurve })}
	cases := &Lines{X: "labelled slices when the query was made", Unit: "labelled", Y: "different cases in a query", From0: true,
		Panels: g.panels(true, 1, func(st Strategy) []Point { return st.Picks.CasesCurve })}
	if len(adjacent.Panels) > 0 {
		out = append(out,
			Figure{Name: "adjacent", Section: sectionPicks, Title: "How redundant the queries were", Lines: adjacent,
				Note: "Share of picks whose neighbour in the same case was labelled before or is in the same query; mean over runs with its 95 % interval. Lower means less alike."},
			Figure{Name: "cases", Section: sectionPicks, Title: "How many cases the queries drew from", Lines: cases,
				Note: fmt.Sprintf("Of the %d slices of a query; mean over runs with its 95 %% interval.", x.Settings.QuerySize)})
	}
	if m := x.pickMap(g); len(m.Map.Panels) > 0 {
		out = append(out, m)
	}
	return out
}

// panels makes one panel per family, with random in each of them if asked for. Values are multiplied by scale.
func (g Group) panels(random bool, scale float64, curve func(Strategy) []Point) []Panel {
	return g.panelsOf(random, func(st Strategy) []Place { return scaled(curve(st), scale) })
}

func (g Group) panelsOf(random bool, curve func(Strategy) []Place) (out []Panel) {
	var all []family
	for _, f := range families(g.names()) {
		all = append(all, f.split()...)
	}
	if len(all) == 0 {
		all = []family{{name: Baseline}} // random alone
	}
	for _, f := range all {
		p := Panel{Title: f.title()}
		roles := f.roles()
		names := f.members
		if random {
			names = append([]string{Baseline}, names...)
		}
		for _, name := range names {
			st, ok := g.find(name)
			if !ok {
				continue
			}
			if points := curve(st); len(points) > 0 {
				p.Series = append(p.Series, Series{name, roles[name], points})
			}
		}
		if len(p.Series) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// scaled returns the points of a curve with their values multiplied.
func scaled(points []Point, scale float64) []Place {
	var out []Place
	for _, p := range points {
		out = append(out, Place{float64(p.Labelled), scale * float64(p.Mean), scale * float64(p.Low), scale * float64(p.High), p.N})
	}
	return out
}

// forest shows the comparisons of the first measure's AULC.
func (x Experiment) forest(g Group) Figure {
	m := measures[0]
	f := &Forest{X: fmt.Sprintf("difference in the AULC of the %s (%s)", m.long, m.pointsUnit(x.DistanceUnit)), Sign: m.better()}
	for _, c := range g.Comparisons {
		if !c.main() {
			continue
		}
		f.Rows = append(f.Rows, ForestRow{Name: c.Question, Title: true})
		for _, r := range c.Rows {
			if len(r.Sets) == 0 {
				continue
			}
			row := ForestRow{Name: r.A + " − " + r.B, Role: roleOther, Mean: m.scale * r.Difference.Mean, Low: m.scale * r.Interval.Low, High: m.scale * r.Interval.High, Star: r.significant()}
			switch p := query.Split(r.A); {
			case p.Score != "" && p.Selector == "":
				row.Role = rolePlain
			case p.StochasticBatches():
				row.Role = roleBatches
			}
			for _, d := range r.Differences {
				row.Sets = append(row.Sets, m.scale*d)
			}
			f.Rows = append(f.Rows, row)
		}
	}
	return Figure{Name: "forest", Section: sectionCompare, Title: "Differences between strategies", Forest: f,
		Note: "Large dot: mean difference in the AULC; line: its 95 % BCa bootstrap interval; small dots: initial sets. Right of zero the first strategy is better. " +
			"*: p < 0.05 by the sign-flip test paired by initial set, Holm-corrected over the block."}
}

// pickMap shows which slices were picked.
func (x Experiment) pickMap(g Group) Figure {
	m := &Map{Cases: slices.Clone(x.Data.Pool)}
	for _, st := range g.Strategies {
		for _, p := range st.Picks.Items {
			m.Slices, m.Most = max(m.Slices, p.Slice+1), max(m.Most, p.Times)
			if len(x.Data.Pool) == 0 && !slices.Contains(m.Cases, p.Case) {
				m.Cases = append(m.Cases, p.Case)
			}
		}
	}
	slices.Sort(m.Cases)
	for _, st := range g.Strategies {
		if len(st.Picks.Items) == 0 {
			continue
		}
		note := ""
		if a := st.Picks.Adjacent; a.N > 0 && !math.IsNaN(a.Mean) {
			note = fmt.Sprintf("%.0f %% adjacent, %.1f cases per query", 100*a.Mean, st.Picks.CasesPerQuery.Mean)
		}
		m.Panels = append(m.Panels, MapPanel{st.Name, st.Picks.Items, note})
	}
	return Figure{Name: "picks", Section: sectionPicks, Title: "Which slices were picked", Map: m,
		Note: fmt.Sprintf("Columns are the cases of the pool, rows the slices; the darker, the more runs picked the slice (at most %d).", m.Most)}
}
