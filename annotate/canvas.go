package annotate

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// canvases are the slices of all cases as networks see them: normalised and on the canvas. They are read in the
// background when a project is opened and kept in memory.
type canvases struct {
	mu     sync.Mutex
	images map[string][][]float32 // by case
	loaded chan struct{}          // closed when all cases were tried
}

func newCanvases() *canvases {
	return &canvases{images: map[string][][]float32{}, loaded: make(chan struct{})}
}

// load reads all cases. Those that cannot be read are reported and left out for now.
func (p *Project) load(ctx context.Context) error {
	defer close(p.canvases.loaded)
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(max(1, runtime.GOMAXPROCS(0)/2)) // the rest serves people
	var done atomic.Int64
	for i := range p.data.Cases {
		workers.Go(func() error {
			p.loadCase(ctx, i)
			p.setTraining(Training{Running: true, Phase: "load", Step: int(done.Add(1)), Steps: len(p.data.Cases)})
			return ctx.Err()
		})
	}
	err := workers.Wait()
	p.setTraining(Training{})
	return err
}

func (p *Project) loadCase(ctx context.Context, index int) {
	s, err := dataset.Load(ctx, p.data, []int{index}, p.Config.Preprocess, nil)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.refuse(p.data.Cases[index].ID, err)
	default:
		p.canvases.mu.Lock()
		defer p.canvases.mu.Unlock()
		p.canvases.images[p.data.Cases[index].ID] = s.Images
	}
}

// loadMissing tries the cases again that could not be read some time ago.
func (p *Project) loadMissing(ctx context.Context) {
	for i, c := range p.data.Cases {
		if p.canvas(Item{Case: c.ID}) == nil && p.readable(c.ID) {
			p.loadCase(ctx, i)
		}
	}
}

// again is how long a case whose image could not be read is left alone.
const again = 30 * time.Second

// refuse keeps in mind that a case cannot be used for now, and tells everybody.
func (p *Project) refuse(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.bad[name]; !known {
		p.log.Error(err.Error())
		p.hub.send(Event{Type: "problem", Text: err.Error()})
	}
	p.bad[name] = p.now()
}

// readable reports whether a case is there and its image could be read when it was last tried.
func (p *Project) readable(name string) bool {
	if _, ok := p.index[name]; !ok {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	failed, bad := p.bad[name]
	return !bad || p.now().Sub(failed) > again
}

// canvas returns an item on the canvas, nil if its case could not be read or is not loaded yet.
func (p *Project) canvas(item Item) []float32 {
	p.canvases.mu.Lock()
	defer p.canvases.mu.Unlock()
	images := p.canvases.images[item.Case]
	if item.Slice >= len(images) {
		return nil
	}
	return images[item.Slice]
}

// wait returns when all cases are loaded.
func (p *Project) wait(ctx context.Context) error {
	select {
	case <-p.canvases.loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// grid is that of an item's case.
func (p *Project) grid(item Item) volume.Grid { return p.data.Cases[p.index[item.Case]].Grid }

// onCanvas puts a slice's mask on the canvas.
func (p *Project) onCanvas(item Item, mask []uint8) []uint8 {
	g := p.grid(item)
	g.Size[p.Config.Preprocess.Axis] = 1 // a volume of this slice alone
	return p.Config.Preprocess.Labels(mask, g, 0)
}

// items returns all slices of the cases of a role that can be read, by case and slice: the order of a simulation's
// pool.
func (p *Project) items(role store.Role) []Item {
	loaded := false
	select {
	case <-p.canvases.loaded:
		loaded = true
	default:
	}
	var items []Item
	for _, c := range p.data.Cases {
		if p.roles[c.ID] != role || !p.readable(c.ID) || loaded && p.canvas(Item{Case: c.ID}) == nil {
			continue
		}
		for k := range p.Config.Preprocess.Slices(c.Grid) {
			items = append(items, Item{Case: c.ID, Slice: k})
		}
	}
	return items
}

// unlabelled returns the items of a role that could be asked for: neither labelled nor skipped, nor already waiting in
// the queue as one of the given rows.
func (p *Project) unlabelled(ctx context.Context, role store.Role, waiting []store.QueueRow) ([]Item, error) {
	labelled, err := p.store.LabelledItems(ctx)
	if err != nil {
		return nil, err
	}
	skipped, err := p.store.Skipped(ctx)
	if err != nil {
		return nil, err
	}
	out := map[Item]bool{}
	for _, item := range slices.Concat(labelled, skipped) {
		out[item] = true
	}
	for _, q := range waiting {
		out[q.Item] = true
	}
	return slices.DeleteFunc(p.items(role), func(i Item) bool { return out[i] }), nil
}

func (p *Project) setTraining(t Training) {
	p.mu.Lock()
	p.training = t
	p.mu.Unlock()
	p.hub.send(Event{Type: "training", Training: &t})
}

// Training tells how far the training in the background is.
func (p *Project) Training() Training {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.training
}

// modelFile returns the path of a model's weights in the project folder.
func (p *Project) modelFile(version int) string {
	return fmt.Sprintf("%s/models/%04d.safetensors", p.Dir(), version)
}
