package active

import (
	"math/rand/v2"

	"github.com/nextslice/nextslice/random"
)

// Streams are the named random streams of one run under its seed; see package random. All but those of a query are the
// same for every strategy and recipe, which are thus compared from the same start. A project in which people label has
// those of a simulation's initial set 1.
type Streams struct {
	Seed     uint64
	Set      int    // number of the initial set, 1 …
	Strategy string // shortest name of the query strategy
	Recipe   string // name of the training recipe; "" is the base recipe

	// SameInit gives the training of every cycle the streams of cycle 0.
	SameInit bool
}

// Initial draws the initial set.
func (s Streams) Initial() *rand.Rand { return random.Stream(s.Seed, "initial", s.Set) }

// Training returns the seed of a cycle's training, the seed of its streams "init", "order" and so on.
func (s Streams) Training(cycle int) uint64 { return s.training(cycle).Uint64() }

// Member returns the seed of the training of a further network of an ensemble, 1 …
func (s Streams) Member(cycle, member int) uint64 {
	return s.training(cycle, "member", member).Uint64()
}

func (s Streams) training(cycle int, more ...any) *rand.Rand {
	if s.SameInit {
		cycle = 0
	}
	return random.Stream(s.Seed, append([]any{"train", s.Set, cycle}, more...)...)
}

// Bootstrap draws the labelled items that such a network sees.
func (s Streams) Bootstrap(cycle, member int) *rand.Rand {
	return random.Stream(s.Seed, "bootstrap", s.Set, cycle, member)
}

// Score draws dropout masks and augmentations when a cycle's items are scored.
func (s Streams) Score(cycle int) *rand.Rand { return random.Stream(s.Seed, "score", s.Set, cycle) }

// Query is what the strategy draws from in a cycle.
func (s Streams) Query(cycle int) *rand.Rand {
	path := []any{"query", s.Strategy, s.Set, cycle}
	if s.Recipe != "" {
		path = append(path, "grid", s.Recipe)
	}
	return random.Stream(s.Seed, path...)
}

// Fill and FillScore take the place of Query and Score when people are given items between two queries. queued is the
// number of items that were ever queued: each filling has different streams.
func (s Streams) Fill(queued int) *rand.Rand { return random.Stream(s.Seed, "fill", queued) }

// FillScore is what Score is in a cycle; see Fill.
func (s Streams) FillScore(queued int) *rand.Rand { return random.Stream(s.Seed, "fill score", queued) }
