package record

import "testing"

// A shorter experiment has the first cycles of a longer one, but not of a strategy that asks otherwise where it knows that there will be fewer queries.
func TestFinishedOfFewerCycles(t *testing.T) {
	recorded := parse(t, "strategies: [random, clasp]\ninitial-sets: 1\ncycles: 2")
	x := Export{}
	for _, u := range recorded.Units() {
		x.Runs = append(x.Runs, Run{Unit: u, Cycles: []Cycle{{Cycle: 0, Query: []string{"a/0"}}, {Cycle: 1, Query: []string{"a/1"}}, {Cycle: 2}}})
	}
	for _, test := range []struct {
		cycles  int
		whether map[string]bool
	}{{2, map[string]bool{"random": true, "clasp": true}}, {1, map[string]bool{"random": true, "clasp": false}}} {
		c := recorded
		c.Cycles = test.cycles
		c.Ceiling = true // it has no strategy to ask
		for _, u := range c.Units() {
			if r, ok := x.Finished(recorded, c, u); ok != test.whether[u.Strategy] || ok && len(r.Cycles) != test.cycles+1 {
				t.Errorf("%s with %d queries: taken over %v, %d cycles", u, test.cycles, ok, len(r.Cycles))
			}
		}
	}
}
