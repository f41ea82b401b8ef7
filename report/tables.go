package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// heading names a group in titles.
func (x Experiment) heading(g Group) string {
	switch {
	case g.Pooled:
		return fmt.Sprintf("%s, all %d recipes", x.Name, g.Recipes)
	case g.Grid != "":
		return x.Name + ", " + g.Grid
	}
	return x.Name
}

// mainTables returns the tables of a group that answer the first questions.
func (x Experiment) mainTables(g Group) []table.Table {
	tables := []table.Table{x.paperTable(g)}
	for _, c := range g.Comparisons {
		if c.main() {
			tables = append(tables, x.comparisonTable(g, c))
		}
	}
	tables = append(append(tables, x.recipesTables(g)...), x.runsTable(g))
	if g.hasShares() {
		tables = append(tables, x.ceilingTable(g))
	}
	return tables
}

// Tables returns the tables of a group in the order in which they are read.
func (x Experiment) Tables(g Group) []table.Table {
	tables := x.mainTables(g)
	if len(g.Strategies) > 1 {
		tables = append(tables, x.pairwiseTable(g))
	}
	tables = append(tables, x.picksTables(g)...)
	for _, c := range g.Comparisons {
		if !c.main() {
			tables = append(tables, x.comparisonTable(g, c))
		}
	}
	return tables
}

// main reports whether a comparison is on the number that strategies are first compared on.
func (c Comparisons) main() bool { return c.Measure == measures[0].name && c.Number == NumberAULC }

// widest is the most strategies that stand side by side; more have a row each.
const widest = 10

// paperTable is the table in the paper's layout: mean ± standard deviation over all cycles of all runs, without and with
// stochastic batches side by side, or one under the other where they are many.
func (x Experiment) paperTable(g Group) table.Table {
	t := table.Table{Name: "table", Title: x.heading(g) + ": mean over all cycles ± standard deviation", Head: [][]table.Cell{{table.Text("")}, {table.Text("")}}}
	var columns []string
	if _, ok := g.find(Baseline); ok {
		columns = append(columns, Baseline)
		t.Head[0], t.Head[1] = append(t.Head[0], table.Text("RS")), append(t.Head[1], table.Text(""))
	}
	for _, f := range families(g.names()) {
		t.Head[0] = append(t.Head[0], table.Cell{Text: f.title(), Span: len(f.members)})
		for _, m := range f.members {
			columns = append(columns, m)
			t.Head[1] = append(t.Head[1], table.Text("%s", f.column(m)))
		}
	}
	used := map[string]bool{}
	for i, m := range measures[:3] {
		row := []table.Cell{table.Text("%s (%s)", m.short, m.unit(x.DistanceUnit))}
		paper := []table.Cell{{Text: "  " + publishedRow, Row: publishedRow}}
		for _, name := range columns {
			st, _ := g.find(name)
			c := meanStd(st.Results[i].Cells, m)
			if missing := st.Results[i].Cells.Missing; missing > 0 {
				c = withN(c, st.Results[i].Cells)
			}
			c.Marks = g.marks(name, m.name)
			for _, mark := range c.Marks {
				used[string(mark)] = true
			}
			row = append(row, c)
			if p, ok := published[m.name][name]; ok {
				paper = append(paper, table.Text("%s", p))
			} else {
				paper = append(paper, table.Text("–"))
			}
		}
		t.Rows = append(t.Rows, row)
		if x.BesidePaper {
			if m.name == metrics.NameDice2D && x.Settings.Empty != metrics.EmptyOne && x.tellsEmpty() {
				t.Rows = append(t.Rows, g.emptyAsOne(m, columns))
			}
			t.Rows = append(t.Rows, paper)
		}
	}
	t.Notes = append(t.Notes, fmt.Sprintf("Mean ± sample standard deviation over every cycle of every finished run (%s), of the mean over foreground classes. "+
		"The ± holds the rise of the learning curve and is no error of the mean. RS: random sampling; SB: stochastic batches.", x.sizes(g)))
	if x.BesidePaper {
		t.Notes = append(t.Notes, publishedNote)
		if !x.tellsEmpty() {
			t.Notes = append(t.Notes, "There is no such row here: in these data voxels are ignored, or classes were not looked for in all cases, and slices without a value for that are not slices without the class.")
		}
	}
	t.Notes = append(t.Notes, g.markNotes(used)...)
	t.Notes = append(t.Notes, warningNotes(g.Warnings)...)
	if len(columns) > widest {
		t.Head = [][]table.Cell{{table.Text("")}}
		for _, name := range columns {
			t.Head[0] = append(t.Head[0], table.Text("%s", name))
		}
		return t.Transposed("strategy")
	}
	return t
}

// tellsEmpty reports whether a slice without a 2D Dice is one that is empty in both masks. Slices all of whose voxels are ignored, and all slices of a case
// in which nobody has looked for the class, have none either, and a record counts them together. That voxels are ignored is known from the configuration
// (ignore), that classes are not annotated from data.json; a label to ignore that dataset.json alone names, or a segment called so, is in neither.
func (x Experiment) tellsEmpty() bool { return x.Settings.Ignore == 0 && len(x.Data.Unannotated) == 0 }

// emptyAsOne returns the row of the 2D Dice by the rule of the paper's code.
func (g Group) emptyAsOne(m measure, columns []string) []table.Cell {
	row := []table.Cell{table.Text("%s, empty as 1 (%s)", m.short, m.unit(""))}
	for _, name := range columns {
		st, _ := g.find(name)
		row = append(row, meanStd(st.dice2DOne, m))
	}
	return row
}

// sizes says what the runs of a group are.
func (x Experiment) sizes(g Group) string {
	least, most := math.MaxInt, 0
	for _, st := range g.Strategies {
		least, most = min(least, st.Finished), max(most, st.Finished)
	}
	runs := fmt.Sprint(most)
	if least != most {
		runs = fmt.Sprintf("%d to %d", least, most)
	}
	text := fmt.Sprintf("%s runs per strategy", runs)
	if g.Pooled {
		text += fmt.Sprintf(", %d recipes", g.Recipes)
	}
	s := x.Settings
	return text + fmt.Sprintf("; %d + %d × %d labelled slices", s.InitialSize, s.Cycles, s.QuerySize)
}

func (g Group) names() (names []string) {
	for _, st := range g.Strategies {
		names = append(names, st.Name)
	}
	return names
}

// The marks of significance, by question and direction.
var marks = []struct {
	mark, question string
	sign           float64
	text           string
}{
	{"*", QuestionBatches, 1, "better than the same score without stochastic batches"},
	{"§", QuestionBatches, -1, "worse than the same score without stochastic batches"},
	{"†", QuestionRandom, 1, "better than random"},
	{"‡", QuestionRandom, -1, "worse than random"},
}

// marks returns the marks of a strategy on a measure.
func (g Group) marks(name, measure string) string {
	var out string
	for _, mark := range marks {
		for _, c := range g.Comparisons {
			if c.Question != mark.question || c.Measure != measure || c.Number != NumberAULC {
				continue
			}
			for _, r := range c.Rows {
				if r.A == name && r.significant() && r.Difference.Mean*measureOf(measure).better()*mark.sign > 0 {
					out += mark.mark
				}
			}
		}
	}
	return out
}

// markNotes names the test, its unit and its n for each mark of a table.
func (g Group) markNotes(used map[string]bool) (notes []string) {
	for _, mark := range marks {
		if !used[mark.mark] {
			continue
		}
		i := slices.IndexFunc(g.Comparisons, func(c Comparisons) bool { return c.Question == mark.question && c.main() })
		c := g.Comparisons[i]
		notes = append(notes, fmt.Sprintf("%s %s: p < %g, %s on the AULC of the measure, paired by initial set (%s), Holm-corrected over %s.",
			mark.mark, mark.text, alpha, c.testName(), c.setsText(), rowsText(len(c.Rows))))
	}
	if len(used) == 0 && len(g.Comparisons) > 0 {
		notes = append(notes, fmt.Sprintf("No star: no difference in AULC has p < %g by the sign-flip test paired by initial set after Holm correction.", alpha))
	}
	return notes
}

func (c Comparisons) testName() string {
	for _, r := range c.Rows {
		if !r.SignFlip.Exact && r.SignFlip.N > 0 {
			return fmt.Sprintf("two-sided sign-flip test (%d random flips)", r.SignFlip.Draws)
		}
	}
	return "exact two-sided sign-flip test"
}

// setsText gives the pairs behind the rows.
func (c Comparisons) setsText() string {
	least, most := math.MaxInt, 0
	for _, r := range c.Rows {
		least, most = min(least, len(r.Sets)), max(most, len(r.Sets))
	}
	if least == most {
		return fmt.Sprintf("n = %d sets", most)
	}
	return fmt.Sprintf("n = %d to %d sets", least, most)
}

func rowsText(n int) string {
	if n == 1 {
		return "the one comparison of its kind (no correction)"
	}
	return fmt.Sprintf("the %d comparisons of its kind", n)
}

func warningNotes(warnings []stats.Warning) (notes []string) {
	for _, w := range warnings {
		notes = append(notes, table.Warning+w.Text+".")
	}
	return notes
}

// meanStd prints a mean with its standard deviation.
func meanStd(s stats.Summary, m measure) table.Cell {
	if s.N == 0 {
		return table.Text("–")
	}
	if math.IsNaN(s.Std) {
		return table.Value(s.Mean, "%.*f", m.digits, m.scale*s.Mean)
	}
	return table.Value(s.Mean, "%.*f ± %.*f", m.digits, m.scale*s.Mean, m.digits, m.scale*s.Std)
}

// withN adds to the cell of a summary how many values are behind it.
func withN(c table.Cell, s stats.Summary) table.Cell {
	if s.N > 0 {
		c.Text += fmt.Sprintf(" (n = %d)", s.N)
	}
	return c
}

// perRun prints the summary of a strategy's finished runs, with n where it is not what their number tells: where an initial set lacks a recipe, or a run a value.
func (g Group) perRun(st Strategy, s stats.Summary, m measure) table.Cell {
	c := meanStd(s, m)
	if g.lacks(st, s) {
		c = withN(c, s)
	}
	return c
}

// lacks reports whether some of a strategy's finished runs are not behind a summary of them.
func (g Group) lacks(st Strategy, s stats.Summary) bool {
	return s.N > 0 && s.N*g.Recipes != st.Finished
}

// runsTable gives each strategy's numbers per run.
func (x Experiment) runsTable(g Group) table.Table {
	t := table.Table{Name: "runs", Title: x.heading(g) + ": numbers per run", Head: [][]table.Cell{{table.Text("strategy"), table.Text("runs"),
		table.Text("AULC 3D DSC (%%)"), table.Text("95 %% interval")}}}
	for _, m := range measures {
		t.Head[0] = append(t.Head[0], table.Text("final %s (%s)", m.short, m.unit(x.DistanceUnit)))
	}
	calibrated := slices.ContainsFunc(g.Strategies, func(st Strategy) bool { return st.Calibration != nil })
	if calibrated {
		t.Head[0] = append(t.Head[0], table.Text("final ECE (%%)"))
	}
	var target *Reach
	for _, st := range g.Strategies {
		if target = st.Results[0].Reach; target != nil {
			break
		}
	}
	if target != nil {
		t.Head[0] = append(t.Head[0], table.Text("labels to %.1f %%", 100*float64(target.Value)), table.Text("reached by"))
	}
	first, lacking := measures[0], false
	for _, st := range g.Strategies {
		r := st.Results[0]
		lacking = lacking || g.lacks(st, r.AULC) || st.Calibration != nil && g.lacks(st, st.Calibration.ECE) ||
			slices.ContainsFunc(st.Results, func(r Result) bool { return g.lacks(st, r.Final) })
		row := []table.Cell{table.Text("%s", st.Name), table.Value(float64(st.Finished), "%d", st.Finished), g.perRun(st, r.AULC, first), interval(r.AULCInterval, first, 1)}
		for i, m := range measures {
			row = append(row, g.perRun(st, st.Results[i].Final, m))
		}
		switch {
		case st.Calibration != nil:
			row = append(row, g.perRun(st, st.Calibration.ECE, measure{scale: 100, digits: 1}))
		case calibrated:
			row = append(row, table.Text("–"))
		}
		if target != nil {
			row = append(row, labels(float64(r.Reach.Median)), table.Value(float64(r.Reach.Reached), "%d of %d", r.Reach.Reached, r.Reach.Runs))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = append(t.Notes, "Mean ± sample standard deviation over finished runs. AULC: area under the curve of the 3D Dice over labelled slices, divided by "+
		"their range. Interval: of the mean AULC, BCa bootstrap over runs.")
	if lacking {
		t.Notes = append(t.Notes, "n in brackets: the initial sets behind a number where some of the runs are not: a set that lacks a recipe, or a value, is left out.")
	}
	t.Notes = append(t.Notes, g.rangesNote("")...)
	if calibrated {
		t.Notes = append(t.Notes, calibrationNote)
	}
	if target != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("Labels to reach a 3D Dice of %.1f %%, %s: median over runs, interpolated between cycles; a run that does not "+
			"reach it counts as more than all labels, and – means that the median run does not.", 100*float64(target.Value), target.Of))
	}
	if g.Pooled {
		t.Notes = append(t.Notes, "Of several recipes the mean over recipes is the value of an initial set.")
	}
	return t
}

// rangesNote says that areas and last values cannot be compared, where that is so; recipe stands before it.
func (g Group) rangesNote(recipe string) []string {
	if text := rangesText(g.names(), g.finishedCurves()); text != "" {
		return []string{table.Warning + recipe + "each AULC is over the labels of its runs, which differ, and a final value is at the last of them: neither can be compared with the others (" + text +
			"). Tables of differences are over the labels that both strategies reach."}
	}
	return nil
}

func labels(n float64) table.Cell {
	if math.IsNaN(n) {
		return table.Value(1e12, "–") // after all that can be counted
	}
	return table.Value(n, "%.0f", n)
}

// ends prints the ends of an interval with a text between them, "" where there is none.
func ends(i stats.Interval, between string, print func(v float64) string) string {
	if math.IsNaN(i.Low) || math.IsNaN(i.High) {
		return ""
	}
	return print(i.Low) + between + print(i.High)
}

// interval prints an interval; sign +1 prints values, 2 differences with their sign.
func interval(i stats.Interval, m measure, sign int) table.Cell {
	print := func(v float64) string { return signed(v, m) }
	if sign == 1 {
		print = func(v float64) string { return fmt.Sprintf("%.*f", m.digits, m.scale*v) }
	}
	if text := ends(i, " to ", print); text != "" {
		return table.Value(i.Low, "%s", text)
	}
	return table.Text("–")
}

// effect prints a difference with its interval, where it has one.
func effect(difference float64, i stats.Interval, m measure) string {
	text := signed(difference, m)
	if interval := ends(i, ", ", func(v float64) string { return signed(v, m) }); interval != "" {
		text += " [" + interval + "]"
	}
	return text
}

// signed prints a difference with one more digit than the values have, and a minus sign as long as a plus.
func signed(v float64, m measure) string {
	s := fmt.Sprintf("%+.*f", m.digits+1, m.scale*v)
	return strings.Replace(s, "-", "−", 1)
}

// comparisonTable is one table of comparisons.
func (x Experiment) comparisonTable(g Group, c Comparisons) table.Table {
	m := measureOf(c.Measure)
	t := table.Table{
		Name:  fmt.Sprintf("compare-%s-%s-%s", questionName(c.Question), strings.ToLower(c.Number), m.name),
		Title: fmt.Sprintf("%s: %s, %s of the %s", x.heading(g), c.Question, numberText(c.Number), m.long),
		Head: [][]table.Cell{{table.Text("difference"), table.Text("mean (%s)", m.pointsUnit(x.DistanceUnit)), table.Text("95 %% interval"), table.Text("better in"),
			table.Text("sign-flip p"), table.Text("Holm"), table.Text("Wilcoxon p"), table.Text("Holm"), table.Text("n"), table.Text("p over cycles, optimistic")}},
	}
	for _, r := range c.Rows {
		name := r.A + " − " + r.B
		if len(r.Sets) == 0 {
			t.Rows = append(t.Rows, []table.Cell{table.Text("%s", name), table.Cell{Text: "no initial set in common", Span: 9}})
			continue
		}
		mean := table.Value(r.Difference.Mean, "%s", signed(r.Difference.Mean, m))
		if r.significant() {
			mean.Marks = "*"
		}
		t.Rows = append(t.Rows, []table.Cell{table.Text("%s", name), mean,
			interval(r.Interval, m, 2), table.Value(float64(r.Better)/float64(len(r.Sets)), "%d of %d", r.Better, len(r.Sets)),
			pvalue(r.SignFlip.P), pvalue(float64(r.HolmSignFlip)), pvalue(r.Wilcoxon.P), pvalue(float64(r.HolmWilcoxon)),
			table.Text("%d", len(r.Sets)), pvalue(r.Cycles.P)})
	}
	stars := fmt.Sprintf("* p < %g, %s, Holm-corrected over the rows of this table.", alpha, c.testName())
	if !slices.ContainsFunc(c.Rows, Comparison.significant) {
		stars = "No star: no row has p < 0.05 by the sign-flip test after Holm correction."
	}
	t.Notes = append(t.Notes, fmt.Sprintf("Paired by initial set; the unit of test is the run, %s; %s. Interval: of the mean difference, BCa bootstrap, which is too "+
		"narrow with few sets: of such intervals about 84 %% hold the true mean with 5 sets, 90 %% with 10 and 92 %% with 20. %s Wilcoxon: exact signed-rank test. The last column is the signed-rank test over "+
		"(set, cycle) pairs: cycles of one run are not independent, so it is too small and decides nothing.", c.setsText(), m.betterWord(), stars))
	if slices.ContainsFunc(c.Rows, func(r Comparison) bool { return strings.Contains(r.A, from) }) {
		t.Notes = append(t.Notes, `"From" names how the initial sets of a strategy were chosen where it was not as for the others: it is compared with their sets of the same number.`)
	}
	t.Notes = append(t.Notes, warningNotes(c.Warnings)...)
	return t
}

func questionName(question string) string {
	switch question {
	case QuestionBatches:
		return "batches"
	case QuestionRandom:
		return "random"
	case QuestionInitial:
		return "initial"
	}
	return "selectors"
}

func numberText(number string) string {
	if number == NumberAULC {
		return "AULC"
	}
	return "final value"
}

// pvalue prints a p-value.
func pvalue(p float64) table.Cell {
	switch {
	case math.IsNaN(p):
		return table.Text("–")
	case p < 0.001:
		return table.Value(p, "%.1e", p)
	}
	return table.Value(p, "%.3f", p)
}

// pairwiseTable is the matrix of who beats whom.
func (x Experiment) pairwiseTable(g Group) table.Table {
	t := table.Table{Name: "pairwise", Title: x.heading(g) + ": share of budgets at which the row beats the column", Head: [][]table.Cell{{table.Text("")}}}
	for _, name := range g.names() {
		t.Head[0] = append(t.Head[0], table.Text("%s", name))
	}
	certain := 0 // pairs of which one wins after correction
	for i, name := range g.names() {
		row := []table.Cell{table.Text("%s", name)}
		for j, share := range g.Pairwise.Wins[i] {
			if i == j {
				row = append(row, table.Text("·"))
				continue
			}
			cell := table.Value(share, "%.2f", share)
			if corrected := g.Pairwise.Holm[i][j]; corrected > 0 {
				cell.Text += fmt.Sprintf(" (%.2f)", corrected)
				certain++
			}
			cell.Shade = share
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	row := []table.Cell{table.Text("beaten, mean")}
	for _, lost := range g.Pairwise.Lost {
		row = append(row, table.Value(lost, "%.2f", lost))
	}
	t.Rows = append(t.Rows, row)
	corrected := "In brackets: the share that is left after Holm correction for all"
	if certain == 0 {
		corrected = "No win is left after Holm correction for all"
	}
	t.Notes = append(t.Notes, fmt.Sprintf("A win: paired t-test over initial sets on the 3D Dice at one budget, two-sided, p < %g, not corrected for the number of tests; "+
		"%d budgets. The last row is how often a strategy is beaten: lower is better. After Ash et al. 2020 (BADGE). A picture, no evidence for a single cell. %s %d tests of the table.",
		g.Pairwise.Alpha, len(g.Pairwise.Budgets), corrected, g.Pairwise.Tests))
	t.Notes = append(t.Notes, warningNotes(g.Pairwise.Warnings)...)
	return t
}

// picksTables say what the strategies picked, what that cost, and what came of it.
func (x Experiment) picksTables(g Group) []table.Table {
	tables := []table.Table{x.picksTable(g)}
	if g.hasCosts() {
		tables = append(tables, x.costTable(g))
	}
	if g.Efficiency != nil {
		tables = append(tables, x.efficiencyTable(g))
	}
	if g.Best != nil && len(g.Best.Gains) > 0 {
		tables = append(tables, x.gainsTable(g))
	}
	if g.hasTimes() {
		tables = append(tables, x.timeTable(g))
	}
	return tables
}

// picksTable says what the strategies picked.
func (x Experiment) picksTable(g Group) table.Table {
	t := table.Table{Name: "picks", Title: x.heading(g) + ": what was picked", Head: [][]table.Cell{{table.Text("strategy"), table.Text("next to a labelled slice (%%)"),
		table.Text("cases per query"), table.Text("cases in all"), table.Text("different slices, all runs")}}}
	share := measure{scale: 100, digits: 1}
	plain := measure{scale: 1, digits: 1}
	known := true
	for _, st := range g.Strategies {
		known = known && st.Picks.InitialKnown
		t.Rows = append(t.Rows, []table.Cell{table.Text("%s", st.Name), meanStd(st.Picks.Adjacent, share), meanStd(st.Picks.CasesPerQuery, plain),
			meanStd(st.Picks.Cases, plain), table.Value(float64(len(st.Picks.Items)), "%d", len(st.Picks.Items))})
	}
	note := fmt.Sprintf("Mean ± standard deviation over runs. Next to a labelled slice: share of picks with a neighbour in the same case that was labelled before or is in the "+
		"same query: such a slice shows almost the same picture. A query has %d slices; the pool has %d in %d cases.",
		x.Settings.QuerySize, x.Data.PoolItems, len(x.Data.Pool))
	if !known {
		note += " The initial sets are not recorded: neighbours among them are not counted."
	}
	t.Notes = append(t.Notes, note)
	if !g.hasCosts() {
		t.Notes = append(t.Notes, x.costNote())
	}
	return t
}
