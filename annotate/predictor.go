package annotate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/uncertainty"

	"github.com/nextslice/nextslice/annotate/store"
)

// predictor holds the model in use and its answers for queued items. It has a learner of its own, so that proposals do
// not wait for a training.
type predictor struct {
	project *Project

	mu      sync.Mutex // of the learner and its model
	learner Learner
	model   Model

	state   sync.Mutex
	current int                // version of the model, 0 for none
	maps    map[Item][]float32 // its uncertainty maps, of queued items
}

// version returns that of the model in use, 0 if there is none yet.
func (p *predictor) version() int {
	p.state.Lock()
	defer p.state.Unlock()
	return p.current
}

// use makes a stored model the one in use.
func (p *predictor) use(version int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.learner == nil {
		if p.project.learner == nil {
			return nil // without training there are no proposals
		}
		var err error
		if p.learner, err = p.project.learner(); err != nil {
			return err
		}
	}
	c := p.project.Config.Preprocess
	model, err := p.learner.Load(p.project.modelFile(version), c.Height, c.Width)
	if err != nil {
		return fmt.Errorf("model %d: %w", version, err)
	}
	p.model = model
	p.state.Lock()
	defer p.state.Unlock()
	p.current, p.maps = version, map[Item][]float32{}
	return nil
}

func (p *predictor) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.learner == nil {
		return nil
	}
	return p.learner.Close()
}

// uncertainty returns the kept map of an item.
func (p *predictor) uncertainty(item Item) ([]float32, bool) {
	p.state.Lock()
	defer p.state.Unlock()
	m, ok := p.maps[item]
	return m, ok
}

// keep drops the maps of all other items.
func (p *predictor) keep(items map[Item]bool) {
	p.state.Lock()
	defer p.state.Unlock()
	for item := range p.maps {
		if !items[item] {
			delete(p.maps, item)
		}
	}
}

// answers is what a model says of items on their own grids: masks, and uncertainty in nats.
type answers struct {
	version     int // 0 without a model
	masks       map[Item][]uint8
	uncertainty map[Item][]float32
}

// predict computes the answers for items with the model in use, stores the masks and keeps the maps. Items that cannot be
// read are left out.
func (p *predictor) predict(ctx context.Context, items []Item) (a answers, err error) {
	if err := p.project.wait(ctx); err != nil {
		return a, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model == nil {
		return a, nil
	}
	c, classes := p.project.Config.Preprocess, len(p.project.Config.Classes)
	var images [][]float32
	var known []Item
	for _, item := range items {
		if image := p.project.canvas(item); image != nil {
			images, known = append(images, image), append(known, item)
		}
	}
	a = answers{p.version(), map[Item][]uint8{}, map[Item][]float32{}}
	err = p.model.Predict(ctx, images, func(i int, canvas []float32) error {
		item := known[i]
		g := p.project.grid(item)
		h, w := c.SliceSize(g)
		probs, mask, entropy := make([]float32, h*w*classes), make([]uint8, h*w), make([]float32, h*w)
		c.Back(canvas, classes, g, item.Slice, probs)
		preprocess.Argmax(mask, probs, classes)
		uncertainty.Entropy(entropy, probs, classes)
		a.masks[item], a.uncertainty[item] = mask, entropy
		p.state.Lock()
		defer p.state.Unlock()
		p.maps[item] = entropy
		return nil
	})
	if err != nil {
		return answers{}, err
	}
	return a, p.project.store.SaveProposals(ctx, a.version, a.masks)
}

// Proposal returns a model's mask of an item, and the model's version. If the model has made none, as with version 0 or for
// a model that was replaced before anybody asked, it is that of the model in use, computed now if need be.
// store.ErrNotFound: there is no model, or people shall not see its mask.
func (p *Project) Proposal(ctx context.Context, item Item, version int) ([]uint8, int, error) {
	if !p.showsProposal(item) {
		return nil, 0, fmt.Errorf("%s is for validation and is labelled without a proposal: %w", item, store.ErrNotFound)
	}
	for _, version := range []int{version, p.predict.version()} {
		mask, err := p.store.Proposal(ctx, item, version)
		if !errors.Is(err, store.ErrNotFound) {
			return mask, version, err
		}
	}
	a, err := p.predict.predict(ctx, []Item{item})
	if err != nil {
		return nil, 0, err
	}
	if mask, ok := a.masks[item]; ok {
		return mask, a.version, nil
	}
	return nil, 0, fmt.Errorf("no model has segmented %s: %w", item, store.ErrNotFound)
}

// Uncertainty returns the entropy of the model in use at each pixel of an item, in nats.
func (p *Project) Uncertainty(ctx context.Context, item Item) ([]float32, error) {
	if !p.showsProposal(item) {
		return nil, store.ErrNotFound
	}
	if m, ok := p.predict.uncertainty(item); ok {
		return m, nil
	}
	a, err := p.predict.predict(ctx, []Item{item})
	if err != nil {
		return nil, err
	}
	if m, ok := a.uncertainty[item]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("no model has segmented %s: %w", item, store.ErrNotFound)
}
