package annotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Reviews are what reviewers say of labels. A review is of one version: when somebody saves again, the label waits for a review again.
type Reviews struct {
	store  *store.Store
	cases  *Cases
	events *Events
	rights rights
}

// Statuses of a review; a label without one waits for it.
const (
	ReviewAccepted = store.ReviewAccepted
	ReviewRejected = store.ReviewRejected // it is not learnt from, and judges no model
	ReviewDiscuss  = store.ReviewDiscuss  // to be discussed
	ReviewReturned = store.ReviewReturned // sent back with a note: the slice is asked for again
)

// longestNote bounds a note, in characters.
const longestNote = 1000

// ReviewedCase is how far the review of a case is.
type ReviewedCase struct {
	Case     string `json:"case"`
	Use      string `json:"use" enum:"training,validation"`
	Slices   int    `json:"slices"`
	Labelled int    `json:"labelled"`
	Waiting  int    `json:"waiting" doc:"Labels that nobody has reviewed as they are now."`
	Accepted int    `json:"accepted"`
	Rejected int    `json:"rejected"`
	Discuss  int    `json:"discuss"`
	Returned int    `json:"returned" doc:"Sent back, and not saved again yet."`
}

// ReviewedItem is a label with its newest review.
type ReviewedItem struct {
	Item    string    `json:"item"`
	Version int       `json:"version" doc:"That is the label."`
	Who     string    `json:"who" doc:"Whose label it is; empty for a mask that came with the data."`
	When    time.Time `json:"when"`
	Action  string    `json:"action"`
	Status  string    `json:"status" enum:",accepted,rejected,discuss,returned" doc:"Of the label as it is now; empty while it waits for a review."`
	Last    *Review   `json:"last" doc:"The newest review, which may be of an earlier version."`
}

// Review is what a reviewer has said of a label.
type Review struct {
	Version int       `json:"version"`
	Who     string    `json:"who"`
	When    time.Time `json:"when"`
	Status  string    `json:"status" enum:"accepted,rejected,discuss,returned"`
	Note    string    `json:"note"`
}

// Cases returns the reviewer's list: how far the review of each case with labels is.
func (r *Reviews) Cases(ctx context.Context, who Person) ([]ReviewedCase, error) {
	items, err := r.items(ctx, who, "")
	if err != nil {
		return nil, err
	}
	byCase := map[string]*ReviewedCase{}
	for _, i := range items {
		item, err := store.ParseItem(i.Item)
		if err != nil {
			return nil, err
		}
		c := byCase[item.Case]
		if c == nil {
			c = &ReviewedCase{Case: item.Case, Use: string(r.cases.roles[item.Case])}
			byCase[item.Case] = c
		}
		c.Labelled++
		*map[string]*int{"": &c.Waiting, ReviewAccepted: &c.Accepted, ReviewRejected: &c.Rejected, ReviewDiscuss: &c.Discuss, ReviewReturned: &c.Returned}[i.Status]++
	}
	list := []ReviewedCase{}
	for _, one := range r.cases.set.Cases {
		if c := byCase[one.ID]; c != nil {
			c.Slices = r.cases.config.Slices(one.Grid)
			list = append(list, *c)
		}
	}
	return list, nil
}

// Items returns the labels of a case that a person may see, by slice.
func (r *Reviews) Items(ctx context.Context, who Person, name string) ([]ReviewedItem, error) {
	if err := r.cases.check(name); err != nil {
		return nil, err
	}
	return r.items(ctx, who, name)
}

// items returns the labels of a case, of all for "".
func (r *Reviews) items(ctx context.Context, who Person, name string) ([]ReviewedItem, error) {
	labels, err := r.store.LabelList(ctx, name)
	if err != nil {
		return nil, err
	}
	open, err := r.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	items := []ReviewedItem{}
	for _, l := range r.rights.visible(who, labels, open) {
		i := ReviewedItem{Item: l.Item.String(), Version: l.Version.Version, Who: l.Person, When: l.At, Action: l.Action, Status: l.Status()}
		if last := l.Review; last != nil {
			i.Last = &Review{last.Version, last.Person, last.At, last.Status, last.Note}
		}
		items = append(items, i)
	}
	return items, nil
}

// Judgement is a review to be stored.
type Judgement struct {
	Status  string
	Note    string // of at most 1000 characters; one that is sent back needs one
	Version int    // of one label: that the reviewer saw; 0 skips the check that nobody has saved since

	// Of all labels of a case: the versions that the reviewer saw, by item; nil for those that there are now.
	Shown   map[string]int
	Settles bool // labels that are to be discussed are judged too
}

// Item reviews the label of an item.
func (r *Reviews) Item(ctx context.Context, who Person, item Item, j Judgement) error {
	note, err := j.check()
	if err != nil {
		return err
	}
	one := store.Review{Item: item, Version: j.Version, Person: who.Name, Status: j.Status, Note: note}
	return r.changed(r.store.AddReview(ctx, one, r.rights.allow(who, review, item)))
}

// Case reviews all labels of a case that wait for it, all or nothing, and returns how many. A review of all counts for the versions that the reviewer
// saw, and leaves alone what has been reviewed as it is: what was saved since goes on waiting, and a label that was rejected or sent back stays
// so. Labels that the person may not see, and those that two people are reading, are none of them. ErrConflict: there is none.
func (r *Reviews) Case(ctx context.Context, who Person, name string, j Judgement) (n int, err error) {
	note, err := j.check()
	if err != nil {
		return 0, err
	}
	if err := r.cases.check(name); err != nil {
		return 0, err
	}
	labels, err := r.store.LabelList(ctx, name)
	if err != nil {
		return 0, err
	}
	open, err := r.store.Queue(ctx, false)
	if err != nil {
		return 0, err
	}
	labels = slices.DeleteFunc(r.rights.visible(who, labels, open), func(l store.Labelled) bool {
		return slices.ContainsFunc(open, func(row store.QueueRow) bool { return row.Item == l.Item && row.Readings > 1 })
	})
	if len(labels) == 0 {
		return 0, fault.With(fmt.Errorf("%w: nothing of %s is labelled yet", ErrConflict, name), fault.NothingLabelled, "case", name)
	}
	var reviews []store.Review
	for _, l := range labels {
		version := l.Version.Version
		if j.Shown != nil {
			version = j.Shown[l.Item.String()]
		}
		reviews = append(reviews, store.Review{Item: l.Item, Version: version, Person: who.Name, Status: j.Status, Note: note})
	}
	n, err = r.store.AddReviews(ctx, reviews, j.Settles, func(item Item) store.Allow { return r.rights.allow(who, review, item) })
	if err != nil || n > 0 {
		return n, r.changed(err)
	}
	if err := r.rights.check(who, review, labels[0].Item); errors.Is(err, ErrForbidden) {
		return 0, err
	}
	return 0, fault.With(fmt.Errorf("%w: no label of %s that you have seen waits for a review: decide about single labels", ErrConflict, name), fault.NothingWaits, "case", name)
}

// check returns the note without space around it, or ErrInvalid.
func (j Judgement) check() (note string, err error) {
	note = strings.TrimSpace(j.Note)
	switch {
	case !slices.Contains([]string{ReviewAccepted, ReviewRejected, ReviewDiscuss, ReviewReturned}, j.Status):
		return "", fmt.Errorf("%w: status: want accepted, rejected, discuss or returned, got %q", ErrInvalid, j.Status)
	case note == "" && j.Status == ReviewReturned:
		return "", fault.With(fmt.Errorf("%w: say in a note what is to be corrected", ErrInvalid), fault.NoteMissing)
	case len([]rune(note)) > longestNote:
		return "", fault.With(fmt.Errorf("%w: note: want at most %d characters", ErrInvalid, longestNote), fault.NoteLong, "most", longestNote)
	}
	return note, nil
}

// changed tells everybody of reviews that were stored without an error, which it returns.
func (r *Reviews) changed(err error) error {
	if err == nil {
		r.events.labelsChanged(Event{Type: "queue"})
	}
	return err
}
