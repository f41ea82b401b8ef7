package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Best is the strategy with the highest mean AULC of the 3D Dice, random aside, and what it makes of each test case.
type Best struct {
	Strategy string `json:"strategy"`
	// Labels, the fewest and the most, are those that all finished runs of all strategies reach, where these end at other numbers of labels: the AULC
	// that decides is over them. It is nil where all runs are over the same labels.
	Labels *[2]int `json:"labels,omitempty"`
	Rival  string  `json:"rival,omitempty"` // the same score without or with stochastic batches; "" without one
	Gains  []Gain  `json:"gains,omitempty"` // per test case, those first that random is worst on; none where records tell no cases
}

// Gain is the 3D Dice of a test case after the last cycle, as the mean over foreground classes: that of random, and how much the best
// strategy adds in the mean over runs paired by initial set and recipe.
type Gain struct {
	Case   string     `json:"case"`
	Random null.Float `json:"random"`
	Gain   null.Float `json:"gain"`
	Low    null.Float `json:"low"` // 95 % BCa bootstrap interval over initial sets
	High   null.Float `json:"high"`
	Sets   int        `json:"sets"`
}

// findBest returns nil where there is nothing beside random, or no random.
func (g *Group) findBest(s Source, o Options, place string, grids []string) *Best {
	best, most := "", math.Inf(-1)
	labels, cut := g.sharedLabels()
	for _, st := range g.Strategies {
		aulc := st.Results[0].AULC.Mean
		if cut {
			aulc = stats.Describe(numbers(st.whole[measures[0].name], func(r stats.Run) float64 { return stats.AULC(r.On(labels)) })).Mean
		}
		if st.Name != Baseline && aulc > most {
			best, most = st.Name, aulc
		}
	}
	if _, ok := g.find(Baseline); !ok || best == "" {
		return nil
	}
	b := &Best{Strategy: best}
	if cut {
		b.Labels = &[2]int{labels[0], labels[len(labels)-1]}
	}
	score := partsOf(best).Score
	for _, f := range families(g.names()) {
		if score == "" || f.name != score {
			continue
		}
		for _, m := range f.members {
			if p := partsOf(m); m != best && b.Rival == "" && (p.Selector == "" || p.Selector == "sb") {
				b.Rival = m
			}
		}
	}
	b.Gains = s.gains(best, grids, o.interval(place, "gain", best))
	return b
}

// finishedCurves returns the 3D Dice of the finished runs, by strategy.
func (g Group) finishedCurves() map[string][]stats.Run {
	out := map[string][]stats.Run{}
	for _, st := range g.Strategies {
		out[st.Name] = st.whole[measures[0].name]
	}
	return out
}

// sharedLabels returns the label counts within all finished runs of all strategies; cut is false where these are over the same range.
func (g Group) sharedLabels() (labels []int, cut bool) {
	curves := g.finishedCurves()
	if rangesText(g.names(), curves) == "" {
		return nil, false
	}
	all := slices.Concat(slices.Collect(maps.Values(curves))...)
	return stats.Shared(slices.DeleteFunc(all, func(r stats.Run) bool { return len(r.Labels) == 0 })...), true
}

// highest says what the best strategy has.
func (b Best) highest() string {
	if b.Labels == nil {
		return "the highest mean AULC"
	}
	return fmt.Sprintf("the highest mean AULC, over the labels that all strategies reach (%d to %d)", b.Labels[0], b.Labels[1])
}

// gains returns those of a strategy over random on each test case.
func (s Source) gains(strategy string, grids []string, intervals func(string, []float64) stats.Interval) (out []Gain) {
	type sums struct{ random, gain, n float64 }
	bySet := map[string]map[int]sums{} // by case
	for _, r := range s.Runs {
		if r.Strategy != strategy || !slices.Contains(grids, r.Grid) || !s.finished(r) {
			continue
		}
		base, ok := record.Find(s.Runs, record.Unit{Grid: r.Grid, Strategy: Baseline, Set: r.Set})
		if !ok || !s.finished(base) {
			continue
		}
		randoms := map[string]float64{}
		for _, c := range base.Cycles[len(base.Cycles)-1].Cases {
			randoms[c.ID] = c.Dice3D
		}
		for _, c := range r.Cycles[len(r.Cycles)-1].Cases {
			random, ok := randoms[c.ID]
			if !ok || math.IsNaN(random) || math.IsNaN(c.Dice3D) {
				continue
			}
			if bySet[c.ID] == nil {
				bySet[c.ID] = map[int]sums{}
			}
			one := bySet[c.ID][r.Set]
			bySet[c.ID][r.Set] = sums{one.random + random, one.gain + c.Dice3D - random, one.n + 1}
		}
	}
	for id, sets := range bySet {
		var randoms, gains []float64
		for set := range sets {
			randoms = append(randoms, float64(set)) // in their order, so that equal records make equal intervals
		}
		slices.Sort(randoms)
		for i, set := range randoms {
			one := sets[int(set)]
			randoms[i] = one.random / one.n
			gains = append(gains, one.gain/one.n)
		}
		i := intervals(id, gains)
		out = append(out, Gain{id, null.Float(stats.Describe(randoms).Mean), null.Float(stats.Describe(gains).Mean), null.Float(i.Low), null.Float(i.High), len(gains)})
	}
	slices.SortFunc(out, func(a, b Gain) int { return cmp.Or(cmp.Compare(a.Random, b.Random), cmp.Compare(a.Case, b.Case)) })
	return out
}

// gainsTable lists the test cases with what the best strategy adds.
func (x Experiment) gainsTable(g Group) table.Table {
	t := table.Table{Name: "gains", Title: fmt.Sprintf("%s: what %s adds to random on each test case, 3D Dice", x.heading(g), g.Best.Strategy),
		Head: [][]table.Cell{{table.Text("case"), table.Text("random (%%)"), table.Text("gain (points)"), table.Text("95 %% interval"), table.Text("n")}}}
	ahead := 0
	for _, c := range g.Best.Gains {
		gain := float64(c.Gain)
		if gain > 0 {
			ahead++
		}
		t.Rows = append(t.Rows, []table.Cell{table.Text("%s", c.Case), table.Value(float64(c.Random), "%.1f", 100*float64(c.Random)), table.Value(gain, "%s", signed(gain, measures[0])),
			interval(stats.Interval{Low: float64(c.Low), High: float64(c.High)}, measures[0], 2), table.Text("%d", c.Sets)})
	}
	t.Notes = []string{fmt.Sprintf("After the last cycle, the case that random is worst on first; mean over initial sets, paired, with its BCa bootstrap interval, which is not corrected for the number of cases. "+
		"%s, the strategy with %s, is ahead on %d of %d cases.", g.Best.Strategy, g.Best.highest(), ahead, len(g.Best.Gains))}
	return t
}

// bestFigure shows side by side in what the picks of the best strategy differ from those of random, and what came of it.
func (x Experiment) bestFigure(g Group) (figure.Figure, bool) {
	if g.Best == nil {
		return figure.Figure{}, false
	}
	names := []string{Baseline, g.Best.Strategy}
	if g.Best.Rival != "" {
		names = append(names, g.Best.Rival)
	}
	roles := map[string]int{Baseline: figure.RoleRandom}
	for _, name := range names[1:] {
		switch p := partsOf(name); {
		case p.Score != "" && p.Selector == "":
			roles[name] = figure.RolePlain
		case p.Selector == "sb":
			roles[name] = figure.RoleBatches
		default:
			roles[name] = figure.RoleOther
		}
	}
	l := &figure.Lines{Apart: true, From0: true}
	add := func(title, y string, scale float64, curve func(Picks) []Point) {
		p := figure.Panel{Title: title, X: "labelled slices when the query was made", Y: y, Unit: "labelled"}
		for _, name := range names {
			st, _ := g.find(name)
			if points := scaled(curve(st.Picks), scale); len(points) > 0 {
				p.Series = append(p.Series, figure.Series{Name: name, Role: roles[name], Points: points})
			}
		}
		if len(p.Series) > 0 {
			l.Panels = append(l.Panels, p)
		}
	}
	add("Redundancy", "next to a labelled slice (%)", 100, func(p Picks) []Point { return p.AdjacentCurve })
	add("Cases covered", "different cases in a query", 1, func(p Picks) []Point { return p.CasesCurve })
	if g.hasCosts() {
		add("Empty slices", "picks without foreground (%)", 100, func(p Picks) []Point { return p.Cost.EmptyCurve })
	}
	if len(g.Best.Gains) > 0 {
		p := figure.Panel{Title: "Gain case by case", X: "test cases, in the order of random's Dice", Y: "3D Dice − random (points)", Zero: Baseline, Unit: "(case, by random's Dice)"}
		s := figure.Series{Name: g.Best.Strategy, Role: roles[g.Best.Strategy], Dots: true}
		for i, c := range g.Best.Gains {
			s.Points = append(s.Points, figure.Point{X: float64(i + 1), Mean: 100 * float64(c.Gain), Low: 100 * float64(c.Low), High: 100 * float64(c.High), N: c.Sets})
		}
		p.Series = []figure.Series{s}
		l.Panels = append(l.Panels, p)
	}
	if len(l.Panels) == 0 {
		return figure.Figure{}, false
	}
	l.Columns = min(2, len(l.Panels))
	return figure.Figure{Name: "best", Section: sectionPicks, Title: fmt.Sprintf("What %s picks, beside random", g.Best.Strategy), Lines: l,
		Note: fmt.Sprintf("%s has %s of the 3D Dice. Mean over runs with its 95 %% BCa bootstrap interval; the gain is that after the last cycle, paired by initial set, the case that random is "+
			"worst on first.", g.Best.Strategy, g.Best.highest())}, true
}
