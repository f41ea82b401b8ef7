package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/report/figure"
)

// Sections of the page that hold figures.
const (
	sectionCompare = "comparison"
	sectionCurves  = "curves"
	sectionPicks   = "picks"
)

// roles returns the roles of a family's members.
func (f family) roles() map[string]int {
	out := map[string]int{Baseline: figure.RoleRandom}
	next := figure.RoleOther
	for _, m := range f.members {
		switch p := partsOf(m); {
		case m == Baseline:
		case f.name != "" && p.Selector == "":
			out[m] = figure.RolePlain
		case p.Selector == "sb":
			out[m] = figure.RoleBatches
		default:
			out[m] = next
			next++
		}
	}
	return out
}

// figures returns those of a group.
func (x Experiment) figures(g Group) []figure.Figure {
	var out []figure.Figure
	if f := x.forest(g); len(f.Forest.Rows) > 0 {
		out = append(out, f)
	}
	for i, m := range measures {
		l := &figure.Lines{X: "labelled slices", Unit: "labelled", Y: fmt.Sprintf("%s (%s)", m.long, m.unit(x.DistanceUnit))}
		l.Panels = g.Ceiling.on(g.panels(true, m.scale, func(st Strategy) []Point { return st.Results[i].Curve }), i, m.scale)
		name := "curves"
		if i > 0 {
			name += "-" + m.name
		}
		out = append(out, figure.Figure{Name: name, Section: sectionCurves, Minor: i > 0, Title: "Learning curves: " + m.long, Lines: l,
			Note: "Mean over initial sets with its 95 % BCa bootstrap interval; " + m.betterWord() + "." + g.Ceiling.note()})
		if f, ok := x.shareFigure(g); ok && i == 0 {
			out = append(out, f)
		}
	}
	for i, m := range measures {
		if _, ok := g.find(Baseline); !ok || len(g.Strategies) < 2 {
			break
		}
		l := &figure.Lines{X: "labelled slices", Unit: "labelled", Y: fmt.Sprintf("%s − random (%s)", m.long, m.pointsUnit(x.DistanceUnit)), Zero: Baseline}
		l.Panels = g.panels(false, m.scale, func(st Strategy) []Point { return st.Results[i].Difference })
		name := "difference"
		if i > 0 {
			name += "-" + m.name
		}
		out = append(out, figure.Figure{Name: name, Section: sectionCurves, Minor: i > 0, Title: "Difference to random: " + m.long, Lines: l,
			Note: "Paired by initial set: mean difference with its 95 % BCa bootstrap interval, at each number of labels; " + m.betterWord() + ". " +
				"The cycles of one run are not independent, and these intervals are not corrected for their number."})
	}
	if len(x.Classes) > 1 {
		l := &figure.Lines{X: "labelled slices", Unit: "labelled", Y: "3D Dice (%)"}
		for class, name := range x.Classes {
			panels := g.panels(true, 100, func(st Strategy) []Point { return st.Classes[class] })
			if g.Ceiling != nil {
				panels = g.Ceiling.level(panels, g.Ceiling.Classes[class].Mean, 100)
			}
			for _, p := range panels {
				p.Title = name + ": " + p.Title
				l.Panels = append(l.Panels, p)
			}
			l.Columns = min(4, len(l.Panels)/(class+1))
		}
		out = append(out, figure.Figure{Name: "classes", Section: sectionCurves, Title: "Learning curves per class: 3D Dice", Lines: l,
			Note: "Mean over initial sets with its 95 % BCa bootstrap interval; higher is better." + g.Ceiling.note()})
	}
	if f, ok := x.bestFigure(g); ok {
		out = append(out, f)
	}
	adjacent := &figure.Lines{X: "labelled slices when the query was made", Unit: "labelled", Y: "next to a labelled slice (%)", From0: true,
		Panels: g.panels(true, 100, func(st Strategy) []Point { return st.Picks.AdjacentCurve })}
	cases := &figure.Lines{X: "labelled slices when the query was made", Unit: "labelled", Y: "different cases in a query", From0: true,
		Panels: g.panels(true, 1, func(st Strategy) []Point { return st.Picks.CasesCurve })}
	out = append(out, g.reliability(),
		figure.Figure{Name: "adjacent", Section: sectionPicks, Title: "How redundant the queries were", Lines: adjacent,
			Note: "Share of picks whose neighbour in the same case was labelled before or is in the same query; mean over runs with its 95 % interval. Lower means less alike."},
		figure.Figure{Name: "cases", Section: sectionPicks, Title: "How many cases the queries drew from", Lines: cases,
			Note: fmt.Sprintf("Of the %d slices of a query; mean over runs with its 95 %% interval.", x.Settings.QuerySize)})
	if m := x.pickMap(g); len(m.Map.Panels) > 0 {
		out = append(out, m)
	}
	// A measure may be unknown in all runs: an annotation project keeps the 3D Dice alone.
	return slices.DeleteFunc(out, func(f figure.Figure) bool { return f.Lines != nil && len(f.Lines.Panels) == 0 })
}

// panels makes one panel per family, with random in each of them if asked for. Values are multiplied by scale.
func (g Group) panels(random bool, scale float64, curve func(Strategy) []Point) []figure.Panel {
	return g.panelsOf(random, func(st Strategy) []figure.Point { return scaled(curve(st), scale) })
}

func (g Group) panelsOf(random bool, curve func(Strategy) []figure.Point) []figure.Panel {
	return panels(g.names(), random, func(name string) []figure.Point {
		st, ok := g.find(name)
		if !ok {
			return nil
		}
		return curve(st)
	})
}

// panels makes one panel per family of strategies, with random in each of them if asked for; curve returns nothing for a
// strategy without a curve.
func panels(strategies []string, random bool, curve func(name string) []figure.Point) (out []figure.Panel) {
	var all []family
	for _, f := range families(strategies) {
		all = append(all, f.split()...)
	}
	if len(all) == 0 {
		all = []family{{name: Baseline}} // random alone
	}
	for _, f := range all {
		p := figure.Panel{Title: f.title()}
		roles := f.roles()
		names := f.members
		if random {
			names = append([]string{Baseline}, names...)
		}
		for _, name := range names {
			if points := curve(name); len(points) > 0 {
				p.Series = append(p.Series, figure.Series{Name: name, Role: roles[name], Points: points})
			}
		}
		if len(p.Series) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// scaled returns the points of a curve with their values multiplied.
func scaled(points []Point, scale float64) []figure.Point {
	var out []figure.Point
	for _, p := range points {
		out = append(out, figure.Point{X: float64(p.Labelled), Mean: scale * float64(p.Mean), Low: scale * float64(p.Low), High: scale * float64(p.High), N: p.N})
	}
	return out
}

// forest shows the comparisons of the first measure's AULC.
func (x Experiment) forest(g Group) figure.Figure {
	m := measures[0]
	f := &figure.Forest{X: fmt.Sprintf("difference in the AULC of the %s (%s)", m.long, m.pointsUnit(x.DistanceUnit)), Sign: m.better()}
	for _, c := range g.Comparisons {
		if !c.main() {
			continue
		}
		f.Rows = append(f.Rows, figure.ForestRow{Name: capital(c.Question), Title: true})
		for _, r := range c.Rows {
			if len(r.Sets) == 0 {
				continue
			}
			row := figure.ForestRow{Name: r.A + " − " + r.B, Role: figure.RoleOther, Mean: m.scale * r.Difference.Mean, Low: m.scale * r.Interval.Low, High: m.scale * r.Interval.High, Star: r.significant()}
			switch p := partsOf(r.A); {
			case p.Score != "" && p.Selector == "":
				row.Role = figure.RolePlain
			case p.StochasticBatches():
				row.Role = figure.RoleBatches
			}
			for _, d := range r.Differences {
				row.Sets = append(row.Sets, m.scale*d)
			}
			f.Rows = append(f.Rows, row)
		}
	}
	return figure.Figure{Name: "forest", Section: sectionCompare, Title: "Differences between strategies", Forest: f,
		Note: "Large dot: mean difference in the AULC; line: its 95 % BCa bootstrap interval; small dots: initial sets. Right of zero the first strategy is better. " +
			"*: p < 0.05 by the sign-flip test paired by initial set, Holm-corrected over the block."}
}

// pickMap shows which slices were picked.
func (x Experiment) pickMap(g Group) figure.Figure {
	m := &figure.Map{Cases: slices.Clone(x.Data.Pool)}
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
		m.Panels = append(m.Panels, figure.MapPanel{Title: st.Name, Picks: st.Picks.Items, Note: note})
	}
	return figure.Figure{Name: "picks", Section: sectionPicks, Title: "Which slices were picked", Map: m,
		Note: fmt.Sprintf("Columns are the cases of the pool, rows the slices; the darker, the more runs picked the slice (at most %d).", m.Most)}
}
