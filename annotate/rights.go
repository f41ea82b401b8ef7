package annotate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// ErrForbidden says that somebody may not do this.
var ErrForbidden = errors.New("not allowed")

// deed is what somebody wants to do with an item.
type deed string

const (
	seeProposal deed = "see the proposal"
	seeLabel    deed = "see the label" // and the versions of others
	saveLabel   deed = "save a label"
	keepDraft   deed = "keep a draft"
	holdItem    deed = "hold"
	skipItem    deed = "skip"
	release     deed = "release"
	restore     deed = "restore a version"
	askReading  deed = "ask for a second reading"
	review      deed = "review a label"

	startTraining deed = "train" // of the project, not of an item
	stopTraining  deed = "stop a training"
)

// rights say what people may do.
type rights struct {
	cases *Cases
	store *store.Store
}

// may is the one place that decides what somebody may do with an item, nil if it is allowed:
//
//   - The proposal of a validation item is shown to nobody: a label that began as the model's answer would flatter the model.
//   - While two people read an item independently nobody sees what others have made of it; when the two differ, adjudicators do.
//   - What the two have made is undone by adjudicators alone, and so is what an adjudicator has decided.
//   - What somebody else holds is theirs until it lapses; an adjudicator can free it.
//   - What has a label is not skipped: it would stay what is learnt from and exported. A review rejects it.
//   - Adjudicators review labels. Everybody may ask for a training; to stop one, which others may have asked for, is an adjudicator's right.
//
// Without a list of people everybody is an adjudicator.
func may(who Person, do deed, item Item, role store.Role, s store.ItemState) error {
	twice := s.Row != nil && s.Row.Readings > 1
	disputed := s.Row != nil && s.Row.State == store.Disputed
	held := s.Lease != nil && s.Lease.Person != who.Name
	decided := s.Decided && s.Row == nil
	others := slices.ContainsFunc(s.Readers, func(name string) bool { return name != who.Name })
	forbidden := func(why string) error { return fmt.Errorf("%w: %s: %s", ErrForbidden, item, why) }
	labelled := func() error {
		return fault.With(fmt.Errorf("%w: %s is labelled already: instead of a skip, a reviewer rejects the label in Review", ErrConflict, item), fault.Labelled, "item", item)
	}

	switch do {
	case startTraining:
		return nil
	case stopTraining:
		if !who.Adjudicator {
			return fault.With(fmt.Errorf("%w: an adjudicator can stop the training", ErrForbidden), fault.Stoppers)
		}
		return nil
	case seeProposal:
		if role != store.Training {
			return fault.With(fmt.Errorf("%s is for validation and is labelled without a proposal: %w", item, ErrNotFound), fault.Validation, "item", item)
		}
		return nil
	case seeLabel:
		if twice && !(disputed && who.Adjudicator) {
			return fault.With(fmt.Errorf("%s is read independently: %w", item, ErrNotFound), fault.Independent, "item", item)
		}
		return nil
	}
	if held && !(do == release && who.Adjudicator) {
		if do == release {
			return fault.With(forbidden(s.Lease.Person+" is working on it: an adjudicator can free it"), fault.HeldFree, "who", s.Lease.Person, "item", item)
		}
		return fault.With(fmt.Errorf("%w: %s is working on %s", ErrConflict, s.Lease.Person, item), fault.Held, "who", s.Lease.Person, "item", item)
	}
	if who.Adjudicator {
		switch {
		case (do == restore || do == review) && twice:
			return fault.With(fmt.Errorf("%w: %s is being read twice", ErrConflict, item), fault.Twice, "item", item)
		case do == skipItem && s.Label != nil:
			return labelled()
		case do == review && s.Label == nil:
			return fault.With(fmt.Errorf("%w: %s is not labelled yet", ErrConflict, item), fault.NotLabelled, "item", item)
		}
		return nil
	}
	switch do {
	case saveLabel, holdItem: // whoever cannot save it must not keep it from those who can
		if disputed {
			return fault.With(fmt.Errorf("%w: two readings of %s differ: an adjudicator decides", ErrConflict, item), fault.Disputed, "item", item)
		}
		if decided {
			return fault.With(forbidden("an adjudicator has decided it"), fault.Decided, "item", item)
		}
	case skipItem:
		switch {
		case disputed:
			return fault.With(forbidden("two readings differ: an adjudicator decides"), fault.Disputed, "item", item)
		case twice && others:
			return fault.With(forbidden("somebody else has read it: an adjudicator can take it out"), fault.ReadByOther, "item", item)
		case decided:
			return fault.With(forbidden("an adjudicator has decided it"), fault.Decided, "item", item)
		case s.Label != nil:
			return labelled()
		}
	case restore, askReading:
		if twice {
			return fault.With(fmt.Errorf("%w: %s is being read twice", ErrConflict, item), fault.Twice, "item", item)
		}
		if decided {
			return fault.With(forbidden("an adjudicator has decided it"), fault.Decided, "item", item)
		}
	case review:
		return fault.With(forbidden("labels are reviewed by an adjudicator"), fault.Reviewers)
	}
	return nil
}

// allow is may, for the transaction that does it.
func (r rights) allow(who Person, do deed, item Item) store.Allow {
	return func(s store.ItemState) error { return may(who, do, item, r.cases.roles[item.Case], s) }
}

// check is may, with the item's state now.
func (r rights) check(who Person, do deed, item Item) error {
	state, err := r.store.State(item)
	if err != nil {
		return err
	}
	return may(who, do, item, r.cases.roles[item.Case], state)
}

// seesProposal reports whether people see the model's proposal of an item.
func (r rights) seesProposal(item Item) bool {
	return may(Person{}, seeProposal, item, r.cases.roles[item.Case], store.ItemState{}) == nil
}

// visible returns those of some labels that somebody may see.
func (r rights) visible(who Person, labels []store.Labelled, open []store.QueueRow) []store.Labelled {
	rows := map[Item]*store.QueueRow{}
	for i := range open {
		rows[open[i].Item] = &open[i]
	}
	return slices.DeleteFunc(labels, func(l store.Labelled) bool {
		return may(who, seeLabel, l.Item, l.Role, store.ItemState{Row: rows[l.Item], Label: &l.Version}) != nil
	})
}
