package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
)

// Ceiling stands in place of a strategy in units that ask for nothing: one training on all slices of the pool, with the random streams of an
// initial set. What it reaches is what labels can give. It is no strategy, and no comparison is made with it.
const Ceiling = "all"

// Unit is one run of active learning: one strategy from one initial set with one recipe of the grid. Units are independent
// of each other.
type Unit struct {
	Grid     string // name of the recipe, "" without a grid
	Strategy string
	Set      int // the initial set, 1 …
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

// Start returns the training of cycle 0 that the unit shares with others: those of its initial set and recipe, or, if its
// network is trained with a loss module, those of them where that is so too. It is named like a unit, of strategy "" or
// that score. A ceiling has a start of its own, with its name.
func (u Unit) Start() Unit {
	if u.Strategy == Ceiling {
		return u
	}
	start := Unit{Grid: u.Grid, Set: u.Set}
	if score := u.Spec().Score; score.TrainsModule() {
		start.Strategy = score.Name
	}
	return start
}

// Spec returns what is computed for the unit's queries; its strategy is valid, or "" or Ceiling for none.
func (u Unit) Spec() query.Spec {
	if u.Strategy == "" || u.Strategy == Ceiling {
		return query.Spec{}
	}
	spec, err := query.Parse(u.Strategy)
	if err != nil {
		panic("record: Unit: " + err.Error())
	}
	return spec
}

func (u Unit) String() string {
	text := fmt.Sprintf("%s, set %d", u.Strategy, u.Set)
	if u.Strategy == "" {
		text = fmt.Sprintf("initial set %d", u.Set)
	}
	if u.Grid != "" {
		text += ", " + u.Grid
	}
	return text
}

// Units returns all units of an experiment: with the first recipe the first strategy from every initial set, then the
// next, and at last the ceiling.
func (c Config) Units() []Unit {
	strategies := slices.Clone(c.Strategies)
	if c.Ceiling {
		strategies = append(strategies, Ceiling)
	}
	var units []Unit
	for _, recipe := range c.Recipes() {
		for _, strategy := range strategies {
			for set := range c.InitialSets {
				units = append(units, Unit{Grid: recipe, Set: set + 1, Strategy: strategy})
			}
		}
	}
	return units
}

// Canonical returns the shortest names of valid strategies: however a strategy is spelled, its units and their random
// streams are the same.
func Canonical(names []string) []string {
	short := make([]string, len(names))
	for i, name := range names {
		spec, err := query.Parse(name)
		if err != nil {
			panic("record: Canonical: " + err.Error())
		}
		short[i] = spec.String()
	}
	return short
}
