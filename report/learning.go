package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Learning is the outcome of an experiment at a glance: the learning curve of each strategy, without comparisons.
type Learning struct {
	Folder     string           `json:"folder"`
	Finished   int              `json:"finished_units"`
	Units      int              `json:"units"`
	Ceiling    *Ceiling         `json:"ceiling,omitempty"` // nil without one
	Unit       string           `json:"distance_unit"`     // of hd95_3d and assd: mm, voxel, or mixed
	Strategies []Curve          `json:"strategies"`        // over the runs with all recipes
	Recipes    []RecipeLearning `json:"recipes,omitempty"` // of the grid, if there is one
}

// RecipeLearning is the outcome with one recipe of the grid.
type RecipeLearning struct {
	Recipe     string  `json:"recipe"`
	Strategies []Curve `json:"strategies"`
}

// Curve holds what the runs of one strategy have in common.
type Curve struct {
	Strategy string        `json:"strategy"`
	Curve    []CurvePoint  `json:"curve"`        // at each number of labels that any of its runs has
	AULC     stats.Summary `json:"aulc_dice_3d"` // area under the curve of dice_3d, over finished runs

	runs, finished []stats.Run // curves of dice_3d
	last           CurvePoint  // the last cycle that any run has got to, over the runs that have, with the fewest labels of them
	most           int         // and the most labels of them
}

// CurvePoint is the runs of a strategy at one number of labels: their measures, as means over the foreground classes. Of a run that has no cycle there
// it is the value on the straight line between two cycles; runs that do not reach so far are not in it.
type CurvePoint struct {
	Cycle    null.Float    `json:"cycle"` // of all runs that reach so far; NaN where they have no cycle there, or not the same
	Labelled int           `json:"labelled"`
	Dice3D   stats.Summary `json:"dice_3d"`
	Dice2D   stats.Summary `json:"dice_2d"`
	HD95     stats.Summary `json:"hd95_3d"`
	ASSD     stats.Summary `json:"assd"`
	Flagged  int           `json:"runs_flagged,omitempty"` // runs of whose distances some are the volume's diagonal, because one of the masks is empty
}

// Learning summarises the runs of an experiment. Cycles of unfinished runs count as far as they go.
func (s Source) Learning() Learning {
	recipes := []string{""}
	if len(s.Settings.Grid) > 0 {
		recipes = nil
		for _, r := range s.Settings.Grid {
			recipes = append(recipes, r.Name())
		}
	}
	out := Learning{
		Folder: s.Dirs[0], Units: len(recipes) * len(s.Settings.Strategies) * s.Settings.InitialSets,
		Unit: distanceUnit(s.Runs), Strategies: s.curves(recipes), Ceiling: s.ceiling(recipes),
	}
	if s.Settings.Ceiling {
		out.Units += len(recipes) * s.Settings.InitialSets
	}
	for _, r := range slices.Concat(s.Runs, s.Ceiling) {
		if s.finished(r) {
			out.Finished++
		}
	}
	if len(s.Settings.Grid) > 0 {
		for _, name := range recipes {
			out.Recipes = append(out.Recipes, RecipeLearning{name, s.curves([]string{name})})
		}
	}
	return out
}

func (s Source) finished(r record.Run) bool {
	return active.Finished(r.ActiveCycles(), s.Settings.Cycles)
}

// curves summarises, for each strategy, its runs with some recipes.
func (s Source) curves(recipes []string) (out []Curve) {
	for _, name := range s.Settings.Strategies {
		curve := Curve{Strategy: name}
		var runs []record.Run
		for _, recipe := range recipes {
			for set := range s.Settings.InitialSets {
				r, _ := record.Find(s.Runs, record.Unit{Grid: recipe, Set: set + 1, Strategy: name})
				if len(r.Cycles) == 0 {
					continue
				}
				dice := curveOf(r, func(c record.Cycle) float64 { return c.Measures.Mean.Dice3D.Value })
				runs, curve.runs = append(runs, r), append(curve.runs, dice)
				if s.finished(r) {
					curve.finished = append(curve.finished, dice)
				}
			}
		}
		curve.Curve, curve.AULC = curvePoints(runs), stats.Describe(numbers(curve.finished, stats.AULC))
		curve.last, curve.most = lastPoint(runs)
		out = append(out, curve)
	}
	return out
}

// curvePoints returns a point for each number of labels that any of the runs has.
func curvePoints(runs []record.Run) (out []CurvePoint) {
	var labels []int
	for _, r := range runs {
		for _, c := range current(r.Cycles) {
			labels = append(labels, c.Labelled)
		}
	}
	slices.Sort(labels)
	for _, labelled := range slices.Compact(labels) {
		out = append(out, pointOf(labelled, func(value func(record.Cycle) float64) (values []float64) {
			for _, r := range runs {
				if v, ok := curveOf(r, value).At(labelled); ok {
					values = append(values, v)
				}
			}
			return values
		}))
	}
	return out
}

// lastPoint returns the last cycle that any run has got to, over the runs that have, with the fewest labels of them, and the most.
func lastPoint(runs []record.Run) (p CurvePoint, most int) {
	var last []record.Cycle
	for _, r := range runs {
		c := r.Cycles[len(r.Cycles)-1]
		if len(last) > 0 && c.Cycle > last[0].Cycle {
			last = nil
		}
		if len(last) == 0 || c.Cycle == last[0].Cycle {
			last = append(last, c)
		}
	}
	if len(last) == 0 {
		return CurvePoint{}, 0
	}
	byLabels := func(a, b record.Cycle) int { return cmp.Compare(a.Labelled, b.Labelled) }
	return pointOf(slices.MinFunc(last, byLabels).Labelled, func(value func(record.Cycle) float64) (values []float64) {
		for _, c := range last {
			values = append(values, value(c))
		}
		return values
	}), slices.MaxFunc(last, byLabels).Labelled
}

// pointOf describes runs at a number of labels; of returns the values that they have there, of any number of a cycle.
func pointOf(labelled int, of func(value func(record.Cycle) float64) []float64) CurvePoint {
	describe := func(m measure) stats.Summary {
		return stats.Describe(of(func(c record.Cycle) float64 { return valueOf(c.Measures.Mean, m.name) }))
	}
	p := CurvePoint{null.Float(math.NaN()), labelled, describe(measures[0]), describe(measures[1]), describe(measures[2]), describe(measures[3]), 0}
	if cycles := of(func(c record.Cycle) float64 { return float64(c.Cycle) }); slices.Min(cycles) == slices.Max(cycles) {
		p.Cycle = null.Float(cycles[0])
	}
	for _, n := range of(func(c record.Cycle) float64 { return float64(c.Measures.Mean.HD95.Flagged) }) {
		if n > 0 {
			p.Flagged++
		}
	}
	return p
}

// at returns the 3D Dice of the runs that reach so many labels, and whether one of them has no cycle there.
func (c Curve) at(labelled int) (dice stats.Summary, between bool) {
	var values []float64
	for _, r := range c.runs {
		v, ok := r.At(labelled)
		if !ok {
			continue
		}
		values = append(values, v)
		between = between || !slices.Contains(r.Labels, labelled)
	}
	return stats.Describe(values), between
}

// rows returns the numbers of labels that the table of the curves has: those of the strategies whose runs have the same ones, or, without such a
// strategy, all.
func (l Learning) rows() []int {
	var even, all []int
	for _, s := range l.Strategies {
		uneven := slices.ContainsFunc(s.Curve, func(p CurvePoint) bool { return math.IsNaN(float64(p.Cycle)) })
		for _, p := range s.Curve {
			all = append(all, p.Labelled)
			if !uneven {
				even = append(even, p.Labelled)
			}
		}
	}
	if even == nil {
		even = all
	}
	slices.Sort(even)
	return slices.Compact(even)
}

// tables returns the 3D Dice at each number of labels, all measures of the last cycle, and of a grid the area under the curve with each
// recipe. A cell is the mean over the runs ± their standard deviation.
func (l Learning) tables() []table.Table {
	dice, hd95, assd := measure{scale: 1, digits: 3}, measures[2], measures[3]
	names := []table.Cell{table.Text("labelled")}
	for _, s := range l.Strategies {
		names = append(names, table.Text("%s", s.Strategy))
	}
	areas := func(name string, strategies []Curve) []table.Cell {
		row := []table.Cell{table.Text("%s", name)}
		for _, s := range strategies {
			row = append(row, meanStd(s.AULC, dice))
		}
		return row
	}
	curves := table.Table{Title: "dice_3d on the test cases, mean ± standard deviation over the runs", Head: [][]table.Cell{names}}
	rows, between := l.rows(), []string{}
	for _, labelled := range rows {
		row := []table.Cell{table.Text("%d", labelled)}
		for _, s := range l.Strategies {
			d, lies := s.at(labelled)
			if row = append(row, meanStd(d, dice)); lies && !slices.Contains(between, s.Strategy) {
				between = append(between, s.Strategy)
			}
		}
		curves.Rows = append(curves.Rows, row)
	}
	curves.Rows = append(curves.Rows, areas("AULC", l.Strategies))
	if len(l.Strategies) > max(6, len(rows)) { // which would be wider than a terminal
		curves = curves.Transposed("labelled")
	}
	if len(between) > 0 {
		curves.Notes = append(curves.Notes, fmt.Sprintf("The runs of %s have other numbers of labels: their values lie on straight lines between cycles, and are means of the runs that reach so far.", join(between)))
	}
	curves.Notes = append(curves.Notes, l.rangesNote()...)
	if l.Ceiling != nil {
		curves.Notes = append(curves.Notes, fmt.Sprintf("With all %d slices of the pool: %s (%s).", l.Ceiling.Labelled, meanStd(l.Ceiling.Measures[0], dice).Text, l.Ceiling.runsText()))
	}

	last := table.Table{Head: [][]table.Cell{{table.Text("last cycle"), table.Text("runs"), table.Text("labelled"), table.Text("dice_3d"), table.Text("dice_2d"),
		table.Text("hd95_3d %s", l.Unit), table.Text("assd %s", l.Unit)}}}
	flagged := false
	for _, s := range l.Strategies {
		if len(s.runs) == 0 {
			continue
		}
		p, labels := s.last, fmt.Sprint(s.last.Labelled)
		if s.most > p.Labelled {
			labels += fmt.Sprintf(" to %d", s.most)
		}
		row := []table.Cell{table.Text("%s", s.Strategy), table.Text("%d", p.Dice3D.N+p.Dice3D.Missing), table.Text("%s", labels),
			meanStd(p.Dice3D, dice), meanStd(p.Dice2D, dice), meanStd(p.HD95, hd95), meanStd(p.ASSD, assd)}
		if p.Flagged > 0 {
			flagged = true
			row[5].Marks, row[6].Marks = "*", "*"
		}
		last.Rows = append(last.Rows, row)
	}
	if flagged {
		last.Notes = []string{"* Some of these distances are the volume's diagonal, because prediction or reference was empty."}
	}
	if len(l.Recipes) == 0 {
		return []table.Table{curves, last}
	}
	recipes := table.Table{Head: [][]table.Cell{append([]table.Cell{table.Text("AULC with the recipe")}, names[1:]...)}}
	for _, r := range l.Recipes {
		recipes.Rows = append(recipes.Rows, areas(r.Recipe, r.Strategies))
	}
	return []table.Table{curves, last, recipes}
}

// rangesNote says that the areas under the curves cannot be compared, where that is so.
func (l Learning) rangesNote() []string {
	finished := map[string][]stats.Run{}
	var names []string
	for _, s := range l.Strategies {
		names, finished[s.Strategy] = append(names, s.Strategy), s.finished
	}
	if text := rangesText(names, finished); text != "" {
		return []string{table.Warning + "each AULC is over the labels of its runs, which differ, and cannot be compared with the others: " + text + "."}
	}
	return nil
}

// WriteText writes the tables for a terminal.
func (l Learning) WriteText(w io.Writer) error {
	for i, t := range l.tables() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := t.WriteText(w); err != nil {
			return err
		}
	}
	return nil
}

// figure shows the curves with a band of one standard deviation.
func (l Learning) figure() figure.Figure {
	curves := map[string][]figure.Point{}
	var names []string
	for _, s := range l.Strategies {
		names = append(names, s.Strategy)
		for _, p := range s.Curve {
			if d := p.Dice3D; d.N > 0 {
				curves[s.Strategy] = append(curves[s.Strategy], figure.Point{X: float64(p.Labelled), Mean: d.Mean, Low: max(0, d.Mean-d.Std), High: min(1, d.Mean+d.Std), N: d.N})
			}
		}
	}
	title := "3D Dice on the test cases, mean ± standard deviation over the initial sets"
	if len(l.Recipes) > 0 {
		title += " and recipes"
	}
	return figure.Figure{Name: "curves", Title: title, Lines: &figure.Lines{X: "labelled slices", Y: "3D Dice",
		Panels: l.Ceiling.on(panels(names, true, func(name string) []figure.Point { return curves[name] }), 0, 1)}}
}

// Write draws curves.png and curves.svg in the folder, and writes the numbers behind them to curves.csv.
func (l Learning) Write(dir string) error {
	if err := save(dir, "curves.csv", l.writeCSV); err != nil {
		return err
	}
	f := l.figure()
	if len(f.Lines.Panels) == 0 {
		return nil // no run has a value yet
	}
	return saveFigure(f.Name, f, func(name string, write func(io.Writer) error) error { return save(dir, name, write) })
}

// writeCSV writes one row per strategy and number of labels, for other programs. With a grid, recipe "" is all recipes together; NaN is
// an empty cell. See CurvePoint.
func (l Learning) writeCSV(w io.Writer) error {
	var b strings.Builder
	if len(l.Recipes) > 0 {
		b.WriteString("recipe,")
	}
	b.WriteString("strategy,cycle,labelled,runs,dice_3d,dice_3d_std,dice_2d,dice_2d_std,hd95_3d,hd95_3d_std,assd,assd_std,distance_unit,runs_flagged\n")
	for _, recipe := range slices.Concat([]RecipeLearning{{"", l.Strategies}}, l.Recipes) {
		for _, s := range recipe.Strategies {
			for _, p := range s.Curve {
				if len(l.Recipes) > 0 {
					fmt.Fprintf(&b, "%q,", cell.Text(recipe.Recipe))
				}
				cycle := ""
				if !math.IsNaN(float64(p.Cycle)) {
					cycle = fmt.Sprint(p.Cycle)
				}
				fmt.Fprintf(&b, "%q,%s,%d,%d", cell.Text(s.Strategy), cycle, p.Labelled, p.Dice3D.N+p.Dice3D.Missing)
				for _, m := range []stats.Summary{p.Dice3D, p.Dice2D, p.HD95, p.ASSD} {
					for _, v := range []float64{m.Mean, m.Std} {
						b.WriteByte(',')
						if !math.IsNaN(v) {
							fmt.Fprintf(&b, "%.6g", v)
						}
					}
				}
				fmt.Fprintf(&b, ",%s,%d\n", l.Unit, p.Flagged)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
