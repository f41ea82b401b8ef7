package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/report/table"
)

// CaseResult is a test case after the last cycle of the finished runs.
type CaseResult struct {
	ID       string      `json:"id"`
	Mean     null.Float  `json:"mean"`     // 3D Dice over all runs of all strategies, as the mean over foreground classes
	ByMethod []CaseValue `json:"strategy"` // in the order of the strategies
}

// CaseValue is what the runs of one strategy made of a case.
type CaseValue struct {
	Strategy string     `json:"strategy"`
	Mean     null.Float `json:"mean"` // over runs; NaN without one
	Runs     int        `json:"runs"`
}

// caseResults returns the test cases, the worst first. It is empty where the records do not tell single cases.
func (s Source) caseResults() []CaseResult {
	values := map[string]map[string][]float64{} // by case and strategy
	var ids []string
	for _, r := range s.Runs {
		if !s.finished(r) {
			continue
		}
		for _, c := range r.Cycles[len(r.Cycles)-1].Cases {
			if math.IsNaN(c.Dice3D) {
				continue
			}
			if values[c.ID] == nil {
				values[c.ID] = map[string][]float64{}
				ids = append(ids, c.ID)
			}
			values[c.ID][r.Strategy] = append(values[c.ID][r.Strategy], c.Dice3D)
		}
	}
	var out []CaseResult
	for _, id := range ids {
		c := CaseResult{ID: id}
		sum, n := 0.0, 0
		for _, name := range s.strategies() {
			of := values[id][name]
			total := 0.0
			for _, v := range of {
				total += v
			}
			c.ByMethod = append(c.ByMethod, CaseValue{name, null.Float(total / float64(len(of))), len(of)}) // 0/0 is NaN
			sum, n = sum+total, n+len(of)
		}
		c.Mean = null.Float(sum / float64(n))
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b CaseResult) int { return cmp.Or(cmp.Compare(a.Mean, b.Mean), cmp.Compare(a.ID, b.ID)) })
	return out
}

// casesTable lists the test cases.
func (x Experiment) casesTable() table.Table {
	t := table.Table{Name: "cases", Title: "3D Dice of each test case after the last cycle (%)", Head: [][]table.Cell{{table.Text("case"), table.Text("all")}}}
	shown := map[string]bool{}
	for _, c := range x.Cases {
		for _, v := range c.ByMethod {
			shown[v.Strategy] = shown[v.Strategy] || v.Runs > 0
		}
	}
	for _, v := range x.Cases[0].ByMethod {
		if shown[v.Strategy] {
			t.Head[0] = append(t.Head[0], table.Text("%s", v.Strategy))
		}
	}
	for _, c := range x.Cases {
		row := []table.Cell{table.Text("%s", c.ID), table.Value(float64(c.Mean), "%.1f", 100*float64(c.Mean))}
		for _, v := range c.ByMethod {
			switch {
			case !shown[v.Strategy]:
			case v.Runs == 0:
				row = append(row, table.Text("–"))
			default:
				row = append(row, table.Value(float64(v.Mean), "%.1f", 100*float64(v.Mean)))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{fmt.Sprintf("Mean over finished runs, of the mean over foreground classes; the worst case first. %d test cases.", len(x.Cases))}
	for _, st := range x.Groups[len(x.Groups)-1].Strategies {
		most := 0
		for _, c := range x.Cases {
			for _, v := range c.ByMethod {
				if v.Strategy == st.Name {
					most = max(most, v.Runs)
				}
			}
		}
		if most < st.Finished {
			t.Notes = append(t.Notes, fmt.Sprintf("%sof %s single cases are recorded in %d of %d finished runs.", table.Warning, st.Name, most, st.Finished))
		}
	}
	return t
}

// pageCases is the page's section on test cases.
type pageCases struct {
	Table    template.HTML
	Images   []template.HTML // the slices, which the pictures refer to
	Pictures []template.HTML
	Note     string
}

// pageCases returns nil where the records tell no single cases.
func (x Experiment) pageCases(id string) (*pageCases, error) {
	if len(x.Cases) == 0 {
		return nil, nil
	}
	out := pageCases{Note: x.PictureNote}
	var b bytes.Buffer
	if err := x.casesTable().WriteHTML(&b); err != nil {
		return nil, err
	}
	out.Table = template.HTML(b.String())
	for i, p := range x.Pictures {
		slice, panels := p.HTML(fmt.Sprintf("%s-slice%d", id, i+1))
		out.Images, out.Pictures = append(out.Images, slice), append(out.Pictures, panels)
	}
	return &out, nil
}
