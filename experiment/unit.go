package experiment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// Unit is one run of active learning: one strategy from one initial set. Units are independent of each other.
type Unit struct {
	Set      int // 1 …
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
	return fmt.Sprintf("%d-%s", u.Set, strings.TrimRight(strings.Map(file, u.Strategy), "_"))
}

func (u Unit) String() string { return fmt.Sprintf("%s, set %d", u.Strategy, u.Set) }

// Units returns all units of an experiment: the first strategy from every initial set, then the next.
func (c Config) Units() []Unit {
	var units []Unit
	for _, strategy := range c.Strategies {
		for set := range c.InitialSets {
			units = append(units, Unit{Set: set + 1, Strategy: strategy})
		}
	}
	return units
}

// Every random choice of an experiment has a stream of its own under the experiment's seed. Those of the initial set
// and of the trainings do not know the strategy: strategies are compared from the same start.

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

// queryStream is the stream of one query.
func (c Config) queryStream(u Unit, cycle int) *rand.Rand {
	return random.Stream(c.Seed, "query", u.Strategy, u.Set, cycle)
}

// canonical returns the shortest names of valid strategies: however a strategy is spelled, its units and their random
// streams are the same.
func canonical(names []string) []string {
	short := make([]string, len(names))
	for i, name := range names {
		spec, err := parseStrategy(name)
		if err != nil {
			panic("experiment: canonical: " + err.Error())
		}
		short[i] = spec.String()
	}
	return short
}

// parseStrategy reads a strategy's name and refuses those whose scores a simulation does not compute.
func parseStrategy(name string) (query.Spec, error) {
	spec, err := query.Parse(name)
	if err != nil {
		return query.Spec{}, err
	}
	if err := canScore(spec.Score); err != nil {
		return query.Spec{}, fmt.Errorf("strategy %q: %w", name, err)
	}
	if features := spec.Features(); features != query.NoFeatures {
		return query.Spec{}, fmt.Errorf("strategy %q: a simulation does not compute the %s features that it needs", name, features)
	}
	return spec, nil
}
