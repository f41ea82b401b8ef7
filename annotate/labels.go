package annotate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Labels are the masks that people have saved.
type Labels struct {
	config Config
	store  *store.Store
	cases  *Cases
	events *Events
	rights rights
	model  inUse
}

// inUse tells the version of the model whose proposals people see, 0 if there is none.
type inUse interface{ version() int }

// How a label came about.
const (
	Edited   = store.ActionEdited   // drawn, or a proposal corrected
	Accepted = store.ActionAccepted // the proposal as it was
	Empty    = store.ActionEmpty    // nothing there
)

// ErrInvalid says that a request cannot be carried out as it stands.
var ErrInvalid = errors.New("invalid")

// Answer is a person's label of an item.
type Answer struct {
	Item     Item
	Mask     []uint8 // class indices, [height width]
	Seconds  float64
	Action   string // Edited, Accepted or Empty
	Proposal *int   // the model whose proposal the person saw
	Base     *int   // the newest version of the label that the person knows, 0 for none: a newer one is not replaced; nil skips that check
}

// Saved says what became of a mask.
type Saved = store.Saved

// Save stores a label. When it returns, the label is on disk.
func (l *Labels) Save(ctx context.Context, who Person, a Answer) (Saved, error) {
	save, err := l.prepare(ctx, who, a)
	if err != nil {
		return Saved{}, err
	}
	saved, err := l.store.Save(ctx, save)
	if err == nil {
		l.events.labelsChanged(Event{Type: "label", Item: a.Item.String(), Person: who.Name})
	}
	return saved, err
}

// prepare checks an answer and completes what is stored of it.
func (l *Labels) prepare(ctx context.Context, who Person, a Answer) (store.Save, error) {
	if err := l.checkMask(a.Item, a.Mask); err != nil {
		return store.Save{}, err
	}
	switch {
	case !(a.Seconds >= 0) || math.IsInf(a.Seconds, 0):
		return store.Save{}, fmt.Errorf("%w: seconds: want 0 or more, got %v", ErrInvalid, a.Seconds)
	case a.Action == Empty && foreground(a.Mask):
		return store.Save{}, fmt.Errorf("%w: the mask is said to be empty and is not", ErrInvalid)
	}
	save := store.Save{
		Item: a.Item, Person: who.Name, Action: a.Action, Mask: a.Mask, Base: a.Base,
		Seconds: a.Seconds,
		Allow:   l.rights.allow(who, saveLabel, a.Item), Adjudicator: who.Adjudicator, Agree: l.agree, Agreement: l.config.Agreement,
	}
	err := l.compare(ctx, &save, a.Proposal)
	return save, err
}

// compare fills in the proposal that a label began with, and its Dice. A validation item's proposal was not shown; it is
// compared all the same, for that tells most about the model.
func (l *Labels) compare(ctx context.Context, save *store.Save, shown *int) error {
	version := l.model.version()
	if shown != nil {
		version = *shown
	} else if l.rights.seesProposal(save.Item) {
		return nil
	}
	mask, err := l.store.Proposal(ctx, save.Item, version)
	if errors.Is(err, ErrNotFound) && shown != nil {
		return l.lostProposal(ctx, save, version)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	save.Proposal = &version
	if d := metrics.MeanDice(mask, save.Mask, len(l.config.Classes)); !math.IsNaN(d) {
		save.Dice = &d
	}
	return nil
}

// lostProposal notes a proposal that is no longer kept, since somebody left the item open for long. The label is worth
// more than the comparison.
func (l *Labels) lostProposal(ctx context.Context, save *store.Save, version int) error {
	models, err := l.store.Models(ctx)
	if err != nil {
		return err
	}
	if version < 1 || version > len(models) {
		return fault.With(fmt.Errorf("%w: there is no model %d", ErrInvalid, version), fault.NoModel, "model", version)
	}
	save.Proposal = &version
	return nil
}

// agree is the agreement of two readings: two empty ones agree.
func (l *Labels) agree(a, b []uint8) float64 {
	if d := metrics.MeanDice(a, b, len(l.config.Classes)); !math.IsNaN(d) {
		return d
	}
	return 1
}

// SaveDraft stores a person's unfinished mask. base is the newest version of the label that the person knows, 0 for none.
func (l *Labels) SaveDraft(ctx context.Context, who Person, item Item, mask []uint8, base int) error {
	if err := l.checkMask(item, mask); err != nil {
		return err
	}
	if err := l.rights.check(who, keepDraft, item); err != nil {
		return err
	}
	if err := l.store.SaveDraft(ctx, item, who.Name, mask, base); err != nil {
		return err
	}
	return l.store.Renew(ctx, item, who.Name, l.config.Lease())
}

// Draft returns a person's unfinished mask, or ErrNotFound.
func (l *Labels) Draft(ctx context.Context, who Person, item Item) ([]uint8, error) {
	return l.store.Draft(ctx, item, who.Name)
}

// Restore makes an earlier version of an item the label. base is the newest version that the person knows, as Answer.Base.
func (l *Labels) Restore(ctx context.Context, who Person, item Item, version int, base *int) (Saved, error) {
	saved, err := l.store.Restore(ctx, item, version, who.Name, base, l.rights.allow(who, restore, item))
	if err == nil {
		l.events.labelsChanged(Event{Type: "label", Item: item.String(), Person: who.Name})
	}
	return saved, err
}

// Label returns an item's label as a person may see it, or ErrNotFound.
func (l *Labels) Label(ctx context.Context, who Person, item Item) (mask []uint8, version int, err error) {
	if err := l.rights.check(who, seeLabel, item); err != nil {
		return nil, 0, err
	}
	return l.store.Label(ctx, item)
}

// Version is one saved mask.
type Version struct {
	Version        int       `json:"version"`
	Who            string    `json:"who"`
	When           time.Time `json:"when"`
	Seconds        float64   `json:"seconds"`
	Action         string    `json:"action"`
	Proposal       *int      `json:"proposal" doc:"The model whose proposal it was compared with."`
	DiceToProposal *float64  `json:"dice_to_proposal"`
	Reading        int       `json:"reading" doc:"1 or 2 for one of two independent readings, else 0."`
	Agreement      *float64  `json:"agreement" doc:"Dice of two readings."`
	Restored       *int      `json:"restored" doc:"The version that this one brings back."`
}

// Versions returns the versions of an item that a person may see: while it is read independently, only those that the person made.
func (l *Labels) Versions(ctx context.Context, who Person, item Item) ([]Version, error) {
	hidden := l.rights.check(who, seeLabel, item)
	if hidden != nil && !errors.Is(hidden, ErrNotFound) {
		return nil, hidden
	}
	all, err := l.store.Versions(ctx, item)
	visible := []Version{}
	for _, v := range all {
		if hidden == nil || v.Person == who.Name {
			visible = append(visible, Version{v.Version, v.Person, v.At, v.Seconds, v.Action, v.Proposal, v.Dice, v.Reading, v.Agreement, v.Restored})
		}
	}
	return visible, err
}

// VersionMask returns the mask of a version that a person may see, or ErrNotFound.
func (l *Labels) VersionMask(ctx context.Context, who Person, item Item, version int) ([]uint8, error) {
	visible, err := l.Versions(ctx, who, item)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(visible, func(v Version) bool { return v.Version == version }) {
		return nil, fault.With(fmt.Errorf("%s has no version %d: %w", item, version, ErrNotFound), fault.NoVersion, "item", item, "version", version)
	}
	return l.store.VersionMask(ctx, item, version)
}

// Mask returns the labels of a case that a person may see as one mask; other slices are background.
func (l *Labels) Mask(ctx context.Context, who Person, name string) (*volume.Mask, error) {
	if err := l.cases.check(name); err != nil {
		return nil, err
	}
	labels, err := l.store.Labels(ctx, name)
	if err != nil {
		return nil, err
	}
	open, err := l.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	mask := l.cases.emptyMask(name)
	return mask, l.cases.place(mask, l.rights.visible(who, labels, open)) // a file that lacks a label without a word would be worse than none
}

// Cases returns how many cases have labels.
func (l *Labels) Cases(ctx context.Context) (n int, err error) {
	items, err := l.store.LabelledItems(ctx) // by case
	for i, item := range items {
		if i == 0 || items[i-1].Case != item.Case {
			n++
		}
	}
	return n, err
}

// checkMask returns ErrInvalid unless a mask has the item's size and only classes that there are.
func (l *Labels) checkMask(item Item, mask []uint8) error {
	h, w := l.config.Preprocess.SliceSize(l.cases.grid(item))
	if len(mask) != h*w {
		return fault.With(fmt.Errorf("%w: the mask has %d pixels, a slice of %s %d x %d", ErrInvalid, len(mask), item.Case, h, w), fault.MaskSize, "pixels", len(mask), "case", item.Case, "height", h, "width", w)
	}
	for i, class := range mask {
		if !l.config.isClass(class) {
			return fmt.Errorf("%w: pixel %d has class %d, the classes are 0 to %d", ErrInvalid, i, class, len(l.config.Classes)-1)
		}
	}
	return nil
}
