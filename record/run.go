package record

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
)

// Cycle is one row: a cycle of a run.
type Cycle struct {
	Cycle    int // 0 is the initial set
	Labelled int // items that the model was trained on
	Scored   int // items scored for the query
	// Measures on the test cases, per foreground class and as their mean; without PerCase.
	Measures metrics.Summary
	Initial  []string // names of the items labelled from the start: in cycle 0, where they are known
	Query    []string // names of the items asked for
	Copies   []string // names of labelled items that count once more from the next cycle on; no labels
	Cases    []Case   // of the test cases, in the last cycle only
	// Calibration is the reliability diagram of the last cycle's model, its numbers to 4 decimal places, where it is known.
	Calibration []metrics.Bin
}

// Case is one test case.
type Case struct {
	ID     string
	Dice3D float64 // mean over foreground classes, to 4 decimal places; NaN where it is undefined
}

// Run is the cycles of one run, from cycle 0 on.
type Run struct {
	Unit
	Cycles  []Cycle
	Timings []Timing // of the cycles, where they are known; not the same in two runs of one seed, unlike all else
}

// FromCycles returns the run that the loop recorded. initial may be nil. Cases are kept of the cycle without a query,
// the last of a finished run.
func FromCycles(u Unit, initial []string, cycles []active.Cycle) Run {
	r := Run{Unit: u}
	for _, c := range cycles {
		row := Cycle{Cycle: c.Cycle, Labelled: c.Labelled, Scored: c.Scored, Query: c.Query, Copies: c.Copies, Measures: c.Measures}
		row.Measures.PerCase = nil
		if c.Cycle == 0 {
			row.Initial = initial
		}
		if len(c.Query) == 0 {
			row.Cases = perCase(c.Measures.PerCase)
		}
		r.Cycles = append(r.Cycles, row)
	}
	return r
}

// Calibrate adds the reliability diagram of the last model to a run, if the run got that far.
func (r *Run) Calibrate(bins []metrics.Bin) {
	if len(r.Cycles) == 0 || len(bins) == 0 {
		return
	}
	last := &r.Cycles[len(r.Cycles)-1]
	if len(last.Query) > 0 {
		return
	}
	last.Calibration = slices.Clone(bins)
	for i := range last.Calibration {
		b := &last.Calibration[i]
		b.Confidence, b.Accuracy = round(b.Confidence), round(b.Accuracy)
	}
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// perCase returns the 3D Dice of each case, as the mean over its classes that have one.
func perCase(cases []metrics.Case) (out []Case) {
	for _, c := range cases {
		sum, n := 0.0, 0
		for _, class := range c.Classes {
			if class.Dice3D.N > 0 {
				sum += class.Dice3D.Value
				n++
			}
		}
		out = append(out, Case{c.ID, round(sum / float64(n))}) // 0/0 is NaN
	}
	return out
}

// ActiveCycles returns the run as the loop records it, without the scores of the queries and without single cases,
// which a record does not keep.
func (r Run) ActiveCycles() []active.Cycle {
	cycles := make([]active.Cycle, len(r.Cycles))
	for i, c := range r.Cycles {
		cycles[i] = active.Cycle{Cycle: c.Cycle, Labelled: c.Labelled, Query: c.Query, Scored: c.Scored, Copies: c.Copies, Measures: c.Measures}
	}
	return cycles
}

// Within returns the run as it is with a budget of the given number of queries, and whether it got that far. A run that ended with
// fewer is whole where there was nothing left to ask.
func (r Run) Within(queries int) (Run, bool) {
	if !active.Finished(r.ActiveCycles(), queries) {
		return r, false
	}
	if len(r.Cycles) > queries {
		r.Cycles = slices.Clone(r.Cycles[:queries+1])
		last := &r.Cycles[queries]
		last.Query, last.Copies, last.Scored = nil, nil, 0
	}
	return r, true
}

// Find returns the run of a unit.
func Find(runs []Run, u Unit) (Run, bool) {
	for _, r := range runs {
		if r.Unit == u {
			return r, true
		}
	}
	return Run{}, false
}

// Classes returns the names of the foreground classes of the runs, in the order of their label values, or an error if
// runs differ in them.
func Classes(runs []Run) ([]string, error) {
	var names []string
	var first Unit
	for _, r := range runs {
		for _, c := range r.Cycles {
			var these []string
			for _, class := range c.Measures.Classes {
				these = append(these, class.Name)
			}
			if names == nil {
				names, first = these, r.Unit
			}
			if !slices.Equal(names, these) {
				return nil, fmt.Errorf("%s has classes %q, %s has %q: these are different experiments", first, names, r.Unit, these)
			}
		}
	}
	return names, nil
}

// sortRuns orders runs by recipe, strategy and set, keeping the order in which recipes and strategies first appear, so
// that equal runs make equal files.
func sortRuns(runs []Run) {
	grids, strategies := map[string]int{}, map[string]int{}
	for _, r := range runs {
		if _, ok := grids[r.Grid]; !ok {
			grids[r.Grid] = len(grids)
		}
		if _, ok := strategies[r.Strategy]; !ok {
			strategies[r.Strategy] = len(strategies)
		}
	}
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(grids[a.Grid], grids[b.Grid]), cmp.Compare(strategies[a.Strategy], strategies[b.Strategy]), cmp.Compare(a.Set, b.Set))
	})
}

// number formats a value so that it reads back as the same; NaN is an empty cell.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
