package experiment

import "github.com/nextslice/nextslice/active"

// streams returns the random streams of a unit, whose recipe is c.Train where these are used.
func (c Config) streams(u Unit) active.Streams {
	s := active.Streams{Seed: c.Seed, Set: u.Set, Strategy: u.Strategy, Recipe: u.Grid, SameInit: c.Train.SameInit}
	if base, ok := c.base(); ok && u.Grid == base {
		s.Recipe = "" // its streams are those of the experiment without a grid
	}
	return s
}

// initialSet returns the items of a pool of n that are labelled from the start.
func (c Config) initialSet(set, n int) []int {
	return active.Draw(n, c.InitialSize, c.streams(Unit{Set: set}).Initial())
}
