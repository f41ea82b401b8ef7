package annotate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// Sample is a case with the slices that a person is asked for at once: what programs need that show whole volumes.
type Sample struct {
	Case   string
	Slices []int // leased to the person, in increasing order

	began map[int]int // the newest versions of the case's labels that the person knows: of the slices asked for when they were given, of all when they loaded them
	model int         // whose masks of the slices the person sees, 0 for none
}

// NextCase leases the waiting slices of one case to a person, of that with the most of them. after, which may be empty, is the case that
// the person lays aside. ErrNotFound: nothing waits for this person.
func (q *Queue) NextCase(ctx context.Context, who Person, after string) (*Sample, error) {
	for {
		refuse := map[string]bool{}
		for name := range q.cases.roles {
			refuse[name] = !q.cases.readable(name)
		}
		rows, err := q.store.NextCase(ctx, store.Want{Person: who.Name, Refuse: refuse, Lease: q.config.Lease(), Most: leases}, after)
		if err != nil {
			return nil, err
		}
		s := &Sample{Case: rows[0].Item.Case}
		for _, row := range rows {
			s.Slices = append(s.Slices, row.Item.Slice)
		}
		slices.Sort(s.Slices)
		if _, err := q.cases.volume(s.Case); err != nil { // it is refused in the next turn
			for _, row := range rows {
				if err := q.store.Release(ctx, row.Item, who.Name, nil); err != nil {
					return nil, err
				}
			}
			continue
		}
		q.events.send(Event{Type: "queue"})
		if s.model, err = q.drawn(ctx, s.Case); err != nil {
			return nil, err
		}
		if s.began, err = q.versions(ctx, who, s.Case); err != nil {
			return nil, err
		}
		maps.DeleteFunc(s.began, func(slice, _ int) bool { return !slices.Contains(s.Slices, slice) }) // nobody has seen the others yet
		return s, nil
	}
}

// KeepCase keeps the slices of a sample for a person, so far as nobody else has them by now, for as many leases as there are slices.
func (q *Queue) KeepCase(ctx context.Context, who Person, s *Sample) error {
	for _, slice := range s.Slices {
		lease := min(q.config.Lease()*time.Duration(len(s.Slices)), 24*time.Hour)
		item, want := Item{Case: s.Case, Slice: slice}, store.Want{Person: who.Name, Lease: lease, Most: leases + len(s.Slices)}
		_, err := q.store.Hold(ctx, item, want, q.rights.allow(who, holdItem, item))
		if err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrForbidden) {
			return err
		}
	}
	return nil
}

// drawn returns the version of the model whose masks people draw with in a case, 0 if they see none.
func (q *Queue) drawn(ctx context.Context, name string) (int, error) {
	version := q.model.version()
	if version == 0 || !q.rights.seesProposal(Item{Case: name}) {
		return 0, nil
	}
	models, err := q.store.Models(ctx)
	if err != nil || version > len(models) {
		return 0, err
	}
	quality, err := q.jury.quality(ctx, models[version-1])
	if err != nil || quality == nil || *quality < drawsFrom {
		return 0, err
	}
	return version, nil
}

// versions returns the versions of a case's labels that a person may see, by slice.
func (q *Queue) versions(ctx context.Context, who Person, name string) (map[int]int, error) {
	labels, err := q.store.LabelList(ctx, name)
	if err != nil {
		return nil, err
	}
	open, err := q.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	versions := map[int]int{}
	for _, l := range q.rights.visible(who, labels, open) {
		versions[l.Item.Slice] = l.Version.Version
	}
	return versions, nil
}

// SampleMask returns what a person begins with: the labels of the case that they may see and, on the slices of the sample without one,
// the masks of the model that draws for people.
func (p *Project) SampleMask(ctx context.Context, who Person, s *Sample) (*volume.Mask, error) {
	mask, err := p.Labels.Mask(ctx, who, s.Case)
	if err != nil || s.model == 0 {
		return mask, err
	}
	for _, slice := range s.Slices {
		if s.began[slice] > 0 {
			continue
		}
		proposal, _, err := p.Predictor.Proposal(ctx, Item{Case: s.Case, Slice: slice}, s.model)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		mask.SetSlice(p.Config.Preprocess.Axis, slice, proposal)
	}
	return mask, nil
}

// SampleOf returns the sample of a person who was given none, or has submitted it: the slices of the case that they hold. It has none if they
// hold none. before, from SaveSample or Loaded, is what they know of the case's labels; nil: nothing, so that none is replaced.
func (q *Queue) SampleOf(ctx context.Context, who Person, name string, before *Sample) (*Sample, error) {
	if err := q.cases.check(name); err != nil {
		return nil, err
	}
	open, err := q.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	s := &Sample{Case: name, began: map[int]int{}}
	for _, row := range open {
		if row.Item.Case == name && row.Lease != nil && row.Lease.Person == who.Name {
			s.Slices = append(s.Slices, row.Item.Slice)
		}
	}
	slices.Sort(s.Slices)
	if s.model, err = q.drawn(ctx, name); err != nil {
		return nil, err
	}
	if before != nil {
		s.began = before.began
	}
	return s, nil
}

// Loaded returns a sample as it is for a person who loads the case's labels now. The labels are to be read after it, never before.
func (q *Queue) Loaded(ctx context.Context, who Person, s *Sample) (*Sample, error) {
	now := *s
	var err error
	now.began, err = q.versions(ctx, who, s.Case)
	return &now, err
}

// SaveSample stores the slices of a case's mask that the person was asked for, or all of them, all or nothing, and returns which, and the sample
// as it is for the person from then on: with the labels that they have made, and nothing that is asked for. With all,
// slices whose label is the same already are left as they are. So are, always, slices that have a newer label than the person knows and on which
// the mask is what they were given: nothing was said of them here. Other newer labels are ErrConflict, the person's own too. The grid may differ from the case's
// as volume.Mask.On allows.
func (l *Labels) SaveSample(ctx context.Context, who Person, s *Sample, mask *volume.Mask, all bool) ([]int, *Sample, error) {
	if err := l.cases.check(s.Case); err != nil {
		return nil, nil, err
	}
	mask, err := mask.On(l.cases.grid(Item{Case: s.Case}))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the mask is not that of %s: %w", ErrInvalid, s.Case, err)
	}
	wanted := s.Slices
	if all {
		wanted = nil
		for _, item := range l.cases.slicesOf(s.Case) {
			wanted = append(wanted, item.Slice)
		}
	}
	var saves []store.Save
	var saved []int
	for _, k := range wanted {
		a := Answer{Item: Item{Case: s.Case, Slice: k}, Mask: mask.Slice(l.config.Preprocess.Axis, k), Action: Edited, Base: new(s.began[k])}
		row, err := l.store.Row(a.Item)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, nil, err
		}
		twice := row.Readings > 1
		if all && !twice && !slices.Contains(s.Slices, k) {
			if label, _, err := l.store.Label(ctx, a.Item); err == nil && bytes.Equal(label, a.Mask) {
				continue
			}
		}
		if s.model > 0 && slices.Contains(s.Slices, k) && s.began[k] == 0 {
			a.Proposal = &s.model
			if shown, err := l.store.Proposal(ctx, a.Item, s.model); err == nil && bytes.Equal(shown, a.Mask) {
				a.Action = Accepted
			}
		}
		if a.Action == Edited && !foreground(a.Mask) {
			a.Action = Empty
		}
		if twice { // a second reader begins without the first reading
			a.Base = nil
		}
		if newest, err := l.store.LabelVersion(ctx, a.Item); err == nil && a.Base != nil && newest > *a.Base && l.asGiven(ctx, s, k, a.Mask) {
			continue
		}
		save, err := l.prepare(ctx, who, a)
		if err != nil {
			return nil, nil, err
		}
		saves, saved = append(saves, save), append(saved, k)
	}
	after := &Sample{Case: s.Case, began: maps.Clone(s.began)}
	if len(saves) == 0 {
		return nil, after, nil
	}
	versions, err := l.store.SaveAll(ctx, saves)
	if err != nil {
		return nil, nil, err
	}
	for i, k := range saved {
		if versions[i].Labelled {
			after.began[k] = versions[i].Version
		}
		l.events.labelsChanged(Event{Type: "label", Item: Item{Case: s.Case, Slice: k}.String(), Person: who.Name})
	}
	return saved, after, nil
}

// asGiven reports whether a slice's mask is the one of SampleMask.
func (l *Labels) asGiven(ctx context.Context, s *Sample, k int, mask []uint8) bool {
	item := Item{Case: s.Case, Slice: k}
	if s.began[k] > 0 {
		label, err := l.store.VersionMask(ctx, item, s.began[k])
		return err == nil && bytes.Equal(label, mask)
	}
	if s.model > 0 && slices.Contains(s.Slices, k) {
		if proposal, err := l.store.Proposal(ctx, item, s.model); err == nil {
			return bytes.Equal(proposal, mask)
		}
	}
	return !foreground(mask)
}

// Describe says in a sentence which slices a sample asks for: counted from 1, as the page does, and where they lie along their
// normal, see volume.Slices.Position.
func (c *Cases) Describe(s *Sample) string {
	if len(s.Slices) == 0 {
		return "No slice of " + s.Case + " is asked for."
	}
	grid := c.grid(Item{Case: s.Case})
	along := grid.Slices(c.config.Axis)
	var places []string
	for _, k := range s.Slices {
		places = append(places, fmt.Sprintf("%d (%.4g %s)", k+1, along.Position(k), grid.Unit))
	}
	what := "slices "
	if len(places) == 1 {
		what = "slice "
	}
	return fmt.Sprintf("Label of %s: %s%s.", s.Case, what, strings.Join(places, ", "))
}
