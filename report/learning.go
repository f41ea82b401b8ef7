package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/internal/cell"
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
	Curve    []CurvePoint  `json:"curve"`
	AULC     stats.Summary `json:"aulc_dice_3d"` // area under the curve of dice_3d, over finished runs
}

// CurvePoint is one cycle of a learning curve: the runs' measures, as means over the foreground classes.
type CurvePoint struct {
	Cycle    int           `json:"cycle"`
	Labelled int           `json:"labelled"`
	Dice3D   stats.Summary `json:"dice_3d"`
	Dice2D   stats.Summary `json:"dice_2d"`
	HD95     stats.Summary `json:"hd95_3d"`
	ASSD     stats.Summary `json:"assd"`
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
		var areas []float64
		byCycle := make([][]record.Cycle, s.Settings.Cycles+1)
		for _, recipe := range recipes {
			for set := range s.Settings.InitialSets {
				r, _ := record.Find(s.Runs, record.Unit{Grid: recipe, Set: set + 1, Strategy: name})
				for i, c := range r.Cycles[:min(len(r.Cycles), len(byCycle))] {
					byCycle[i] = append(byCycle[i], c)
				}
				if s.finished(r) {
					areas = append(areas, stats.AULC(dice3D(r)))
				}
			}
		}
		for cycle, all := range byCycle {
			if len(all) > 0 {
				curve.Curve = append(curve.Curve, curvePoint(cycle, all))
			}
		}
		curve.AULC = stats.Describe(areas)
		out = append(out, curve)
	}
	return out
}

// dice3D returns the 3D Dice of a run against its labels.
func dice3D(r record.Run) stats.Run {
	run := stats.Run{Set: r.Set}
	for _, c := range r.Cycles {
		run.Labels = append(run.Labels, c.Labelled)
		run.Values = append(run.Values, c.Measures.Mean.Dice3D.Value)
	}
	return run
}

// curvePoint summarises one cycle over the runs that have it.
func curvePoint(cycle int, runs []record.Cycle) CurvePoint {
	describe := func(m measure) stats.Summary {
		var values []float64
		for _, c := range runs {
			values = append(values, valueOf(c.Measures.Mean, m.name))
		}
		return stats.Describe(values)
	}
	return CurvePoint{cycle, runs[len(runs)-1].Labelled, describe(measures[0]), describe(measures[1]), describe(measures[2]), describe(measures[3])}
}

// tables returns the 3D Dice of each cycle, all measures of the last one, and of a grid the area under the curve with each
// recipe. A cell is the mean over the runs ± their standard deviation.
func (l Learning) tables() []table.Table {
	dice, hd95, assd := measure{scale: 1, digits: 3}, measures[2], measures[3]
	names := []table.Cell{table.Text("labelled")}
	longest := Curve{}
	for _, s := range l.Strategies {
		names = append(names, table.Text("%s", s.Strategy))
		if len(s.Curve) > len(longest.Curve) {
			longest = s
		}
	}
	areas := func(name string, strategies []Curve) []table.Cell {
		row := []table.Cell{table.Text("%s", name)}
		for _, s := range strategies {
			row = append(row, meanStd(s.AULC, dice))
		}
		return row
	}
	curves := table.Table{Title: "dice_3d on the test cases, mean ± standard deviation over the runs", Head: [][]table.Cell{names}}
	for i, p := range longest.Curve {
		row := []table.Cell{table.Text("%d", p.Labelled)}
		for _, s := range l.Strategies {
			if i < len(s.Curve) {
				row = append(row, meanStd(s.Curve[i].Dice3D, dice))
			} else {
				row = append(row, table.Text("–"))
			}
		}
		curves.Rows = append(curves.Rows, row)
	}
	curves.Rows = append(curves.Rows, areas("AULC", l.Strategies))
	if len(l.Strategies) > max(6, len(longest.Curve)) { // which would be wider than a terminal
		curves = curves.Transposed("labelled")
	}
	if l.Ceiling != nil {
		curves.Notes = []string{fmt.Sprintf("With all %d slices of the pool: %s (%s).", l.Ceiling.Labelled, meanStd(l.Ceiling.Measures[0], dice).Text, l.Ceiling.runsText())}
	}

	last := table.Table{Head: [][]table.Cell{{table.Text("last cycle"), table.Text("runs"), table.Text("labelled"), table.Text("dice_3d"), table.Text("dice_2d"),
		table.Text("hd95_3d %s", l.Unit), table.Text("assd %s", l.Unit)}}}
	for _, s := range l.Strategies {
		if len(s.Curve) == 0 {
			continue
		}
		p := s.Curve[len(s.Curve)-1]
		last.Rows = append(last.Rows, []table.Cell{table.Text("%s", s.Strategy), table.Text("%d", p.Dice3D.N+p.Dice3D.Missing), table.Text("%d", p.Labelled),
			meanStd(p.Dice3D, dice), meanStd(p.Dice2D, dice), meanStd(p.HD95, hd95), meanStd(p.ASSD, assd)})
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

// writeCSV writes one row per strategy and cycle, for other programs. With a grid, recipe "" is all recipes together; NaN is
// an empty cell.
func (l Learning) writeCSV(w io.Writer) error {
	var b strings.Builder
	if len(l.Recipes) > 0 {
		b.WriteString("recipe,")
	}
	b.WriteString("strategy,cycle,labelled,runs,dice_3d,dice_3d_std,dice_2d,dice_2d_std,hd95_3d,hd95_3d_std,assd,assd_std,distance_unit\n")
	for _, recipe := range slices.Concat([]RecipeLearning{{"", l.Strategies}}, l.Recipes) {
		for _, s := range recipe.Strategies {
			for _, p := range s.Curve {
				if len(l.Recipes) > 0 {
					fmt.Fprintf(&b, "%q,", cell.Text(recipe.Recipe))
				}
				fmt.Fprintf(&b, "%q,%d,%d,%d", cell.Text(s.Strategy), p.Cycle, p.Labelled, p.Dice3D.N+p.Dice3D.Missing)
				for _, m := range []stats.Summary{p.Dice3D, p.Dice2D, p.HD95, p.ASSD} {
					for _, v := range []float64{m.Mean, m.Std} {
						b.WriteByte(',')
						if !math.IsNaN(v) {
							fmt.Fprintf(&b, "%.6g", v)
						}
					}
				}
				fmt.Fprintf(&b, ",%s\n", l.Unit)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
