package annotate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/metrics"

	"github.com/nextslice/nextslice/annotate/store"
)

// ErrInvalid says that a request cannot be carried out as it stands.
var ErrInvalid = errors.New("invalid")

// Answer is a person's label of an item.
type Answer struct {
	Item     Item
	Mask     []uint8 // class indices, [height width]
	Seconds  float64
	Action   string // store.ActionEdited, ActionAccepted or ActionEmpty
	Proposal *int   // the model whose proposal the person saw
	Base     *int   // the version that the person began with, see store.Save
}

// Save stores a label. When it returns, the label is on disk.
func (p *Project) Save(ctx context.Context, who Person, a Answer) (store.Saved, error) {
	if err := p.checkMask(a.Item, a.Mask); err != nil {
		return store.Saved{}, err
	}
	switch {
	case math.IsNaN(a.Seconds) || a.Seconds < 0:
		return store.Saved{}, fmt.Errorf("%w: seconds: want 0 or more, got %v", ErrInvalid, a.Seconds)
	case a.Action == store.ActionEmpty && foreground(a.Mask):
		return store.Saved{}, fmt.Errorf("%w: the mask is said to be empty and is not", ErrInvalid)
	}
	a.Seconds = min(a.Seconds, 4*3600) // a browser left open overnight is no work
	save := store.Save{
		Item: a.Item, Person: who.Name, Seconds: a.Seconds, Action: a.Action, Mask: a.Mask, Base: a.Base,
		Adjudicator: who.Adjudicator, Agree: p.agree, Agreement: p.Config.Agreement,
	}
	if err := p.compare(ctx, &save, a.Proposal); err != nil {
		return store.Saved{}, err
	}
	saved, err := p.store.Save(ctx, save)
	if err != nil {
		return saved, err
	}
	p.changed(Event{Type: "label", Item: a.Item.String(), Person: who.Name})
	return saved, nil
}

// compare fills in the proposal that a label began with, and its Dice. A validation item's proposal was not shown; it is
// compared all the same, for that tells most about the model.
func (p *Project) compare(ctx context.Context, save *store.Save, shown *int) error {
	version := p.predict.version()
	if shown != nil {
		version = *shown
	} else if p.showsProposal(save.Item) {
		return nil
	}
	mask, err := p.store.Proposal(ctx, save.Item, version)
	if errors.Is(err, store.ErrNotFound) && shown != nil {
		return p.lostProposal(ctx, save, version)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	save.Proposal = &version
	if d := meanDice(mask, save.Mask, len(p.Config.Classes)); !math.IsNaN(d) {
		save.Dice = &d
	}
	return nil
}

// lostProposal notes a proposal that is no longer kept, since somebody left the item open for long. The label is worth
// more than the comparison.
func (p *Project) lostProposal(ctx context.Context, save *store.Save, version int) error {
	models, err := p.store.Models(ctx)
	if err != nil {
		return err
	}
	if version < 1 || version > len(models) {
		return fmt.Errorf("%w: there is no model %d", ErrInvalid, version)
	}
	save.Proposal = &version
	return nil
}

// changed tells everybody that labels have changed.
func (p *Project) changed(e Event) {
	p.hub.send(e)
	nudge(p.labelled)
	nudge(p.dirty)
}

// SaveDraft stores a person's unfinished mask.
func (p *Project) SaveDraft(ctx context.Context, who Person, item Item, mask []uint8) error {
	if err := p.checkMask(item, mask); err != nil {
		return err
	}
	if err := p.store.SaveDraft(ctx, item, who.Name, mask); err != nil {
		return err
	}
	return p.store.Renew(ctx, item, who.Name, p.Config.Lease())
}

// Skip takes an item out of the pool.
func (p *Project) Skip(ctx context.Context, who Person, item Item, reason string, seconds float64) error {
	if err := p.store.Skip(ctx, item, who.Name, reason, seconds); err != nil {
		return err
	}
	p.changed(Event{Type: "queue"})
	return nil
}

// Restore makes an earlier version of an item the label.
func (p *Project) Restore(ctx context.Context, who Person, item Item, version int) (store.Saved, error) {
	saved, err := p.store.Restore(ctx, item, version, who.Name)
	if err == nil {
		p.changed(Event{Type: "label", Item: item.String(), Person: who.Name})
	}
	return saved, err
}

// AskReading asks a second person to label an item independently.
func (p *Project) AskReading(ctx context.Context, who Person, item Item) error {
	err := p.store.AskReading(ctx, item, who.Name)
	if err == nil {
		p.hub.send(Event{Type: "queue"})
	}
	return err
}

// Label returns an item's label as a person may see it, or store.ErrNotFound.
func (p *Project) Label(ctx context.Context, who Person, item Item) ([]uint8, int, error) {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return nil, 0, err
	}
	for _, q := range queue {
		if q.Item == item && !p.seesLabel(&q, who) {
			return nil, 0, fmt.Errorf("%s is read independently: %w", item, store.ErrNotFound)
		}
	}
	return p.store.Label(ctx, item)
}

// Versions returns the versions of an item that a person may see: while it is read independently, only their own.
func (p *Project) Versions(ctx context.Context, who Person, item Item) ([]store.Version, error) {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	all, err := p.store.Versions(ctx, item)
	if err != nil {
		return nil, err
	}
	for _, q := range queue {
		if q.Item == item && !p.seesLabel(&q, who) {
			return slices.DeleteFunc(all, func(v store.Version) bool { return v.Person != who.Name }), nil
		}
	}
	return all, nil
}

// VersionMask returns the mask of a version that a person may see, or store.ErrNotFound.
func (p *Project) VersionMask(ctx context.Context, who Person, item Item, version int) ([]uint8, error) {
	visible, err := p.Versions(ctx, who, item)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(visible, func(v store.Version) bool { return v.Version == version }) {
		return nil, fmt.Errorf("%s has no version %d: %w", item, version, store.ErrNotFound)
	}
	return p.store.VersionMask(ctx, item, version)
}

// checkMask returns ErrInvalid unless a mask has the item's size and only classes that there are.
func (p *Project) checkMask(item Item, mask []uint8) error {
	h, w := p.Config.Preprocess.SliceSize(p.grid(item))
	if len(mask) != h*w {
		return fmt.Errorf("%w: the mask has %d pixels, a slice of %s %d x %d", ErrInvalid, len(mask), item.Case, h, w)
	}
	for i, class := range mask {
		if int(class) >= len(p.Config.Classes) {
			return fmt.Errorf("%w: pixel %d has class %d, the classes are 0 to %d", ErrInvalid, i, class, len(p.Config.Classes)-1)
		}
	}
	return nil
}

// agree is the agreement of two readings: two empty ones agree.
func (p *Project) agree(a, b []uint8) float64 {
	if d := meanDice(a, b, len(p.Config.Classes)); !math.IsNaN(d) {
		return d
	}
	return 1
}

// meanDice returns the mean Dice over the foreground classes that are in either mask, NaN if none is.
func meanDice(pred, ref []uint8, classes int) float64 {
	sum, n := 0.0, 0
	for class := 1; class < classes; class++ {
		if d, defined := metrics.Dice(pred, ref, uint8(class)); defined {
			sum += d
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
