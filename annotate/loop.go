package annotate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train"

	"github.com/nextslice/nextslice/annotate/store"
)

// Run does all that goes on behind the page until ctx is done: it loads the cases, trains, queries, computes proposals
// ahead and writes the mask files. What fails is reported and tried again when something has changed.
func (p *Project) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	planned := make(chan struct{}, 1)
	ready := make(chan struct{}, 1)
	tasks.Go(func() error { return p.load(ctx) })
	tasks.Go(func() error {
		return p.repeat(ctx, "write masks", p.dirty, func() error { return p.writeMasks(ctx) })
	})
	tasks.Go(func() error {
		if err := p.wait(ctx); err != nil {
			return err
		}
		if err := p.useNewest(ctx); err != nil {
			p.report("load the model", err)
		}
		nudge(planned)
		nudge(ready)
		return p.repeat(ctx, "plan", planned, func() error { return p.plan(ctx) })
	})
	tasks.Go(func() error { // one signal for two readers
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-p.labelled:
				nudge(planned)
				nudge(ready)
			}
		}
	})
	if p.learner != nil {
		tasks.Go(func() error { return p.trainer(ctx, ready, planned) })
	}
	err := tasks.Wait()
	if errors.Is(err, context.Canceled) {
		// What was labelled in the last moments still goes into the mask files.
		return p.writeMasks(context.WithoutCancel(ctx))
	}
	return err
}

// repeat calls do whenever there is something to do, until ctx is done.
func (p *Project) repeat(ctx context.Context, what string, signal <-chan struct{}, do func() error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-signal:
		}
		if err := do(); err != nil && ctx.Err() == nil {
			p.report(what, err)
		}
	}
}

// report tells everybody about a failure in the background.
func (p *Project) report(what string, err error) {
	text := fmt.Sprintf("%s: %v", what, err)
	p.log.Error(text)
	p.hub.send(Event{Type: "problem", Text: text})
}

// plan fills the queue and prepares what it holds: proposals, uncertainty maps and the images of the next items.
func (p *Project) plan(ctx context.Context) error {
	p.loadMissing(ctx)
	if err := p.fill(ctx); err != nil {
		return err
	}
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	queued := map[Item]bool{}
	var missing []Item
	for _, q := range queue {
		queued[q.Item] = true
		if _, ok := p.predict.uncertainty(q.Item); !ok {
			missing = append(missing, q.Item)
		}
	}
	p.predict.keep(queued)
	for i, q := range queue {
		if i == leases {
			break
		}
		p.image(q.Item.Case) // reports its own failure
	}
	if len(missing) > 0 {
		if _, err := p.predict.predict(ctx, missing); err != nil {
			return err
		}
	}
	return p.considerStop(ctx)
}

// useNewest takes the model that was in use when the project was closed.
func (p *Project) useNewest(ctx context.Context) error {
	models, err := p.store.Models(ctx)
	if err != nil {
		return err
	}
	if m := inUse(models); m != nil {
		return p.predict.use(m.Version)
	}
	return nil
}

// inUse returns the model in use, nil if there is none.
func inUse(models []store.Model) *store.Model {
	for i := len(models) - 1; i >= 0; i-- {
		if models[i].Adopted {
			return &models[i]
		}
	}
	return nil
}

// trainer trains whenever labels suffice. It stays on one thread of low priority, whose engine's threads inherit that.
func (p *Project) trainer(ctx context.Context, ready, planned chan struct{}) error {
	runtime.LockOSThread() // for good: the thread ends with this goroutine
	lowerPriority()
	learner, err := p.learner()
	if err != nil {
		return err
	}
	defer learner.Close()
	if err := p.wait(ctx); err != nil { // a label saved earlier must not start a training on the cases loaded so far
		return err
	}
	return p.repeat(ctx, "training", ready, func() error {
		for ctx.Err() == nil {
			cycle, trains, err := p.trains(ctx)
			if err != nil || !trains {
				return err
			}
			err = p.cycle(ctx, learner, cycle)
			p.setTraining(Training{})
			if err != nil {
				return err
			}
			nudge(planned)
		}
		return nil
	})
}

// trains reports whether there are enough new labels for the next cycle.
func (p *Project) trains(ctx context.Context) (cycle int, yes bool, err error) {
	models, err := p.store.Models(ctx)
	if err != nil {
		return 0, false, err
	}
	labels, err := p.store.LabelledItems(ctx)
	if err != nil {
		return 0, false, err
	}
	queue, err := p.store.Queue(ctx, true)
	if err != nil {
		return 0, false, err
	}
	count, seen := 0, 0
	for _, item := range labels {
		if p.roles[item.Case] == store.Training && p.canvas(item) != nil {
			count++
		}
	}
	if cycle = len(models); cycle > 0 {
		seen = models[cycle-1].Labelled
	}
	open, asked := 0, false
	for _, q := range queue {
		if q.Purpose == store.ForReading {
			continue
		}
		asked = asked || q.Cycle == cycle-1
		if (q.State == store.Waiting || q.State == store.Disputed) && p.readable(q.Item.Case) {
			open++
		}
	}
	left, err := p.unlabelled(ctx, store.Training, nil)
	if err != nil {
		return 0, false, err
	}
	switch {
	case count == 0:
		return cycle, false, nil
	case p.Config.Lockstep:
		return cycle, asked && open == 0, nil
	case count == seen:
		return cycle, false, nil
	case len(left) == 0: // the last model sees it all
		return cycle, true, nil
	case cycle == 0:
		return cycle, count >= p.Config.InitialSize, nil
	}
	return cycle, count-seen >= max(1, p.Config.QuerySize/2), nil
}

// cycle trains on the labels that there are, validates, and queries.
func (p *Project) cycle(ctx context.Context, learner Learner, cycle int) error {
	training, validation, err := p.labels(ctx)
	if err != nil {
		return err
	}
	m := store.Model{Version: cycle + 1, Cycle: cycle, Labelled: len(training)}
	if m.Seconds, err = p.store.Seconds(ctx); err != nil {
		return err
	}
	c := p.Config
	last := time.Time{}
	progress := func(t Training, end bool) {
		if end || time.Since(last) > 250*time.Millisecond {
			last = time.Now()
			t.Running, t.Cycle = true, cycle
			p.setTraining(t)
		}
	}
	set, err := p.set(training)
	if err != nil {
		return err
	}
	epoch := func(steps int) int { return (steps*c.Train.Batch + len(training) - 1) / len(training) }
	model, err := learner.Train(ctx, c.Train, set, c.trainingSeed(cycle), func(s train.Progress) {
		progress(Training{
			Phase: "train", Step: s.Step, Steps: s.Of, Epoch: epoch(s.Step), Epochs: epoch(s.Of), Loss: s.Loss, SecondsLeft: s.Left.Seconds(),
		}, s.Step == s.Of)
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.modelFile(m.Version)), 0o777); err != nil {
		return err
	}
	if err := model.Save(p.modelFile(m.Version)); err != nil {
		return err
	}
	progress(Training{Phase: "validate"}, true)
	if err := p.judge(ctx, learner, model, &m, validation); err != nil {
		return err
	}
	rows, err := p.ask(ctx, model, cycle, func(done, of int) {
		progress(Training{Phase: "score", Step: done, Steps: of}, done == of)
	})
	if err != nil {
		return err
	}
	if err := p.store.AddModel(ctx, m, rows); err != nil {
		return err
	}
	p.log.Info(fmt.Sprintf("model %d on %d labels: %s", m.Version, m.Labelled, m.Reason))
	if m.Adopted {
		if err := p.predict.use(m.Version); err != nil {
			return err
		}
		if err := p.store.PruneProposals(ctx, m.Version); err != nil {
			return err
		}
	}
	p.hub.send(Event{Type: "model", Model: m.Version})
	p.hub.send(Event{Type: "queue"})
	return nil
}

// labels returns the labels of both uses, of cases that can be read, by case and slice: the order of the pool.
func (p *Project) labels(ctx context.Context) (training, validation []store.Labelled, err error) {
	all, err := p.store.Labels(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	for _, l := range all {
		switch {
		case p.canvas(l.Item) == nil:
		case l.Role == store.Validation:
			validation = append(validation, l)
		default:
			training = append(training, l)
		}
	}
	return training, validation, nil
}

// set brings labels to the canvas.
func (p *Project) set(labels []store.Labelled) (train.Set, error) {
	c := p.Config.Preprocess
	s := train.Set{H: c.Height, W: c.Width, Classes: len(p.Config.Classes)}
	for _, l := range labels {
		mask, err := l.Mask()
		if err != nil {
			return s, fmt.Errorf("%s: %w", l.Item, err)
		}
		s.Images = append(s.Images, p.canvas(l.Item))
		s.Labels = append(s.Labels, p.onCanvas(l.Item, mask))
	}
	return s, nil
}

// ask queries with a new model. What waits now and nobody has begun goes back into the pool: the new query takes its
// place.
func (p *Project) ask(ctx context.Context, model Model, cycle int, progress func(done, of int)) ([]store.QueueRow, error) {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	begun := queue[:0:0]
	for _, q := range queue {
		if q.Purpose != store.ForTraining || q.State != store.Waiting || q.Lease != nil {
			begun = append(begun, q)
		}
	}
	items, err := p.unlabelled(ctx, store.Training, begun)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	chosen, err := p.query(ctx, model, items, p.Config.QuerySize, p.queryStream(cycle),
		random.Stream(p.Config.Seed, "score", simulatedSet, cycle), progress)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return p.rows(ctx, chosen, cycle, store.KindQuery)
}
