package annotate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Task is an item with everything that the page needs to show it. Rows and columns are those of the case's grid, in
// the order in which its voxels are stored.
type Task struct {
	Item        string      `json:"item"`
	Case        string      `json:"case"`
	Slice       int         `json:"slice"`
	Slices      int         `json:"slices"`
	Height      int         `json:"height"`
	Width       int         `json:"width"`
	Spacing     [2]float64  `json:"spacing"` // of rows and of columns
	Unit        string      `json:"unit" enum:"mm,voxel"`
	Orientation Orientation `json:"orientation"`
	Modality    string      `json:"modality" doc:"As the image's header has it, such as CT; empty where it does not say."`
	Presets     []Preset    `json:"presets" doc:"Windows of the image's header."`
	Position    float64     `json:"position_mm"` // of the slice along its normal, toward R, A or S: see volume.Slices.Position
	Step        float64     `json:"step_mm"`     // from this slice to the next, along the same normal
	Window      Window      `json:"window"`
	Channels    []Channel   `json:"channels"` // of the case, if the project reads several; the first one's window is that of the task
	Score       *float64    `json:"score"`
	Rank        *int        `json:"rank"`     // in the queue, from 1
	Purpose     string      `json:"purpose"`  // "training", "validation", "reading", "correction", "adjudication" or "" outside the queue
	Proposal    bool        `json:"proposal"` // there is one to show
	Outline     bool        `json:"outline" doc:"The proposal is to be shown as an outline: its model has not shown yet that it is good enough to draw for people."`
	Note        string      `json:"proposal_note,omitempty" doc:"Why there is no proposal, or only an outline."`

	Why         *fault.Message `json:"proposal_why,omitempty" doc:"The same as a code, for other languages."`
	Uncertainty bool           `json:"uncertainty"` // likewise
	Model       *int           `json:"model"`       // whose proposal it is
	Label       *int           `json:"label"`       // version of the label
	Draft       bool           `json:"draft"`       // the person has one
	DraftBase   int            `json:"draft_base" doc:"The newest version of the label that the person knew when they drew the draft, 0 for none: the base of its save."`
	Skipped     bool           `json:"skipped"`
	Lease       *Lease         `json:"lease"`
	Drafts      []Draft        `json:"drafts" doc:"Unfinished masks of the item, by whom."`
	Review      *Review        `json:"review" doc:"The newest review of the item; null without one, or where its label is not shown."`
	Labelled    []int          `json:"labelled_slices"` // of the case
	Queued      []int          `json:"queued_slices"`   // of the case
}

// Orientation names the side of the patient at each edge of a slice as it is stored: L, R, A, P, S or I; empty where
// the file does not tell.
type Orientation struct {
	Left   string `json:"left"`
	Right  string `json:"right"`
	Top    string `json:"top"`
	Bottom string `json:"bottom"`
}

// Window is a range of intensities.
type Window struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Preset is a window with a name, which may be empty.
type Preset struct {
	Name string `json:"name"`
	Window
}

// Draft is an unfinished mask.
type Draft struct {
	Item   string    `json:"item"`
	Person string    `json:"person"`
	When   time.Time `json:"when"`
}

// Channel is one of several images of a case, as it is shown first.
type Channel struct {
	Name   string `json:"name"`
	Window Window `json:"window"`
}

// Lease says who works on an item.
type Lease struct {
	Person string    `json:"person"`
	Until  time.Time `json:"until"`
}

// leases is how many items one person may hold: the one in work, and those that the page loads ahead.
const leases = 4

// Next leases the next item of the queue to a person. With after it is the one that follows that item. ErrNotFound: nothing
// waits for this person.
func (q *Queue) Next(ctx context.Context, who Person, after *Item) (*Task, error) {
	for {
		refuse := map[string]bool{}
		for name := range q.cases.roles {
			refuse[name] = !q.cases.readable(name)
		}
		row, err := q.store.Next(ctx, store.Want{
			Person: who.Name, Adjudicator: who.Adjudicator, After: after, Refuse: refuse, Lease: q.config.Lease(), Most: leases,
		})
		if err != nil {
			return nil, err
		}
		task, err := q.Task(ctx, who, row.Item)
		if errors.Is(err, ErrGone) { // it is refused in the next turn
			if err := q.store.Release(ctx, row.Item, who.Name, nil); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil {
			q.events.send(Event{Type: "queue"})
		}
		return task, err
	}
}

// Task returns an item as a person may see it.
func (q *Queue) Task(ctx context.Context, who Person, item Item) (*Task, error) {
	v, err := q.cases.look(item, 0)
	if err != nil {
		return nil, err
	}
	c := q.config.Preprocess
	slices := v.Slices(c.Axis)
	row, column := slices.PixelSize()
	t := &Task{
		Item: item.String(), Case: item.Case, Slice: item.Slice, Slices: slices.Count, Height: slices.Height, Width: slices.Width,
		Spacing: [2]float64{row, column}, Unit: string(v.Unit), Orientation: Orientation(slices.Edges()),
		Position: slices.Position(item.Slice), Step: slices.Position(1) - slices.Position(0), Window: Window{v.low, v.high},
		Channels: []Channel{}, Labelled: []int{}, Queued: []int{}, Drafts: []Draft{}, Presets: []Preset{},
	}
	header := q.cases.set.Cases[q.cases.index[item.Case]]
	t.Modality = header.Modality
	for _, w := range header.Windows {
		t.Presets = append(t.Presets, Preset{w.Name, Window{w.Low, w.High}})
	}
	for n, name := range q.cases.channelNames() {
		one, err := q.cases.look(item, n)
		if err != nil {
			return nil, err
		}
		t.Channels = append(t.Channels, Channel{name, Window{one.low, one.high}})
	}
	return t, q.addState(ctx, t, item, who)
}

// addState fills in what the records say about the item.
func (q *Queue) addState(ctx context.Context, t *Task, item Item, who Person) error {
	waiting, err := q.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	var row *store.QueueRow // of the item
	for i, r := range waiting {
		if r.Item.Case == item.Case {
			t.Queued = append(t.Queued, r.Item.Slice)
		}
		if r.Item != item {
			continue
		}
		rank := i + 1
		row, t.Rank, t.Score, t.Purpose = &waiting[i], &rank, r.Score, string(r.Purpose)
		if r.Lease != nil {
			t.Lease = &Lease{r.Lease.Person, r.Lease.Until}
		}
		if r.State == store.Disputed {
			t.Purpose = "adjudication"
		}
	}
	if t.Labelled, err = q.store.LabelledSlices(ctx, item.Case); err != nil {
		return err
	}
	if number, err := q.store.LabelVersion(ctx, item); err == nil {
		if may(who, seeLabel, item, q.cases.roles[item.Case], store.ItemState{Row: row}) == nil {
			t.Label = &number
			reviews, err := q.store.Reviews(ctx, item.Case)
			if err != nil {
				return err
			}
			for _, r := range reviews {
				if r.Item == item {
					t.Review = &Review{r.Version, r.Person, r.At, r.Status, r.Note}
				}
			}
		}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	drafts, err := q.store.Drafts(ctx)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if d.Item == item {
			t.Drafts = append(t.Drafts, Draft{d.Item.String(), d.Person, d.At})
			if d.Person == who.Name {
				t.Draft, t.DraftBase = true, d.Base
			}
		}
	}
	skipped, err := q.store.Skipped(ctx)
	if err != nil {
		return err
	}
	t.Skipped = slices.Contains(skipped, item)
	if version := q.model.version(); version > 0 && q.rights.seesProposal(item) {
		t.Uncertainty = q.cases.slice(item) != nil
		// that of a queued item is kept: it is there before all cases are loaded
		_, err := q.store.Proposal(ctx, item, version)
		t.Proposal = t.Uncertainty || err == nil
		if t.Proposal {
			t.Model = &version
		}
	}
	return q.explain(ctx, t, item)
}

// explain says why an item has no proposal to draw with.
func (q *Queue) explain(ctx context.Context, t *Task, item Item) error {
	switch version := q.model.version(); {
	case !q.rights.seesProposal(item):
		t.why("This slice tests the model: it is labelled without the model's proposal.", fault.ProposalTests)
	case version == 0:
		more, err := q.untilModel(ctx)
		switch {
		case err != nil:
			return err
		case !q.learns:
			t.Note = ""
		case more == 1:
			t.why("No model yet: it takes one more label.", fault.ProposalUntil, "n", more)
		case more > 0:
			t.why(fmt.Sprintf("No model yet: it takes %d more labels.", more), fault.ProposalUntil, "n", more)
		default:
			t.why("No model that finds the classes yet.", fault.ProposalNone)
		}
	case !t.Proposal:
		t.why("The model's mask comes when all cases are loaded.", fault.ProposalLoading)
	default:
		models, err := q.store.Models(ctx)
		if err != nil || version > len(models) {
			return err
		}
		quality, err := q.jury.quality(ctx, models[version-1])
		if err != nil {
			return err
		}
		if t.Outline = quality == nil || *quality < drawsFrom; !t.Outline {
			return nil
		}
		t.why("It is not known yet how good the model is: its mask is an outline. Shift+H takes it.", fault.ProposalUnknown)
		if quality != nil {
			t.why(fmt.Sprintf("The model is not good enough yet to draw for you (Dice %.2f): its mask is an outline. Shift+H takes it.", *quality), fault.ProposalPoor, "dice", *quality)
		}
	}
	return nil
}

func (t *Task) why(note string, code fault.Code, pairs ...any) {
	why := fault.Say(code, pairs...)
	t.Note, t.Why = note, &why
}

// untilModel returns how many labels for training are missing until the first training.
func (q *Queue) untilModel(ctx context.Context) (int, error) {
	labels, err := q.store.Learnable(ctx)
	count := 0
	for item := range labels {
		if q.cases.roles[item.Case] == store.Training {
			count++
		}
	}
	return max(0, q.config.InitialSize-count), err
}

// Hold keeps an item for a person, or keeps it longer. ErrConflict: somebody else has it.
func (q *Queue) Hold(ctx context.Context, who Person, item Item) (Lease, error) {
	lease, err := q.store.Hold(ctx, item, store.Want{Person: who.Name, Lease: q.config.Lease(), Most: leases}, q.rights.allow(who, holdItem, item))
	return Lease{lease.Person, lease.Until}, err
}

// Drafts returns a person's unfinished masks, the newest first.
func (q *Queue) Drafts(ctx context.Context, who Person) ([]Draft, error) {
	all, err := q.store.Drafts(ctx)
	mine := []Draft{}
	for _, d := range all {
		if d.Person == who.Name {
			mine = append(mine, Draft{d.Item.String(), d.Person, d.At})
		}
	}
	return mine, err
}

// Release gives an item back, an adjudicator also one that somebody else holds.
func (q *Queue) Release(ctx context.Context, who Person, item Item) error {
	err := q.store.Release(ctx, item, who.Name, q.rights.allow(who, release, item))
	if err == nil {
		q.events.send(Event{Type: "queue"})
	}
	return err
}

// Skip takes an item out of the pool.
func (q *Queue) Skip(ctx context.Context, who Person, item Item, reason string, seconds float64) error {
	if !(seconds >= 0) || math.IsInf(seconds, 0) {
		return fmt.Errorf("%w: seconds: want 0 or more, got %v", ErrInvalid, seconds)
	}
	err := q.store.Skip(ctx, item, who.Name, reason, seconds, q.rights.allow(who, skipItem, item))
	if err == nil {
		q.events.labelsChanged(Event{Type: "queue"})
	}
	return err
}

// AskReading asks a second person to label an item independently.
func (q *Queue) AskReading(ctx context.Context, who Person, item Item) error {
	err := q.store.AskReading(ctx, item, who.Name, q.rights.allow(who, askReading, item))
	if err == nil {
		q.events.send(Event{Type: "queue"})
	}
	return err
}

// QueueEntry is an item that was asked for.
type QueueEntry struct {
	Item    string     `json:"item"`
	Rank    int        `json:"rank" doc:"Place in the queue from 1; 0 for what is done."`
	Score   *float64   `json:"score"`
	State   string     `json:"state" enum:"waiting,leased,disputed,done,skipped,withdrawn"`
	Person  *string    `json:"person" doc:"Who works on it."`
	Until   *time.Time `json:"until" doc:"For how long it is kept for them."`
	Purpose string     `json:"purpose" enum:"training,validation,reading,correction"`
	Cycle   int        `json:"cycle" doc:"Whose model asked for it; -1 is the initial set."`
	Kind    string     `json:"kind" enum:"query,fill" doc:"fill: chosen between two queries, so that nobody waits."`
}

// List returns what was asked for: what waits, in its order, then what is done.
func (q *Queue) List(ctx context.Context) ([]QueueEntry, error) {
	rows, err := q.store.Queue(ctx, true)
	waiting, done := []QueueEntry{}, []QueueEntry{}
	for _, row := range rows {
		e := QueueEntry{Item: row.Item.String(), Score: row.Score, State: string(row.State), Purpose: string(row.Purpose), Cycle: row.Cycle, Kind: row.Kind}
		if !row.Open() {
			done = append(done, e)
			continue
		}
		e.Rank = len(waiting) + 1
		if row.Lease != nil {
			e.Person, e.Until = &row.Lease.Person, &row.Lease.Until
			if row.State == store.Waiting {
				e.State = "leased"
			}
		}
		waiting = append(waiting, e)
	}
	return append(waiting, done...), err
}
