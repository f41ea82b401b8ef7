package experiment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// Unit is one run of active learning: one strategy from one initial set with one recipe of the grid. Units are independent
// of each other.
type Unit struct {
	Grid     string // name of the recipe, "" without a grid
	Set      int    // 1 …
	Strategy string
}

// Name is the unit's folder.
func (u Unit) Name() string {
	file := func(c rune) rune {
		if strings.ContainsRune("(),=:/\\ ", c) {
			return '_'
		}
		return c
	}
	name := fmt.Sprint(u.Set)
	if u.Grid != "" {
		name = strings.Map(file, u.Grid) + "-" + name
	}
	if u.Strategy != "" {
		name += "-" + strings.TrimRight(strings.Map(file, u.Strategy), "_")
	}
	return name
}

// start returns the training of cycle 0 that the unit shares with others: those of its initial set and recipe, or, if its
// network is trained with a loss module, those of them where that is so too. It is named like a unit, of strategy "" or
// that score.
func (u Unit) start() Unit {
	start := Unit{Grid: u.Grid, Set: u.Set}
	if score := u.spec().Score; score.PredictedLoss {
		start.Strategy = score.Name
	}
	return start
}

// spec returns what is computed for the unit's queries; its strategy is valid, or "" for none.
func (u Unit) spec() query.Spec {
	if u.Strategy == "" {
		return query.Spec{}
	}
	spec, err := query.Parse(u.Strategy)
	if err != nil {
		panic("experiment: Unit: " + err.Error())
	}
	return spec
}

func (u Unit) String() string {
	if u.Strategy != "" {
		return u.Key().String()
	}
	if u.Grid != "" {
		return fmt.Sprintf("initial set %d, %s", u.Set, u.Grid)
	}
	return fmt.Sprintf("initial set %d", u.Set)
}

// Units returns all units of an experiment: with the first recipe the first strategy from every initial set, then the
// next.
func (c Config) Units() []Unit {
	var units []Unit
	for _, recipe := range c.recipes() {
		for _, strategy := range c.Strategies {
			for set := range c.InitialSets {
				units = append(units, Unit{Grid: recipe, Set: set + 1, Strategy: strategy})
			}
		}
	}
	return units
}

// Every random choice of an experiment has a stream of its own under the experiment's seed. Those of the initial set
// and of the trainings do not know the strategy or the recipe: these are compared from the same start.

// initialSet draws the items of pool that are labelled from the start.
func (c Config) initialSet(set, pool int) []int {
	items := random.Stream(c.Seed, "initial", set).Perm(pool)[:c.InitialSize]
	slices.Sort(items)
	return items
}

// trainingSeed is the seed of the streams of one training.
func (c Config) trainingSeed(set, cycle int) uint64 {
	if c.Train.SameInit {
		cycle = 0
	}
	return random.Stream(c.Seed, "train", set, cycle).Uint64()
}

// memberSeed is the seed of the streams of one training of a further network of an ensemble, 1 …
func (c Config) memberSeed(set, cycle, member int) uint64 {
	if c.Train.SameInit {
		cycle = 0
	}
	return random.Stream(c.Seed, "train", set, cycle, "member", member).Uint64()
}

// bootstrapStream draws the labelled items that such a network sees.
func (c Config) bootstrapStream(set, cycle, member int) *rand.Rand {
	return random.Stream(c.Seed, "bootstrap", set, cycle, member)
}

// queryStream is the stream of one query. That of the base recipe is that of the experiment without a grid.
func (c Config) queryStream(u Unit, cycle int) *rand.Rand {
	if base, ok := c.base(); ok && u.Grid == base {
		return random.Stream(c.Seed, "query", u.Strategy, u.Set, cycle)
	}
	return random.Stream(c.Seed, "query", u.Strategy, u.Set, cycle, "grid", u.Grid)
}

// canonical returns the shortest names of valid strategies: however a strategy is spelled, its units and their random
// streams are the same.
func canonical(names []string) []string {
	short := make([]string, len(names))
	for i, name := range names {
		spec, err := query.Parse(name)
		if err != nil {
			panic("experiment: canonical: " + err.Error())
		}
		short[i] = spec.String()
	}
	return short
}
