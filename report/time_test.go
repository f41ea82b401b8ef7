package report

import (
	"testing"

	"github.com/nextslice/nextslice/record"
)

// Medians over the queries of both runs; the last cycle has none, and the first trains nothing.
func TestTimes(t *testing.T) {
	a, b := makeRun("", "random", 1, 0.5, 0.6, 0.7), makeRun("", "random", 2, 0.5, 0.6, 0.7)
	for _, r := range []record.Run{a, b} {
		r.Cycles[0].Query, r.Cycles[1].Query = []string{"x/001"}, []string{"x/002"}
	}
	a.Timings = []record.Timing{{Cycle: 0, Score: 1, Query: 0.5, Passes: 10, PeakMB: 300}, {Cycle: 1, Train: 20, Members: 40, Score: 2, Query: 0.5, Passes: 20}, {Cycle: 2, Train: 30, Score: 99}}
	b.Timings = []record.Timing{{Cycle: 0, Score: 3, Query: 0.5, Passes: 30, PeakMB: 200}, {Cycle: 7, Score: 99}}
	x := analyseOne(t, source(2, 2, []string{"random", "entropy"}, a, b, makeRun("", "entropy", 1, 0.5, 0.6, 0.7)))
	g := x.Groups[0]
	got := g.Strategies[0].Time
	want := Time{Queries: 3, Query: 3.5, Members: 0, Score: 2, Pick: 0.5, Passes: 20, Train: 25, PeakMB: 300} // queries of 1.5, 42.5 and 3.5 s
	if got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if g.Strategies[1].Time != nil {
		t.Error("times of a strategy that has none")
	}
	rows := x.timeTable(g).Rows
	if rows[0][1].Text != "3.5" || rows[0][4].Text != "0.50" || rows[1][1].Text != "not timed" {
		t.Errorf("%+v", rows)
	}
}
