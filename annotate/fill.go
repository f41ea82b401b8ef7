package annotate

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/random"

	"github.com/nextslice/nextslice/annotate/store"
)

// fill keeps items in the queue. It queues the initial set of a new project, and later, unless the project runs in
// lockstep, more items whenever fewer than half a query wait for training labels: by the strategy with the model in use,
// or by the cold start's rule as long as there is none.
func (p *Project) fill(ctx context.Context) error {
	all, err := p.store.Queue(ctx, true)
	if err != nil {
		return err
	}
	waiting, cycle := 0, -1
	var open []store.QueueRow
	for _, q := range all {
		cycle = max(cycle, q.Cycle)
		if q.State != store.Waiting && q.State != store.Disputed {
			continue
		}
		open = append(open, q)
		if q.Purpose == store.ForTraining && q.State == store.Waiting && p.readable(q.Item.Case) {
			waiting++
		}
	}
	begin := len(all) == 0
	if !begin && (p.Config.Lockstep || waiting >= max(1, (p.Config.QuerySize+1)/2)) {
		return nil
	}
	items, err := p.unlabelled(ctx, store.Training, open)
	if err != nil {
		return err
	}
	var chosen picks
	kind := store.KindFill
	if begin {
		kind = store.KindQuery
		chosen, err = p.coldStart(items, p.Config.InitialSize, random.Stream(p.Config.Seed, "initial", simulatedSet))
	} else if len(items) > 0 {
		chosen, err = p.fillBy(ctx, items, len(all))
	}
	if err != nil {
		return fmt.Errorf("choose the next items: %w", err)
	}
	rows, err := p.rows(ctx, chosen, cycle, kind)
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := p.store.Enqueue(ctx, rows); err != nil {
		return err
	}
	p.hub.send(Event{Type: "queue"})
	return nil
}

// fillBy picks a query's worth of items by the best means there are. drawn, the number of items ever queued, makes the
// random stream of every filling another one.
func (p *Project) fillBy(ctx context.Context, items []Item, drawn int) (chosen picks, err error) {
	rng := random.Stream(p.Config.Seed, "fill", drawn)
	p.predict.mu.Lock()
	defer p.predict.mu.Unlock()
	if p.predict.model == nil {
		return p.coldStart(items, p.Config.QuerySize, rng)
	}
	return p.query(ctx, p.predict.model, items, p.Config.QuerySize, rng, random.Stream(p.Config.Seed, "fill score", drawn), nil)
}
