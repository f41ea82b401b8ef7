package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Time is what a strategy's queries and trainings took, as medians over all of them: wall time, in which other jobs ran beside.
type Time struct {
	Queries int     `json:"queries"`
	Query   float64 `json:"query_s"`   // seconds for a query in all
	Members float64 `json:"members_s"` // of these, training further networks
	Score   float64 `json:"score_s"`   // forward passes and what else is computed per slice
	Pick    float64 `json:"pick_s"`    // picking from scores and features
	Passes  float64 `json:"passes"`    // forward passes per query, of one slice each
	Train   float64 `json:"train_s"`   // seconds for a training
	PeakMB  float64 `json:"peak_mb"`   // largest memory of the process during a query, all jobs; 0 where it is not known
}

// timeOf returns that of runs, nil where no query is timed.
func timeOf(runs []record.Run) *Time {
	var query, members, score, pick, passes, train []float64
	t := &Time{}
	for _, r := range runs {
		for _, one := range r.Timings {
			if one.Train > 0 {
				train = append(train, one.Train)
			}
			if one.Cycle >= len(r.Cycles) || len(r.Cycles[one.Cycle].Query) == 0 {
				continue
			}
			query = append(query, one.Members+one.Score+one.Query)
			members, score, pick = append(members, one.Members), append(score, one.Score), append(pick, one.Query)
			passes = append(passes, float64(one.Passes))
			t.PeakMB = max(t.PeakMB, one.PeakMB)
		}
	}
	if len(query) == 0 {
		return nil
	}
	t.Queries = len(query)
	t.Query, t.Members, t.Score, t.Pick = stats.Describe(query).Median, stats.Describe(members).Median, stats.Describe(score).Median, stats.Describe(pick).Median
	t.Passes = stats.Describe(passes).Median
	if len(train) > 0 {
		t.Train = stats.Describe(train).Median
	}
	return t
}

// hasTimes tells whether a strategy has times.
func (g Group) hasTimes() bool {
	for _, st := range g.Strategies {
		if st.Time != nil {
			return true
		}
	}
	return false
}

// timeTable says what a query takes.
func (x Experiment) timeTable(g Group) table.Table {
	t := table.Table{Name: "time", Title: x.heading(g) + ": seconds per query", Head: [][]table.Cell{{table.Text("strategy"), table.Text("query (s)"),
		table.Text("further networks (s)"), table.Text("scores (s)"), table.Text("picking (s)"), table.Text("passes"), table.Text("training (s)"), table.Text("memory (MB)"), table.Text("queries")}}}
	seconds := func(s float64) table.Cell {
		switch {
		case s == 0:
			return table.Value(0, "0")
		case s < 0.995:
			return table.Value(s, "%.2f", s)
		}
		return table.Value(s, "%.1f", s)
	}
	for _, st := range g.Strategies {
		row := []table.Cell{table.Text("%s", st.Name)}
		if st.Time == nil {
			t.Rows = append(t.Rows, append(row, table.Cell{Text: "not timed", Span: 8}))
			continue
		}
		peak := table.Text("–")
		if st.Time.PeakMB > 0 {
			peak = table.Value(st.Time.PeakMB, "%.0f", st.Time.PeakMB)
		}
		t.Rows = append(t.Rows, append(row, seconds(st.Time.Query), seconds(st.Time.Members), seconds(st.Time.Score), seconds(st.Time.Pick),
			table.Value(st.Time.Passes, "%.0f", st.Time.Passes), seconds(st.Time.Train), peak, table.Value(float64(st.Time.Queries), "%d", st.Time.Queries)))
	}
	t.Notes = append(t.Notes, fmt.Sprintf("Medians over all queries and trainings, wall time of one of the jobs that ran beside each other on %s. Further networks: trained for the query. "+
		"Memory: the most that the whole process held during a query, all jobs.", machines(x.Env)))
	return t
}

// machines names what the runs were timed on.
func machines(e record.Env) string {
	var kinds []string
	for _, env := range e.All() {
		kind := fmt.Sprintf("%d cores (%s), %d engine threads a job", env.Cores, env.CPU, env.Threads)
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	text := strings.Join(kinds, "; or ")
	if len(kinds) > 1 {
		text += ", so that seconds of one strategy and another may be of different machines"
	}
	return text
}
