package experiment

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/stats"
)

// Report is the outcome of an experiment, read from its run folder: the learning curve of each strategy.
type Report struct {
	Folder     string           `json:"folder"`
	Finished   int              `json:"finished_units"`
	Units      int              `json:"units"`
	Unit       string           `json:"distance_unit"`     // of hd95_3d and assd: mm, voxel, or mixed
	Strategies []StrategyReport `json:"strategies"`        // over the runs with all recipes
	Recipes    []RecipeReport   `json:"recipes,omitempty"` // of the grid, if there is one
}

// RecipeReport is the outcome with one recipe of the grid.
type RecipeReport struct {
	Recipe     string           `json:"recipe"`
	Strategies []StrategyReport `json:"strategies"`
}

// StrategyReport holds what the runs of one strategy have in common.
type StrategyReport struct {
	Strategy string        `json:"strategy"`
	Curve    []Point       `json:"curve"`
	AULC     stats.Summary `json:"aulc_dice_3d"` // area under the curve of dice_3d, over finished runs
}

// Point is one cycle of a learning curve: the runs' measures, as means over the foreground classes.
type Point struct {
	Cycle    int           `json:"cycle"`
	Labelled int           `json:"labelled"`
	Dice3D   stats.Summary `json:"dice_3d"`
	Dice2D   stats.Summary `json:"dice_2d"`
	HD95     stats.Summary `json:"hd95_3d"`
	ASSD     stats.Summary `json:"assd"`
}

// Report reads the records of all units. Cycles of unfinished runs count as far as they go.
func (f *Folder) Report(c Config) (Report, error) {
	r := Report{Folder: f.Dir}
	runs := map[Unit][]active.Cycle{}
	for _, u := range c.Units() {
		done, err := f.Cycles(u)
		if err != nil {
			return Report{}, err
		}
		runs[u] = done
		r.Units++
		if active.Finished(done, c.Cycles) {
			r.Finished++
		}
		for _, cycle := range done {
			if r.Unit = cmp.Or(r.Unit, cycle.Measures.Unit); r.Unit != cycle.Measures.Unit {
				r.Unit = metrics.UnitMixed
			}
		}
	}
	r.Strategies = c.strategyReports(runs, c.recipes())
	for _, recipe := range c.Grid {
		r.Recipes = append(r.Recipes, RecipeReport{recipe.Name, c.strategyReports(runs, []string{recipe.Name})})
	}
	return r, nil
}

// strategyReports summarises, for each strategy, its runs with some recipes.
func (c Config) strategyReports(runs map[Unit][]active.Cycle, recipes []string) []StrategyReport {
	var out []StrategyReport
	for _, name := range c.Strategies {
		strategy := StrategyReport{Strategy: name}
		var cycles []active.Cycle
		var areas []float64
		for _, recipe := range recipes {
			for set := 1; set <= c.InitialSets; set++ {
				done := runs[Unit{Grid: recipe, Set: set, Strategy: name}]
				cycles = append(cycles, done...)
				if active.Finished(done, c.Cycles) {
					areas = append(areas, stats.AULC(curve(set, done)))
				}
			}
		}
		for cycle := range c.Cycles + 1 {
			if p, ok := point(cycle, cycles); ok {
				strategy.Curve = append(strategy.Curve, p)
			}
		}
		strategy.AULC = stats.Describe(areas)
		out = append(out, strategy)
	}
	return out
}

// curve returns the 3D Dice of a run against its labels.
func curve(set int, cycles []active.Cycle) stats.Run {
	run := stats.Run{Set: set}
	for _, c := range cycles {
		run.Labels = append(run.Labels, c.Labelled)
		run.Values = append(run.Values, c.Measures.Mean.Dice3D.Value)
	}
	return run
}

// point summarises one cycle over the runs that have it.
func point(cycle int, cycles []active.Cycle) (Point, bool) {
	p := Point{Cycle: cycle}
	var dice3, dice2, hd95, assd []float64
	for _, c := range cycles {
		if c.Cycle != cycle {
			continue
		}
		p.Labelled = c.Labelled
		m := c.Measures.Mean
		dice3, dice2 = append(dice3, m.Dice3D.Value), append(dice2, m.Dice2D.Value)
		hd95, assd = append(hd95, m.HD95.Value), append(assd, m.ASSD.Value)
	}
	p.Dice3D, p.Dice2D, p.HD95, p.ASSD = stats.Describe(dice3), stats.Describe(dice2), stats.Describe(hd95), stats.Describe(assd)
	return p, len(dice3) > 0
}

// WriteTable writes two tables for people: the 3D Dice of each cycle, and all measures of the last one. A cell is the
// mean over the runs ± their standard deviation.
func (r Report) WriteTable(w io.Writer) error {
	t := table{{"labelled"}}
	longest := StrategyReport{}
	for _, s := range r.Strategies {
		t[0] = append(t[0], s.Strategy)
		if len(s.Curve) > len(longest.Curve) {
			longest = s
		}
	}
	for i, p := range longest.Curve {
		row := []string{fmt.Sprint(p.Labelled)}
		for _, s := range r.Strategies {
			if i < len(s.Curve) {
				row = append(row, plusMinus(s.Curve[i].Dice3D, 3))
			} else {
				row = append(row, "-")
			}
		}
		t = append(t, row)
	}
	area := []string{"AULC"}
	for _, s := range r.Strategies {
		area = append(area, plusMinus(s.AULC, 3))
	}
	t = append(t, area)

	last := table{{"last cycle", "runs", "labelled", "dice_3d", "dice_2d", "hd95_3d " + r.Unit, "assd " + r.Unit}}
	for _, s := range r.Strategies {
		if len(s.Curve) == 0 {
			continue
		}
		p := s.Curve[len(s.Curve)-1]
		last = append(last, []string{s.Strategy, fmt.Sprint(p.Dice3D.N + p.Dice3D.Missing), fmt.Sprint(p.Labelled),
			plusMinus(p.Dice3D, 3), plusMinus(p.Dice2D, 3), plusMinus(p.HD95, 1), plusMinus(p.ASSD, 2)})
	}
	text := fmt.Sprintf("dice_3d on the test cases, mean ± standard deviation over the runs\n\n%s\n%s", t, last)
	if len(r.Recipes) > 0 {
		areas := table{append([]string{"AULC with the recipe"}, t[0][1:]...)}
		for _, recipe := range r.Recipes {
			row := []string{recipe.Recipe}
			for _, s := range recipe.Strategies {
				row = append(row, plusMinus(s.AULC, 3))
			}
			areas = append(areas, row)
		}
		text += "\n" + areas.String()
	}
	_, err := io.WriteString(w, text)
	return err
}

// plusMinus formats a mean with the standard deviation, where there is one.
func plusMinus(s stats.Summary, digits int) string {
	switch {
	case s.N == 0:
		return "-"
	case math.IsNaN(s.Std):
		return fmt.Sprintf("%.*f", digits, s.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, s.Mean, digits, s.Std)
}

// table is rows of cells; the first row is the heading.
type table [][]string

// String lines the columns up, the first to the left, the others to the right.
func (t table) String() string {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range t {
		for i, cell := range row {
			gap := strings.Repeat(" ", width[i]-len([]rune(cell)))
			switch i {
			case 0:
				b.WriteString(cell + gap)
			default:
				b.WriteString("   " + gap + cell)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// WriteCSV writes one row per strategy and cycle, for other programs. With a grid, recipe "" is all recipes together.
func (r Report) WriteCSV(w io.Writer) error {
	var b strings.Builder
	if len(r.Recipes) > 0 {
		b.WriteString("recipe,")
	}
	b.WriteString("strategy,cycle,labelled,runs,dice_3d,dice_3d_std,dice_2d,dice_2d_std,hd95_3d,hd95_3d_std,assd,assd_std,distance_unit\n")
	for _, recipe := range append([]RecipeReport{{"", r.Strategies}}, r.Recipes...) {
		for _, s := range recipe.Strategies {
			for _, p := range s.Curve {
				if len(r.Recipes) > 0 {
					fmt.Fprintf(&b, "%q,", recipe.Recipe)
				}
				fmt.Fprintf(&b, "%q,%d,%d,%d", s.Strategy, p.Cycle, p.Labelled, p.Dice3D.N+p.Dice3D.Missing)
				for _, m := range []stats.Summary{p.Dice3D, p.Dice2D, p.HD95, p.ASSD} {
					fmt.Fprintf(&b, ",%s,%s", number(m.Mean), number(m.Std))
				}
				fmt.Fprintf(&b, ",%s\n", r.Unit)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// number formats a value for CSV, where NaN is an empty cell.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%.6g", v)
}
