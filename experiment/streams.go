package experiment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/model"
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

// initialSets are those that were chosen already, by their number.
type initialSets struct {
	mu   sync.Mutex
	sets map[int][]int
	// latent gives the means of the pool's autoencoder, where one is trained for the sets.
	latent func(context.Context) (means, error)
}

// startItems returns the items that the first training of a unit learns from, in increasing order: those of its initial set, or, of a
// ceiling, all of the pool.
func (d *data) startItems(ctx context.Context, c record.Config, u record.Unit) ([]int, error) {
	if u.Strategy != record.Ceiling {
		return d.initialSet(ctx, c, u.Set)
	}
	all := make([]int, len(d.pool.Names))
	for i := range all {
		all[i] = i
	}
	return all, nil
}

// initialSet returns the items of the pool that are labelled from the start, in increasing order.
func (d *data) initialSet(ctx context.Context, c record.Config, set int) ([]int, error) {
	rule, err := active.InitialRule(c.Initial)
	if err != nil || rule == nil {
		return initialSet(c, set, len(d.pool.Names)), err
	}
	d.initial.mu.Lock()
	defer d.initial.mu.Unlock()
	if items, ok := d.initial.sets[set]; ok {
		return slices.Clone(items), nil
	}
	all := make([]int, len(d.pool.Images))
	for i := range all {
		all[i] = i
	}
	pool := model.AppearancePool(ctx, rule, model.Candidates{Images: d.pool.Images, Positions: d.positions, Latent: d.initial.latent}, d.preprocess.Height, d.preprocess.Width)
	picks, err := active.Pick(rule, pool, all, c.InitialSize, streams(c, record.Unit{Set: set}).Initial())
	if err != nil {
		return nil, fmt.Errorf("initial set %d: %w", set, err)
	}
	slices.Sort(picks.Items)
	if d.initial.sets == nil {
		d.initial.sets = map[int][]int{}
	}
	d.initial.sets[set] = picks.Items
	return slices.Clone(picks.Items), nil
}

// initialSet returns the items of a pool of n that are labelled from the start, where they are drawn at random.
func initialSet(c record.Config, set, n int) []int {
	return active.Draw(n, c.InitialSize, streams(c, record.Unit{Set: set}).Initial())
}
