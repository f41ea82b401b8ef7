package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/stats"
)

// Numbers that make one value of a run.
const (
	NumberAULC  = "AULC"
	NumberFinal = "final"
)

// Comparisons is one table of comparisons: a question, answered on one measure and one number per run. Its p-values are
// corrected together.
type Comparisons struct {
	Question string          `json:"question"`
	Measure  string          `json:"measure"`
	Number   string          `json:"number"` // AULC or final
	Rows     []Comparison    `json:"rows"`
	Warnings []stats.Warning `json:"warnings,omitempty"`
}

// Comparison is one row: strategy A against strategy B, as the difference A - B.
type Comparison struct {
	A string `json:"a"`
	B string `json:"b"`
	stats.Comparison
	Better       int        `json:"better"` // sets in which A is the better one
	HolmSignFlip null.Float `json:"holm_sign_flip"`
	HolmWilcoxon null.Float `json:"holm_wilcoxon"`
	// Cycles is the test over (set, cycle) pairs: a second figure, and an optimistic one.
	Cycles stats.Test `json:"optimistic_over_cycles"`
}

// alpha is the level that stars mean.
const alpha = 0.05

// significant reports whether the row's sign-flip test rejects after correction.
func (c Comparison) significant() bool { return float64(c.HolmSignFlip) < alpha }

// compare makes one table, of finished runs: the AULC of a curve that ends early is no AULC of the budget.
func (g *Group) compare(o Options, place, question string, m measure, number string, pairs []pair) Comparisons {
	out := Comparisons{Question: question, Measure: m.name, Number: number}
	of := stats.AULC
	if number == NumberFinal {
		of = stats.Final
	}
	var flips, ranks []float64
	for _, p := range pairs {
		a, _ := g.find(p.a)
		b, _ := g.find(p.b)
		row := Comparison{A: p.a, B: p.b}
		row.Comparison = stats.Compare(a.whole[m.name], b.whole[m.name], of, stats.Options{Level: level, Draws: o.draws()},
			stream(place, "compare", p.a, p.b, m.name, number))
		row.Cycles, _ = stats.CompareCycles(a.whole[m.name], b.whole[m.name])
		for _, d := range row.Differences {
			if d*m.better() > 0 {
				row.Better++
			}
		}
		flips, ranks = append(flips, row.SignFlip.P), append(ranks, row.Wilcoxon.P)
		out.Rows = append(out.Rows, row)
	}
	flips, ranks = stats.Holm(flips), stats.Holm(ranks)
	for i := range out.Rows {
		out.Rows[i].HolmSignFlip, out.Rows[i].HolmWilcoxon = null.Float(flips[i]), null.Float(ranks[i])
	}
	out.Warnings = tableWarnings(out.Rows)
	return out
}

// tableWarnings collects the warnings of rows, each with the rows that it is about, and adds that of a table in which
// correction leaves no room for significance.
func tableWarnings(rows []Comparison) (out []stats.Warning) {
	about := map[stats.Warning][]string{}
	var order []stats.Warning
	tests, smallest := 0, 1.0
	for _, r := range rows {
		for _, w := range r.Warnings {
			if about[w] == nil {
				order = append(order, w)
			}
			about[w] = append(about[w], r.A+" − "+r.B)
		}
		if n := len(r.Sets); n > 0 {
			tests++
			smallest = min(smallest, math.Ldexp(1, 1-n))
		}
	}
	for _, w := range order {
		if len(about[w]) < len(rows) {
			w.Text = join(about[w]) + ": " + w.Text
		}
		out = append(out, w)
	}
	if least := float64(tests) * smallest; smallest < alpha && least >= alpha {
		out = append(out, stats.Warning{Kind: "holm-floor", Text: fmt.Sprintf(
			"corrected for the %d rows of this table no p can be below %.3g, whatever the data: use more initial sets", tests, least)})
	}
	return out
}

// warnings looks at the records for what makes measures weak.
func (g *Group) warnings(s Source, grids []string) {
	if _, ok := g.find(Baseline); !ok {
		g.warn("no-random", "there is no run of random: without the baseline no strategy can be judged")
	}
	sets := map[int]bool{}
	var flagged, distances, undefined, dice int
	for _, r := range s.Runs {
		if !slices.Contains(grids, r.Grid) {
			continue
		}
		sets[r.Set] = true
		for _, c := range r.Cycles {
			m := c.Measures.Mean
			flagged += m.HD95.Flagged
			distances += m.HD95.N
			undefined += m.Dice3D.Undefined
			dice += m.Dice3D.N + m.Dice3D.Undefined
		}
	}
	if w, few := stats.FewSets(len(sets)); few {
		g.Warnings = append(g.Warnings, w)
	}
	if flagged > 0 {
		g.warn("empty-prediction", "%d of %d distances (%s) are the volume's diagonal, because prediction or reference was empty: the mean distances depend heavily on them",
			flagged, distances, percent(flagged, distances))
	}
	if undefined > 0 {
		g.warn("undefined", "%d of %d values of the 3D Dice (%s) are undefined and left out: the class is in neither mask", undefined, dice, percent(undefined, dice))
	}
	g.supersededWarning(s, grids)
	if distanceUnit(s.Runs) == "mixed" {
		g.warn("mixed-units", "some cases have a spacing in mm and others none: their mean distance means nothing")
	}
}

// supersededWarning tells of cycles that are in no learning curve.
func (g *Group) supersededWarning(s Source, grids []string) {
	left := 0
	var of []string
	for _, r := range s.Runs {
		n := len(r.Cycles) - len(current(r.Cycles))
		if n == 0 || !slices.Contains(grids, r.Grid) {
			continue
		}
		left += n
		if !slices.Contains(of, r.Strategy) {
			of = append(of, r.Strategy)
		}
	}
	switch {
	case left == 1:
		g.warn("superseded", "1 cycle of %s is in no learning curve, nor in what is computed from curves: after it the network was trained on no more labels, for labels were corrected or rejected", join(of))
	case left > 1:
		g.warn("superseded", "%d cycles of %s are in no learning curve, nor in what is computed from curves: after each of them the network was trained on no more labels, for labels were corrected or rejected", left, join(of))
	}
}

func percent(part, of int) string { return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of)) }

// join lists names as a sentence does, and says how many more there are after the first four.
func join(names []string) string {
	const most = 4
	text := ""
	for i, name := range names {
		switch {
		case i == most:
			return fmt.Sprintf("%s and %d more", text, len(names)-most)
		case i > 0:
			text += ", "
		}
		text += name
	}
	return text
}

// fromPaper reports whether the data are those of the paper.
func (s Source) fromPaper() bool {
	return isPromise12(s.Data.Name) || isPromise12(nameOf(s.Settings.Data))
}
