package experiment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
