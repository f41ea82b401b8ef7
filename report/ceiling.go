package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Ceiling is what trainings on all slices of the pool reach: one per initial set and recipe, with its seed and the steps of all others. It is
// in no comparison and no mean; learning curves are read by it.
type Ceiling struct {
	Runs     int             `json:"runs"`
	Labelled int             `json:"labelled"` // slices of the pool
	Measures []stats.Summary `json:"measures"` // in the order of a strategy's results, as means over foreground classes
	Classes  []stats.Summary `json:"classes"`  // the 3D Dice per foreground class
}

// shares of the ceiling that labels are counted to.
var shares = []float64{0.90, 0.95, 0.98}

// ceiling returns that of some recipes, nil where no training on all slices is finished.
func (s Source) ceiling(grids []string) *Ceiling {
	var values [][]float64
	var classes [][]float64
	out := Ceiling{}
	for _, r := range s.Ceiling {
		if !slices.Contains(grids, r.Grid) || !s.finished(r) {
			continue
		}
		last := r.Cycles[len(r.Cycles)-1]
		if out.Runs == 0 {
			values, classes = make([][]float64, len(measures)), make([][]float64, len(last.Measures.Classes))
		}
		out.Runs++
		out.Labelled = last.Labelled
		for i, m := range measures {
			values[i] = append(values[i], valueOf(last.Measures.Mean, m.name))
		}
		for i := range classes {
			classes[i] = append(classes[i], valueOf(last.Measures.Classes[i], measures[0].name))
		}
	}
	if out.Runs == 0 {
		return nil
	}
	for _, v := range values {
		out.Measures = append(out.Measures, stats.Describe(v))
	}
	for _, v := range classes {
		out.Classes = append(out.Classes, stats.Describe(v))
	}
	return &out
}

// dice returns the 3D Dice of the ceiling, NaN without one.
func (c *Ceiling) dice() float64 {
	if c == nil {
		return math.NaN()
	}
	return c.Measures[0].Mean
}

func (c *Ceiling) runsText() string {
	if c.Runs == 1 {
		return "one training"
	}
	return fmt.Sprintf("mean of %d trainings", c.Runs)
}

// on draws the ceiling of a measure across panels, whose values are multiplied by scale.
func (c *Ceiling) on(panels []figure.Panel, measure int, scale float64) []figure.Panel {
	if c == nil {
		return panels
	}
	return c.level(panels, c.Measures[measure].Mean, scale)
}

func (c *Ceiling) level(panels []figure.Panel, value, scale float64) []figure.Panel {
	if math.IsNaN(value) {
		return panels
	}
	for i := range panels {
		panels[i].Level = &figure.Level{Name: fmt.Sprintf("all %d slices", c.Labelled), Value: scale * value}
	}
	return panels
}

// note says what the line is, "" without one.
func (c *Ceiling) note() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" The line across is the ceiling: %s on all %d slices of the pool.", c.runsText(), c.Labelled)
}

// reachShares counts the labels of each strategy to the shares of the ceiling.
func (g *Group) reachShares() {
	if g.Ceiling == nil || math.IsNaN(g.Ceiling.dice()) {
		return
	}
	for i := range g.Strategies {
		st := &g.Strategies[i]
		st.Shares = nil
		for _, share := range shares {
			r := reach(st.whole[measures[0].name], share*g.Ceiling.dice(), fmt.Sprintf("%g %% of the ceiling", math.Round(100*share)))
			st.Shares = append(st.Shares, *r)
		}
	}
}

// hasShares tells whether labels were counted to shares of a ceiling.
func (g Group) hasShares() bool {
	return slices.ContainsFunc(g.Strategies, func(st Strategy) bool { return len(st.Shares) > 0 })
}

// ceilingTable says how many labels each strategy takes to come near to what all of the pool gives.
func (x Experiment) ceilingTable(g Group) table.Table {
	c := g.Ceiling
	t := table.Table{Name: "ceiling", Title: x.heading(g) + ": labels needed to come near the ceiling", Head: [][]table.Cell{{table.Text("strategy"), table.Text("final (%% of it)")}}}
	for _, share := range shares {
		t.Head[0] = append(t.Head[0], table.Text("labels to %.0f %%", 100*share), table.Text("95 %% interval"), table.Text("reached by"))
	}
	percent := measure{scale: 100 / c.dice(), digits: 1}
	for _, st := range g.Strategies {
		row := []table.Cell{table.Text("%s", st.Name), meanStd(st.Results[0].Final, percent)}
		for _, r := range st.Shares {
			row = append(row, labels(float64(r.Median)), r.intervalCell(), table.Value(float64(r.Reached), "%d of %d", r.Reached, r.Runs))
		}
		t.Rows = append(t.Rows, row)
	}
	m := measures[0]
	spread := ""
	if !math.IsNaN(c.Measures[0].Std) {
		spread = fmt.Sprintf(" ± %.1f", 100*c.Measures[0].Std)
	}
	t.Notes = append(t.Notes, fmt.Sprintf("Ceiling: the %s after training on all %d slices of the pool, %.1f%s %% (%s, each with the seed of an initial set). It is what this training makes of all labels in its number of steps, "+
		"and no upper bound: a longer one can reach more. Its own uncertainty is not in the intervals.",
		m.long, c.Labelled, 100*c.dice(), spread, c.runsText()))
	t.Notes = append(t.Notes, "Labels: median over finished runs, interpolated between cycles; a run that does not get there counts as more than all labels, and – means that the median run does "+
		"not. Interval: of the median, between two of the runs (order statistics), which takes 6 sets; \"more\" is more than the budget.")
	if g.Pooled {
		t.Notes = append(t.Notes, "Of several recipes the mean over recipes is the value of an initial set.")
	}
	return t
}

// intervalCell prints the interval of a median number of labels.
func (r Reach) intervalCell() table.Cell {
	low, high := r.interval.Low, r.interval.High
	switch {
	case math.IsNaN(low):
		return table.Text("–")
	case math.IsInf(low, 1):
		return table.Value(1e12, "more")
	case math.IsInf(high, 1):
		return table.Value(low, "%.0f to more", low)
	}
	return table.Value(low, "%.0f to %.0f", low, high)
}

// shareFigure is the learning curves as shares of the ceiling.
func (x Experiment) shareFigure(g Group) (figure.Figure, bool) {
	dice := g.Ceiling.dice()
	if math.IsNaN(dice) {
		return figure.Figure{}, false
	}
	l := &figure.Lines{X: "labelled slices", Unit: "labelled", Y: "3D Dice (% of the ceiling)"}
	l.Panels = g.Ceiling.level(g.panels(true, 100/dice, func(st Strategy) []Point { return st.Results[0].Curve }), 1, 100)
	return figure.Figure{Name: "share", Section: sectionCurves, Title: "Learning curves as a share of the ceiling", Lines: l,
		Note: fmt.Sprintf("The 3D Dice divided by that of the ceiling (%.1f %%): mean over initial sets with its 95 %% BCa bootstrap interval.", 100*dice) + g.Ceiling.note()}, true
}

// ceilingWarnings tells of trainings on all slices that are not there.
func (g *Group) ceilingWarnings(s Source, grids []string) {
	if !s.Settings.Ceiling {
		return
	}
	runs := 0
	if g.Ceiling != nil {
		runs = g.Ceiling.Runs
	}
	if want := s.Settings.InitialSets * len(grids); runs < want {
		g.warn("unfinished", "%s, the ceiling: %d of %d trainings are not finished", record.Ceiling, want-runs, want)
	}
}
