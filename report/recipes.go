package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/report/table"
)

// recipesTables say, under the tables of all recipes together, how the strategies do with each: whether a difference
// holds when the training changes.
func (x Experiment) recipesTables(pooled Group) []table.Table {
	if !pooled.Pooled {
		return nil
	}
	var single []Group
	for _, g := range x.Groups {
		if !g.Pooled {
			single = append(single, g)
		}
	}
	return []table.Table{x.recipeDifferences(pooled, single), x.recipeValues(pooled, single)}
}

// recipeDifferences has one row per comparison and one column per recipe.
func (x Experiment) recipeDifferences(pooled Group, single []Group) table.Table {
	m := measures[0]
	t := table.Table{Name: "recipes", Title: fmt.Sprintf("%s: difference in the AULC of the %s with each recipe (%s)", x.heading(pooled), m.long, m.pointsUnit(x.DistanceUnit)),
		Head: [][]table.Cell{{table.Text("difference")}}}
	for _, g := range single {
		t.Head[0] = append(t.Head[0], table.Text("%s", g.Grid))
	}
	t.Head[0] = append(t.Head[0], table.Text("first is ahead with"))
	for _, c := range pooled.Comparisons {
		if !c.main() {
			continue
		}
		for _, r := range c.Rows {
			row := []table.Cell{table.Text("%s − %s", r.A, r.B)}
			ahead, of := 0, 0
			for _, g := range single {
				one, ok := g.comparison(c, r)
				if !ok || len(one.Sets) == 0 {
					row = append(row, table.Text("–"))
					continue
				}
				of++
				if one.Difference.Mean*m.better() > 0 {
					ahead++
				}
				cell := table.Value(one.Difference.Mean, "%s", effect(one.Difference.Mean, one.Interval, m))
				if one.significant() {
					cell.Marks = "*"
				}
				row = append(row, cell)
			}
			t.Rows = append(t.Rows, append(row, table.Value(float64(ahead), "%d of %d", ahead, of)))
		}
	}
	t.Notes = []string{fmt.Sprintf("Mean difference over initial sets with its 95 %% BCa bootstrap interval. * p < %g, sign-flip test paired by initial set, "+
		"Holm-corrected over the comparisons of its kind with that recipe, not over recipes.", alpha)}
	return t
}

// comparison returns the row of this group that answers the same question as r.
func (g Group) comparison(c Comparisons, r Comparison) (Comparison, bool) {
	for _, mine := range g.Comparisons {
		if mine.Question != c.Question || mine.Measure != c.Measure || mine.Number != c.Number {
			continue
		}
		for _, row := range mine.Rows {
			if row.A == r.A && row.B == r.B {
				return row, true
			}
		}
	}
	return Comparison{}, false
}

// recipeValues has one row per strategy and one column per recipe.
func (x Experiment) recipeValues(pooled Group, single []Group) table.Table {
	m := measures[0]
	t := table.Table{Name: "recipe-values", Title: fmt.Sprintf("%s: AULC of the %s with each recipe (%%)", x.heading(pooled), m.long), Head: [][]table.Cell{{table.Text("strategy")}}}
	for _, g := range single {
		t.Head[0] = append(t.Head[0], table.Text("%s", g.Grid))
	}
	for _, name := range pooled.names() {
		row := []table.Cell{table.Text("%s", name)}
		for _, g := range single {
			if st, ok := g.find(name); ok {
				row = append(row, g.perRun(st, st.Results[0].AULC, m))
			} else {
				row = append(row, table.Text("–"))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{"Mean ± sample standard deviation over finished runs."}
	for _, g := range single {
		t.Notes = append(t.Notes, g.rangesNote("with "+g.Grid+" ")...)
	}
	return t
}

// text lists what a recipe changes.
func (r Recipe) text() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(r)) {
		if key != "name" {
			parts = append(parts, fmt.Sprintf("%s %v", key, r[key]))
		}
	}
	return strings.Join(parts, ", ")
}
