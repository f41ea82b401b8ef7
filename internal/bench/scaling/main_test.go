package main

import (
	"math"
	"testing"
)

// Known values: the clock against what can be worked out by hand.
func TestWall(t *testing.T) {
	e := experiment{starts: 20, units: 90, cycles: 6, cycle: 1}
	for _, c := range []struct {
		slots, perTask int
		want           float64
	}{
		{1, 1, 20 + 540}, {90, 1, 1 + 6}, {1000, 1, 7}, {45, 1, 1 + 12}, {20, 1, 1 + 5*6}, {90, 2, 1 + 12}, {7, 1, 3 + 13*6}, {1, 4, 560},
	} {
		if got := e.wall(c.slots, c.perTask); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d slots, %d a task: %v, want %v", c.slots, c.perTask, got, c.want)
		}
	}
	e.task = 0.5
	if got := e.wall(1, 3); math.Abs(got-(20*1.5+30*0.5+540)) > 1e-9 {
		t.Errorf("with the time of tasks: %v", got)
	}
	if got := schedule([]float64{5, 1, 1, 1, 1, 1}, 2); got != 5 {
		t.Errorf("one long task and short ones beside it: %v", got)
	}
}
