package active_test

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/random"
)

// The names of the streams are part of every record that was ever written: a change would change its numbers.
func TestStreamNames(t *testing.T) {
	s := active.Streams{Seed: 7, Set: 2, Strategy: "entropy+sb"}
	grid, same := s, s
	grid.Recipe, same.SameInit = "steps=9", true
	for name, pair := range map[string][2]uint64{
		"initial":    {s.Initial().Uint64(), random.Stream(7, "initial", 2).Uint64()},
		"training":   {s.Training(3), random.Stream(7, "train", 2, 3).Uint64()},
		"same-init":  {same.Training(3), random.Stream(7, "train", 2, 0).Uint64()},
		"member":     {s.Member(3, 4), random.Stream(7, "train", 2, 3, "member", 4).Uint64()},
		"bootstrap":  {s.Bootstrap(3, 4).Uint64(), random.Stream(7, "bootstrap", 2, 3, 4).Uint64()},
		"score":      {s.Score(3).Uint64(), random.Stream(7, "score", 2, 3).Uint64()},
		"query":      {s.Query(3).Uint64(), random.Stream(7, "query", "entropy+sb", 2, 3).Uint64()},
		"grid":       {grid.Query(3).Uint64(), random.Stream(7, "query", "entropy+sb", 2, 3, "grid", "steps=9").Uint64()},
		"fill":       {s.Fill(30).Uint64(), random.Stream(7, "fill", 30).Uint64()},
		"fill score": {s.FillScore(30).Uint64(), random.Stream(7, "fill score", 30).Uint64()},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: another stream", name)
		}
	}
}

func TestDraw(t *testing.T) {
	s := active.Streams{Seed: 1, Set: 1}
	first, again := active.Draw(100, 10, s.Initial()), active.Draw(100, 10, s.Initial())
	s.Set = 2
	other := active.Draw(100, 10, s.Initial())
	if !slices.Equal(first, again) || slices.Equal(first, other) || !slices.IsSorted(first) || len(slices.Compact(first)) != 10 {
		t.Errorf("initial sets %v, %v, %v", first, again, other)
	}
}
