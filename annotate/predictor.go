package annotate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Predictor is the model in use and what it predicts for queued items. It has a learner to itself, so that proposals do
// not wait for a training.
type Predictor struct {
	store   *store.Store
	cases   *Cases
	rights  rights
	files   modelFiles
	learner func() (Learner, error) // nil: there are no proposals

	mu      sync.Mutex // of the network: predictions take their turns
	open    Learner
	network Network

	state   sync.Mutex
	current int                // version of the network, 0 for none
	maps    map[Item][]float32 // its uncertainty maps, of queued items and some that were asked for
	most    int                // bytes of them
	bytes   int
}

// version returns that of the model in use, 0 if there is none yet.
func (p *Predictor) version() int {
	p.state.Lock()
	defer p.state.Unlock()
	return p.current
}

// useNewest takes the model that was in use when the project was closed.
func (p *Predictor) useNewest(ctx context.Context) error {
	models, err := p.store.Models(ctx)
	if m := lastAdopted(models); m != nil {
		return p.use(ctx, *m)
	}
	return err
}

// lastAdopted returns the model in use, nil if there is none.
func lastAdopted(models []store.Model) *store.Model {
	for i := len(models) - 1; i >= 0; i-- {
		if models[i].Adopted {
			return &models[i]
		}
	}
	return nil
}

// use makes a stored model the one in use.
func (p *Predictor) use(ctx context.Context, m store.Model) error {
	if p.learner == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		var err error
		if p.open, err = p.learner(); err != nil {
			return err
		}
	}
	n, err := p.files.load(ctx, p.open, m)
	if err != nil {
		return err
	}
	p.network = n
	p.state.Lock()
	defer p.state.Unlock()
	p.current, p.maps, p.bytes = m.Version, map[Item][]float32{}, 0
	return nil
}

// borrow calls use with the network in use while nobody else uses it, or with nil if there is none.
func (p *Predictor) borrow(use func(Network) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return use(p.network)
}

func (p *Predictor) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		return nil
	}
	return p.open.Close()
}

// uncertaintyOf returns the kept map of an item.
func (p *Predictor) uncertaintyOf(item Item) ([]float32, bool) {
	p.state.Lock()
	defer p.state.Unlock()
	m, ok := p.maps[item]
	return m, ok
}

// keep keeps a map, and drops others where there are too many: they can be computed again.
func (p *Predictor) keep(item Item, entropy []float32) {
	p.state.Lock()
	defer p.state.Unlock()
	p.drop(item)
	p.maps[item] = entropy
	p.bytes += 4 * len(entropy)
	for other := range p.maps {
		if p.bytes <= p.most {
			return
		}
		if other != item {
			p.drop(other)
		}
	}
}

// drop forgets a map. The caller holds p.state.
func (p *Predictor) drop(item Item) {
	p.bytes -= 4 * len(p.maps[item])
	delete(p.maps, item)
}

// prepare predicts queued items ahead and drops the maps of all others.
func (p *Predictor) prepare(ctx context.Context, queue []store.QueueRow) error {
	queued := map[Item]bool{}
	var missing []Item
	for _, row := range queue {
		queued[row.Item] = true
		if _, ok := p.uncertaintyOf(row.Item); !ok {
			missing = append(missing, row.Item)
		}
	}
	p.state.Lock()
	for item := range p.maps {
		if !queued[item] {
			p.drop(item)
		}
	}
	p.state.Unlock()
	if len(missing) == 0 {
		return nil
	}
	_, err := p.predict(ctx, missing)
	return err
}

// predictions are what a model says of items on the grids of their cases: masks, and uncertainty in nats.
type predictions struct {
	version     int // 0 without a model
	masks       map[Item][]uint8
	uncertainty map[Item][]float32
}

// predict computes the predictions for items with the model in use, stores the masks and keeps the maps. Items that cannot
// be read are left out.
func (p *Predictor) predict(ctx context.Context, items []Item) (predictions, error) {
	if err := p.cases.wait(ctx); err != nil {
		return predictions{}, err
	}
	a := predictions{masks: map[Item][]uint8{}, uncertainty: map[Item][]float32{}}
	err := p.borrow(func(n Network) error {
		if n == nil {
			return nil
		}
		a.version = p.version()
		err := p.cases.segment(ctx, n, items, func(item Item, probs []float32, mask []uint8) error {
			entropy := make([]float32, len(mask))
			uncertainty.Entropy(entropy, probs, len(p.cases.set.Classes))
			a.masks[item], a.uncertainty[item] = bytes.Clone(mask), entropy
			p.keep(item, entropy)
			return nil
		})
		if err != nil {
			return err
		}
		return p.store.SaveProposals(ctx, a.version, a.masks)
	})
	return a, err
}

// Proposal returns a model's mask of an item, and the model's version. If the model has made none, as with version 0 or for
// a model that was replaced before anybody asked, it is that of the model in use, computed now if need be. ErrNotFound:
// there is no model, or people shall not see its mask.
func (p *Predictor) Proposal(ctx context.Context, item Item, version int) ([]uint8, int, error) {
	if !p.rights.seesProposal(item) {
		return nil, 0, fault.With(fmt.Errorf("%s is for validation and is labelled without a proposal: %w", item, ErrNotFound), fault.Validation, "item", item)
	}
	for _, version := range []int{version, p.version()} {
		mask, err := p.store.Proposal(ctx, item, version)
		if !errors.Is(err, ErrNotFound) {
			return mask, version, err
		}
	}
	a, err := p.predict(ctx, []Item{item})
	if err != nil {
		return nil, 0, err
	}
	if mask, ok := a.masks[item]; ok {
		return mask, a.version, nil
	}
	return nil, 0, fault.With(fmt.Errorf("no model has segmented %s: %w", item, ErrNotFound), fault.NotSegmented, "item", item)
}

// Uncertainty returns the entropy of the model in use at each pixel of an item, in nats.
func (p *Predictor) Uncertainty(ctx context.Context, item Item) ([]float32, error) {
	if !p.rights.seesProposal(item) {
		return nil, ErrNotFound
	}
	if m, ok := p.uncertaintyOf(item); ok {
		return m, nil
	}
	a, err := p.predict(ctx, []Item{item})
	if err != nil {
		return nil, err
	}
	if m, ok := a.uncertainty[item]; ok {
		return m, nil
	}
	return nil, fault.With(fmt.Errorf("no model has segmented %s: %w", item, ErrNotFound), fault.NotSegmented, "item", item)
}

// Chances returns what the model in use makes of a class at each pixel of an item, from 0 for never to 255 for always, and the model's version.
// ErrNotFound: there is no model, no such class, or people shall not see what it says.
func (p *Predictor) Chances(ctx context.Context, item Item, class int) (chances []uint8, version int, err error) {
	if !p.rights.seesProposal(item) {
		return nil, 0, fault.With(fmt.Errorf("%s is for validation and is labelled without a proposal: %w", item, ErrNotFound), fault.Validation, "item", item)
	}
	classes := len(p.cases.set.Classes)
	if class < 0 || class >= classes {
		return nil, 0, fmt.Errorf("the model knows the classes 0 to %d, not %d: %w", classes-1, class, ErrNotFound)
	}
	if err := p.cases.wait(ctx); err != nil {
		return nil, 0, err
	}
	err = p.borrow(func(n Network) error {
		if n == nil {
			return nil
		}
		version = p.version()
		return p.cases.segment(ctx, n, []Item{item}, func(_ Item, probs []float32, mask []uint8) error {
			chances = make([]uint8, len(mask))
			for i := range chances {
				chances[i] = uint8(math.Round(255 * float64(min(1, max(0, probs[i*classes+class])))))
			}
			return nil
		})
	})
	if err == nil && chances == nil {
		err = fault.With(fmt.Errorf("no model has segmented %s: %w", item, ErrNotFound), fault.NotSegmented, "item", item)
	}
	return chances, version, err
}

// InUse returns the version of the model that predicts now, 0 if there is none.
func (p *Predictor) InUse() int { return p.version() }

// Shows reports whether people see the masks of models in a case: not in those for validation.
func (p *Predictor) Shows(name string) bool { return p.rights.seesProposal(Item{Case: name}) }

// Case returns what the model in use makes of a whole case; background where there is no model, or where people shall not
// see it.
func (p *Predictor) Case(ctx context.Context, name string) (*volume.Mask, error) {
	if err := p.cases.check(name); err != nil {
		return nil, err
	}
	mask := p.cases.emptyMask(name)
	if p.version() == 0 || !p.rights.seesProposal(Item{Case: name}) {
		return mask, nil
	}
	return mask, p.segmentCase(ctx, p.now(), name, mask)
}

// now returns the network in use, nil if there is none. It goes on to predict, through segmentCase, when another has taken its place.
func (p *Predictor) now() Network {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.network
}

// segmentCase predicts all slices of a case with a network that was in use, nil for background. Nothing is stored.
func (p *Predictor) segmentCase(ctx context.Context, n Network, name string, mask *volume.Mask) error {
	if err := p.cases.wait(ctx); err != nil {
		return err
	}
	if p.cases.slice(Item{Case: name}) == nil {
		return fault.With(fmt.Errorf("%s: %w", name, ErrGone), fault.Image, "case", name, "text", ErrGone.Error())
	}
	if n == nil {
		return nil
	}
	return p.borrow(func(Network) error {
		return p.cases.segment(ctx, n, p.cases.slicesOf(name), func(item Item, _ []float32, slice []uint8) error {
			mask.SetSlice(p.cases.config.Axis, item.Slice, slice)
			return nil
		})
	})
}
