package experiment

import (
	"context"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
)

// means returns the latent means of images.
type means = func(ctx context.Context, images [][]float32) ([][]float32, error)

// latent trains the autoencoder of an experiment's pool, which knows nothing of labels and so is the same for all units and cycles.
func (d *data) latent(ctx context.Context, e tensor.Engine, c record.Config, steps int, progress func(train.Progress)) (means, error) {
	p := d.preprocess
	seed := random.Stream(c.Seed, "autoencoder").Uint64()
	k, err := train.RunAutoencoder(ctx, e, steps, c.Train.Augment, d.pool.Images, p.Height, p.Width, seed, progress)
	if err != nil {
		return nil, err
	}
	return k.Means, nil
}

// chooseInitial chooses the initial sets where an autoencoder is trained for them; the engine is asked for only then. Sets that the run folder
// has are taken from it: another engine or number of threads, as of another machine, could choose others.
func (d *data) chooseInitial(ctx context.Context, c record.Config, folder string, engine func() (tensor.Engine, error), track *tracker) error {
	rule, err := active.InitialRule(c.Initial)
	if err != nil || rule == nil || rule.Needs().Features != query.Latent {
		return err
	}
	recorded, err := (&record.Folder{Dir: folder}).Initial()
	if err != nil {
		return err
	}
	d.initial.sets = map[int][]int{}
	for set := 1; set <= c.InitialSets; set++ {
		var items []int
		for _, name := range recorded[set] {
			if item := slices.Index(d.pool.Names, name); item >= 0 {
				items = append(items, item)
			}
		}
		if len(items) == min(c.InitialSize, len(d.pool.Names)) {
			slices.Sort(items)
			d.initial.sets[set] = items
		}
	}
	if len(d.initial.sets) == c.InitialSets {
		return nil
	}
	e, err := engine()
	if err != nil {
		return err
	}
	m, err := d.latent(ctx, e, c, rule.Needs().Steps, func(p train.Progress) {
		track.send(Event{Unit: "autoencoder for the initial sets", Phase: phases[phaseTrain], Done: p.Step, Of: p.Of, Loss: p.Loss})
	})
	if err != nil {
		return fmt.Errorf("initial sets: %w", err)
	}
	d.initial.latent = func(context.Context) (means, error) { return m, nil }
	for set := 1; set <= c.InitialSets; set++ { // while the engine is there
		if _, err := d.initialSet(ctx, c, set); err != nil {
			return err
		}
	}
	return nil
}

// latent is data.latent for the learner's unit, trained once.
func (l *learner) latent(ctx context.Context) (means, error) {
	if l.means == nil {
		m, err := l.data.latent(ctx, l.engine, l.config, l.spec.Strategy.Needs().Steps, func(p train.Progress) {
			l.report(phaseTrain, p.Step, p.Of, p.Loss)
		})
		if err != nil {
			return nil, err
		}
		l.means = m
	}
	return l.means, nil
}
