package experiment

import (
	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// streams returns the random streams of a unit, whose recipe is c.Train where these are used.
func streams(c record.Config, u record.Unit) active.Streams {
	s := active.Streams{Seed: c.Seed, Set: u.Set, Strategy: u.Strategy, Recipe: u.Grid, SameInit: c.Train.SameInit}
	if base, ok := c.Base(); ok && u.Grid == base {
		s.Recipe = "" // its streams are those of the experiment without a grid
	}
	return s
}

// initialSet returns the items of a pool of n that are labelled from the start.
func initialSet(c record.Config, set, n int) []int {
	return active.Draw(n, c.InitialSize, streams(c, record.Unit{Set: set}).Initial())
}
