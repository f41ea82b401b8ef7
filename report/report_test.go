package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
)

// makeRun returns a run with these 3D Dice values at 10, 20, … labels; the other measures follow from them.
func makeRun(grid, strategy string, set int, dice ...float64) record.Run {
	r := record.Run{Unit: record.Unit{Grid: grid, Strategy: strategy, Set: set}}
	for i, d := range dice {
		m := func(v float64) metrics.Measure { return metrics.Measure{Value: v, N: 2} }
		class := metrics.ClassSummary{Class: 1, Name: "gland", Dice3D: m(d), Dice2D: m(d / 2), HD95: m(10 * (1 - d)), ASSD: m(1 - d)}
		mean := class
		mean.Class, mean.Name = -1, "mean"
		r.Cycles = append(r.Cycles, record.Cycle{Cycle: i, Labelled: 10 * (i + 1), Measures: metrics.Summary{Classes: []metrics.ClassSummary{class}, Mean: mean, Unit: "mm", Cases: 2}})
	}
	return r
}

func source(sets, cycles int, strategies []string, runs ...record.Run) Source {
	return Source{Name: "x", Settings: Settings{Strategies: strategies, InitialSets: sets, InitialSize: 10, QuerySize: 10, Cycles: cycles}, Runs: runs}
}

func analyseOne(t *testing.T, s Source) Experiment {
	t.Helper()
	r, err := Analyse([]Source{s}, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	return r.Experiments[0]
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Two strategies, six sets, two cycles: every number of the report is worked out by hand.
func TestByHand(t *testing.T) {
	var runs []record.Run
	for set := 1; set <= 6; set++ {
		base := 0.4 + 0.01*float64(set) // 0.41 … 0.46
		runs = append(runs,
			makeRun("", "random", set, base, base+0.2),
			makeRun("", "entropy", set, base, base+0.1),
			makeRun("", "entropy+sb", set, base, base+0.2+0.01*float64(set)))
	}
	x := analyseOne(t, source(6, 1, []string{"random", "entropy", "entropy+sb"}, runs...))
	g := x.Groups[0]

	// random: cycle 0 has 0.41 … 0.46, mean 0.435; cycle 1 0.2 more. All cycles together: mean 0.535, and with 12 values
	// the squares are 2·(2·(0.005² + 0.015² + 0.025²)) + 12·0.1² = 0.0035 + 0.12.
	random, _ := g.find("random")
	near(t, "mean of all cycles", random.Results[0].Cells.Mean, 0.535)
	near(t, "its standard deviation", random.Results[0].Cells.Std, math.Sqrt(0.1235/11))
	near(t, "AULC of random", random.Results[0].AULC.Mean, 0.535) // (0.435 + 0.635) / 2
	near(t, "final of random", random.Results[0].Final.Mean, 0.635)
	near(t, "HD95", random.Results[2].Cells.Mean, 4.65)
	if cells := x.paperTable(g).Rows[0]; cells[1].Text != "53.5 ± 10.6" { // sqrt(0.1235/11) = 0.10596
		t.Errorf("cell %q", cells[1].Text)
	}

	// entropy+sb - entropy: in AULC (0.2 + 0.01·set - 0.1) / 2, that is 0.055 … 0.08, mean 0.0675; all six positive, so
	// both exact p are 2/2⁶ = 0.03125; one row in its table, so Holm changes nothing.
	c := g.Comparisons[0]
	if c.Question != QuestionBatches || !c.main() || len(c.Rows) != 1 {
		t.Fatalf("first comparison %+v", c)
	}
	row := c.Rows[0]
	near(t, "difference", row.Difference.Mean, 0.0675)
	near(t, "sign-flip p", row.SignFlip.P, 0.03125)
	near(t, "Holm", float64(row.HolmSignFlip), 0.03125)
	near(t, "Wilcoxon p", row.Wilcoxon.P, 0.03125)
	if row.Better != 6 || !row.significant() {
		t.Errorf("better in %d, significant %v", row.Better, row.significant())
	}
	if got := signed(row.Difference.Mean, measures[0]); got != "+6.75" {
		t.Errorf("printed as %s", got)
	}

	// Against random there are two rows. All of entropy's differences are -0.05, so p is 2/64, times two: 0.0625. Those of
	// entropy+sb are 0.005 … 0.03: the same. Neither is below 0.05.
	c = g.Comparisons[slices.IndexFunc(g.Comparisons, func(c Comparisons) bool { return c.Question == QuestionRandom && c.main() })]
	for i, want := range []float64{-0.05, 0.0175} {
		near(t, "difference to random", c.Rows[i].Difference.Mean, want)
		near(t, "Holm", float64(c.Rows[i].HolmSignFlip), 0.0625)
	}
	if !slices.ContainsFunc(c.Warnings, func(w stats.Warning) bool { return w.Kind == "holm-floor" }) {
		t.Errorf("two rows of six sets cannot be significant, but no warning says so: %v", c.Warnings)
	}
	// For HD95 lower is better: the same comparison, -10 times the difference, and as significant.
	if got := g.marks("entropy+sb", metrics.NameHD95); got != "*" {
		t.Errorf("marks of entropy+sb on HD95: %q", got)
	}
	if got := g.marks("entropy", metrics.NameDice3D); got != "" {
		t.Errorf("marks of entropy: %q", got)
	}

	// Labels to 0.635, the final mean of random: sets 1 … 3 of random end below it; set 4 at 0.64 reaches it at
	// 10 + 10·(0.635-0.44)/0.2 = 19.75. Of 6 runs 3 reach it, so the median does not.
	r := random.Results[0].Reach
	if r.Reached != 3 || r.Runs != 6 || !math.IsNaN(float64(r.Median)) {
		t.Errorf("random reaches it in %+v", r)
	}
	// entropy+sb: set s starts at 0.40+0.01s and rises by 0.2+0.01s; set 1 ends at 0.62 and 2 at 0.64. In the labels of
	// sets 2 … 6 and ∞ the middle is that of sets 3 and 4.
	batches, _ := g.find("entropy+sb")
	at := func(s float64) float64 { return 10 + 10*(0.635-0.4-0.01*s)/(0.2+0.01*s) }
	r = batches.Results[0].Reach
	if r.Reached != 5 {
		t.Errorf("entropy+sb reaches it in %+v", r)
	}
	near(t, "median labels", float64(r.Median), (at(3)+at(4))/2)

	// At 20 labels entropy+sb is ahead of random by 0.01 … 0.06.
	d := batches.Results[0].Difference
	near(t, "difference at 10", float64(d[0].Mean), 0)
	near(t, "difference at 20", float64(d[1].Mean), 0.035)
}

// The value of an initial set with several recipes is the mean over them, and a set that lacks one has none.
func TestRecipes(t *testing.T) {
	var runs []record.Run
	for set := 1; set <= 3; set++ {
		for i, grid := range []string{"lr=1", "lr=2"} {
			if set == 3 && i == 1 {
				continue
			}
			runs = append(runs, makeRun(grid, "random", set, 0.5, 0.6+0.1*float64(i)), makeRun(grid, "entropy", set, 0.5, 0.7+0.2*float64(i)))
		}
	}
	s := source(3, 1, []string{"random", "entropy"}, runs...)
	s.Settings.Grid = []Recipe{{"name": "lr=1"}, {"name": "lr=3"}, {"name": "lr=2", "steps": 7}}
	x := analyseOne(t, s)
	if len(x.Groups) != 3 || x.Groups[0].Grid != "lr=1" || !x.Groups[2].Pooled {
		t.Fatalf("%d groups", len(x.Groups))
	}
	pooled := x.Groups[2]
	random, _ := pooled.find("random")
	if a := random.Results[0].AULC; a.N != 2 || a.Missing != 0 {
		t.Errorf("%d sets have both recipes and %d have no value, want 2 and none", a.N, a.Missing)
	}
	near(t, "AULC over recipes", random.Results[0].AULC.Mean, (0.5+0.65)/2)
	row := pooled.Comparisons[0].Rows[0]
	if diff := cmp.Diff([]int{1, 2}, row.Sets); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
	near(t, "difference", row.Difference.Mean, 0.075) // of 0.8 and 0.65 in the last cycle, halved
	tables := x.recipesTables(pooled)
	if got := tables[0].Rows[0]; got[0].Text != "entropy − random" || !strings.HasPrefix(got[1].Text, "+5.00 ") || !strings.HasPrefix(got[2].Text, "+10.00 ") || got[3].Text != "2 of 2" {
		t.Errorf("%+v", got)
	}
	if !slices.ContainsFunc(pooled.Warnings, func(w stats.Warning) bool { return w.Kind == "unfinished" }) {
		t.Errorf("a missing run without a warning: %v", pooled.Warnings)
	}
	if w := pooled.Warnings[len(pooled.Warnings)-1]; w.Kind != "missing-recipe" || !strings.Contains(w.Text, "lr=3") {
		t.Errorf("a missing recipe without a warning: %v", pooled.Warnings)
	}
	other := s
	other.Settings.Grid = []Recipe{{"name": "lr=2", "steps": 8}}
	if err := s.join(other); err == nil || !strings.Contains(err.Error(), "lr=2") {
		t.Errorf("two recipes of one name were joined: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	lost := makeRun("", "entropy", 2, 0.5) // one cycle of two
	lost.Cycles[0].Query = []string{"a/001"}
	lost.Cycles[0].Measures.Mean.HD95.Flagged = 1
	lost.Cycles[0].Measures.Mean.Dice3D.Undefined = 2
	x := analyseOne(t, source(2, 1, []string{"entropy", "dropout"}, makeRun("", "entropy", 1, 0.5, 0.6), lost))
	var kinds []string
	for _, w := range x.Groups[0].Warnings {
		kinds = append(kinds, w.Kind)
	}
	want := []string{"missing-strategy", "unfinished", "no-random", stats.WarnFewSets, "empty-prediction", "undefined"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b strings.Builder
	if err := (Report{[]Experiment{x}}).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no run yet of dropout", "1 of 2 runs of entropy are missing or not finished", "1 of 6 distances (16.7 %)", "use 6 or more"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	want = []string{"entropy and dropout, dropout and random: fewer than two sets in common at 2 of 3 budgets, which count as no win", "entropy and random: fewer than two sets in common at 1 of 3 budgets, which count as no win"}
	x = analyseOne(t, source(2, 2, []string{"entropy", "dropout", "random"}, makeRun("", "entropy", 1, 0.5, 0.6, 0.7), makeRun("", "entropy", 2, 0.5, 0.6, math.NaN()),
		makeRun("", "random", 1, 0.5, 0.6, 0.7), makeRun("", "random", 2, 0.5, 0.6, 0.7), makeRun("", "dropout", 1, 0.5, 0.6, 0.7), makeRun("", "dropout", 2, 0.5, math.NaN(), math.NaN())))
	var told []string
	for _, w := range x.Groups[0].Pairwise.Warnings {
		told = append(told, w.Text)
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Analyse([]Source{source(1, 1, nil)}, Options{}); err == nil {
		t.Error("a report of nothing was made")
	}
}

func TestJoin(t *testing.T) {
	a := source(1, 1, []string{"random"}, makeRun("", "random", 1, 0.5))
	b := source(2, 1, []string{"random", "entropy"}, makeRun("", "random", 1, 0.5, 0.6), makeRun("", "entropy", 1, 0.4, 0.5))
	if err := a.join(b); err != nil {
		t.Fatal(err)
	}
	if len(a.Runs) != 2 || len(a.Runs[0].Cycles) != 2 || a.Settings.InitialSets != 2 || len(a.Settings.Strategies) != 2 {
		t.Errorf("%+v", a)
	}
	if err := a.join(source(1, 1, nil, makeRun("", "random", 1, 0.51))); err == nil || !strings.Contains(err.Error(), "random, set 1, cycle 0 differs") {
		t.Errorf("got %v", err)
	}
}

// A difference of one initial set has no interval, and no table prints one of NaN.
func TestNoInterval(t *testing.T) {
	var runs []record.Run
	for i, grid := range []string{"same", "wide"} {
		runs = append(runs, makeRun(grid, "random", 1, 0.5, 0.6), makeRun(grid, "entropy", 1, 0.5, 0.7+0.1*float64(i)))
	}
	s := source(1, 1, []string{"random", "entropy"}, runs...)
	s.Settings.Grid = []Recipe{{"name": "same"}, {"name": "wide", "width": 4}}
	x := analyseOne(t, s)
	if row := x.recipesTables(x.Groups[2])[0].Rows[0]; row[1].Text != "+5.00" || row[2].Text != "+10.00" {
		t.Errorf("%+v", row)
	}
	for _, g := range x.Groups {
		for _, one := range x.Tables(g) {
			var b strings.Builder
			if err := one.WriteMarkdown(&b); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "NaN") {
				t.Error(b.String())
			}
		}
		if text := strings.Join(x.Findings(g), " "); strings.Contains(text, "NaN") {
			t.Error(text)
		}
	}
}

// The runs of a row are not always those behind a number: a set that lacks a recipe, and a value that is not there, are left out, and the cell says how many are left.
func TestNumberBehind(t *testing.T) {
	diagram := func(r record.Run, accuracy float64) record.Run {
		r.Cycles[1].Calibration = []metrics.Bin{{Pixels: 1000, Confidence: 0.9, Accuracy: accuracy}}
		return r
	}
	var runs []record.Run
	for set := 1; set <= 3; set++ {
		for i, grid := range []string{"same", "wide"} {
			r := diagram(makeRun(grid, "random", set, 0.5, 0.6), 0.9-0.1*float64(i)-0.1*float64(set))
			runs = append(runs, r)
			if set < 3 || i == 0 {
				r := diagram(makeRun(grid, "entropy", set, 0.5, 0.7), 0.8)
				if set == 1 && i == 0 {
					r.Cycles[1].Measures.Mean.HD95.Value = math.NaN()
				}
				runs = append(runs, r)
			}
		}
	}
	s := source(3, 1, []string{"random", "entropy"}, runs...)
	s.Settings.Grid = []Recipe{{"name": "same"}, {"name": "wide", "width": 4}}
	x := analyseOne(t, s)
	texts := func(g Group) (rows [][]string) {
		for _, row := range x.runsTable(g).Rows {
			var texts []string
			for _, c := range row[:9] {
				texts = append(texts, c.Text)
			}
			rows = append(rows, texts)
		}
		return rows
	}
	// ECE with "same" is 0.1, 0.2, 0.3 and with "wide" 0.2, 0.3, 0.4: of all recipes that of a set is 0.15, 0.25, 0.35.
	want := [][][]string{{
		{"random", "3", "55.0 ± 0.0", "55.0 to 55.0", "60.0 ± 0.0", "30.0 ± 0.0", "4.0 ± 0.0", "0.40 ± 0.00", "20.0 ± 10.0"},
		{"entropy", "3", "60.0 ± 0.0", "60.0 to 60.0", "70.0 ± 0.0", "35.0 ± 0.0", "3.0 ± 0.0 (n = 2)", "0.30 ± 0.00", "10.0 ± 0.0"},
	}, nil, {
		{"random", "6", "55.0 ± 0.0", "55.0 to 55.0", "60.0 ± 0.0", "30.0 ± 0.0", "4.0 ± 0.0", "0.40 ± 0.00", "25.0 ± 10.0"},
		{"entropy", "5", "60.0 ± 0.0 (n = 2)", "60.0 to 60.0", "70.0 ± 0.0 (n = 2)", "35.0 ± 0.0 (n = 2)", "3.0 (n = 1)", "0.30 ± 0.00 (n = 2)", "10.0 ± 0.0 (n = 2)"},
	}}
	for _, i := range []int{0, 2} {
		if diff := cmp.Diff(want[i], texts(x.Groups[i])); diff != "" {
			t.Errorf("group %d (-want +got):\n%s", i, diff)
		}
		if notes := strings.Join(x.runsTable(x.Groups[i]).Notes, " "); !strings.Contains(notes, "n in brackets") {
			t.Error(notes)
		}
	}
	if c := x.paperTable(x.Groups[0]).Rows[2][2]; c.Text != "4.2 ± 1.1 (n = 5)" { // 5, 5, 3, 5 and 3 of six cycles
		t.Errorf("HD95 over all cycles: %+v", c)
	}
	if notes := strings.Join(x.runsTable(x.Groups[1]).Notes, " "); strings.Contains(notes, "n in brackets") {
		t.Error("the two runs of entropy with wide have all values: " + notes)
	}
}

// Slices that nobody has annotated are no slices without the class: a table does not count them as 1.
func TestEmptyAsOne(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		change func(*Source)
		rows   int
	}{
		"all annotated": {func(*Source) {}, 1},
		"ignored":       {func(s *Source) { s.Settings.Ignore = 255 }, 0},
		"unannotated":   {func(s *Source) { s.Data.Unannotated = map[string][]string{"b": {"gland"}} }, 0},
		"counted as 1":  {func(s *Source) { s.Settings.Empty = metrics.EmptyOne }, 0},
	} {
		s := source(1, 1, []string{"random", "entropy"}, makeRun("", "random", 1, 0.5, 0.6), makeRun("", "entropy", 1, 0.5, 0.6))
		s.Settings.Empty = metrics.EmptyUndefined
		c.change(&s)
		r, err := Analyse([]Source{s}, Options{Draws: 10, BesidePaper: &yes})
		if err != nil {
			t.Fatal(err)
		}
		x, rows := r.Experiments[0], 0
		one := x.paperTable(x.Groups[0])
		for _, row := range one.Rows {
			if strings.Contains(row[0].Text, "empty as 1") {
				rows++
			}
		}
		told := strings.Contains(strings.Join(one.Notes, " "), "are not slices without the class")
		if rows != c.rows || told != (name == "ignored" || name == "unannotated") {
			t.Errorf("%s: %d rows, %q", name, rows, one.Notes)
		}
	}
}
