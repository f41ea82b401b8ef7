package experiment

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

func TestStreams(t *testing.T) {
	c := parse(t, "")
	first, again, other := initialSet(c, 1, 100), initialSet(c, 1, 100), initialSet(c, 2, 100)
	if !cmp.Equal(first, again) || cmp.Equal(first, other) || len(first) != c.InitialSize {
		t.Errorf("initial sets %v, %v, %v", first, again, other)
	}
	one, two := streams(c, record.Unit{Set: 1}), streams(c, record.Unit{Set: 2})
	if one.Training(0) == one.Training(1) || one.Training(0) == two.Training(0) {
		t.Error("two trainings have one seed")
	}
	c.Train.SameInit = true
	if one = streams(c, record.Unit{Set: 1}); one.Training(0) != one.Training(1) {
		t.Error("same-init: two cycles have two seeds")
	}
}

func TestQueryStreams(t *testing.T) {
	c := parse(t, "strategies: [random]\ninitial-sets: 2\ngrid: [{name: plain, width: 4}, {name: long, steps: 800}, {name: as-it-is}]")
	units := c.Units()
	if streams(c, units[0]).Query(1).Uint64() == streams(c, units[2]).Query(1).Uint64() {
		t.Error("two recipes draw the same query")
	}
	alone := c
	alone.Grid = nil
	if streams(alone, record.Unit{Set: 1, Strategy: "random"}).Query(1).Uint64() != streams(c, record.Unit{Grid: "as-it-is", Set: 1, Strategy: "random"}).Query(1).Uint64() {
		t.Error("the recipe that changes nothing draws otherwise than the experiment without a grid")
	}
}

// Typical and strided initial sets are those of every run, whatever else it does, and are recorded; random ones are as they were.
func TestInitialSets(t *testing.T) {
	d := noise(60, 16)
	for i := range d.pool.Images { // four kinds of slices
		for p := range d.pool.Images[i] {
			d.pool.Images[i][p] += float32(20 * (i % 4) * (p % 2))
		}
	}
	for rule, want := range map[string]func(items []int) bool{
		"": func(items []int) bool { return slices.Equal(items, initialSet(parse(t, "initial-size: 4"), 1, 60)) },
		active.InitialTypiClust: func(items []int) bool { // one of each kind
			kinds := map[int]bool{}
			for _, i := range items {
				kinds[i%4] = true
			}
			return len(kinds) == 4
		},
		active.InitialStrided: func(items []int) bool { return len(items) == 4 },
	} {
		c := parse(t, "initial-size: 4\ninitial-sets: 3")
		c.Initial = rule
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		d := &data{pool: d.pool, positions: d.positions, preprocess: d.preprocess}
		items, err := d.initialSet(t.Context(), c, 1)
		if err != nil || !want(items) || !slices.IsSorted(items) {
			t.Errorf("%q: initial set %v, %v", rule, items, err)
		}
		names, err := (&data{pool: d.pool, positions: d.positions, preprocess: d.preprocess}).initialNames(t.Context(), c)
		if err != nil || len(names) != 3 || !slices.Equal(names[1], active.At(d.pool.Names, items)) {
			t.Errorf("%q: recorded are %v, %v", rule, names, err)
		}
	}
	c := parse(t, "initial: typical")
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "typiclust") {
		t.Errorf("an unknown rule: %v", err)
	}
}
