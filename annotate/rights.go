package annotate

import (
	"errors"
	"fmt"
	"slices"

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

	switch do {
	case startTraining:
		return nil
	case stopTraining:
		if !who.Adjudicator {
			return fmt.Errorf("%w: an adjudicator can stop the training", ErrForbidden)
		}
		return nil
	case seeProposal:
		if role != store.Training {
			return fmt.Errorf("%s is for validation and is labelled without a proposal: %w", item, ErrNotFound)
		}
		return nil
	case seeLabel:
		if twice && !(disputed && who.Adjudicator) {
			return fmt.Errorf("%s is read independently: %w", item, ErrNotFound)
		}
		return nil
	}
	if held && !(do == release && who.Adjudicator) {
		if do == release {
			return forbidden(s.Lease.Person + " is working on it: an adjudicator can free it")
		}
		return fmt.Errorf("%w: %s is working on %s", ErrConflict, s.Lease.Person, item)
	}
	if who.Adjudicator {
		switch {
		case (do == restore || do == review) && twice:
			return fmt.Errorf("%w: %s is being read twice", ErrConflict, item)
		case do == review && s.Label == nil:
			return fmt.Errorf("%w: %s is not labelled yet", ErrConflict, item)
		}
		return nil
	}
	switch do {
	case saveLabel, holdItem: // whoever cannot save it must not keep it from those who can
		if disputed {
			return fmt.Errorf("%w: two readings of %s differ: an adjudicator decides", ErrConflict, item)
		}
		if decided {
			return forbidden("an adjudicator has decided it")
		}
	case skipItem:
		switch {
		case disputed:
			return forbidden("two readings differ: an adjudicator decides")
		case twice && others:
			return forbidden("somebody else has read it: an adjudicator can take it out")
		case decided:
			return forbidden("an adjudicator has decided it")
		}
	case restore, askReading:
		if twice {
			return fmt.Errorf("%w: %s is being read twice", ErrConflict, item)
		}
		if decided {
			return forbidden("an adjudicator has decided it")
		}
	case review:
		return forbidden("labels are reviewed by an adjudicator")
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
