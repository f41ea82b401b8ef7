package experiment

import (
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
)

// Every random choice of an experiment has a stream of its own under the experiment's seed. Those of the initial set
// and of the trainings do not know the strategy or the recipe: these are compared from the same start.

// initialSet draws the items of pool that are labelled from the start.
func initialSet(c record.Config, set, pool int) []int {
	items := random.Stream(c.Seed, "initial", set).Perm(pool)[:c.InitialSize]
	slices.Sort(items)
	return items
}

// trainingSeed is the seed of the streams of one training.
func trainingSeed(c record.Config, set, cycle int) uint64 {
	if c.Train.SameInit {
		cycle = 0
	}
	return random.Stream(c.Seed, "train", set, cycle).Uint64()
}

// memberSeed is the seed of the streams of one training of a further network of an ensemble, 1 …
func memberSeed(c record.Config, set, cycle, member int) uint64 {
	if c.Train.SameInit {
		cycle = 0
	}
	return random.Stream(c.Seed, "train", set, cycle, "member", member).Uint64()
}

// bootstrapStream draws the labelled items that such a network sees.
func bootstrapStream(c record.Config, set, cycle, member int) *rand.Rand {
	return random.Stream(c.Seed, "bootstrap", set, cycle, member)
}

// queryStream is the stream of one query. That of the base recipe is that of the experiment without a grid.
func queryStream(c record.Config, u record.Unit, cycle int) *rand.Rand {
	if base, ok := c.Base(); ok && u.Grid == base {
		return random.Stream(c.Seed, "query", u.Strategy, u.Set, cycle)
	}
	return random.Stream(c.Seed, "query", u.Strategy, u.Set, cycle, "grid", u.Grid)
}
