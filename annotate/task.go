package annotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"
)

// Task is an item with everything that the page needs to show it. Rows and columns are those of the case's own grid, in
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
	Position    float64     `json:"position_mm"` // of the slice's centre, along the world axis nearest to its normal
	Step        float64     `json:"step_mm"`     // from this slice to the next, along the same axis
	Window      Window      `json:"window"`
	Score       *float64    `json:"score"`
	Rank        *int        `json:"rank"`        // in the queue, from 1
	Purpose     string      `json:"purpose"`     // "training", "validation", "reading", "adjudication" or "" outside the queue
	Proposal    bool        `json:"proposal"`    // there is one to show
	Uncertainty bool        `json:"uncertainty"` // likewise
	Model       *int        `json:"model"`       // whose proposal it is
	Label       *int        `json:"label"`       // version of the label
	Draft       bool        `json:"draft"`       // the person has one
	Skipped     bool        `json:"skipped"`
	Lease       *Lease      `json:"lease"`
	Labelled    []int       `json:"labelled_slices"` // of the case
	Queued      []int       `json:"queued_slices"`   // of the case
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

// Lease says who works on an item.
type Lease struct {
	Person string    `json:"person"`
	Until  time.Time `json:"until"`
}

// ErrGone says that a case's image cannot be read.
var ErrGone = errors.New("the image cannot be read")

// Item reads an item's name and refuses those that the data set does not have.
func (p *Project) Item(name string) (Item, error) {
	item, err := store.ParseItem(name)
	if err != nil {
		return Item{}, fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	index, ok := p.index[item.Case]
	if !ok || item.Slice >= p.Config.Preprocess.Slices(p.data.Cases[index].Grid) {
		return Item{}, fmt.Errorf("the data set has no item %q: %w", name, store.ErrNotFound)
	}
	return item, nil
}

// Case returns the number of slices of a case and the size of one, or store.ErrNotFound.
func (p *Project) Case(name string) (store.Case, error) {
	index, ok := p.index[name]
	if !ok {
		return store.Case{}, fmt.Errorf("the data set has no case %q: %w", name, store.ErrNotFound)
	}
	g := p.data.Cases[index].Grid
	h, w := p.Config.Preprocess.SliceSize(g)
	return store.Case{Name: name, Slices: p.Config.Preprocess.Slices(g), Height: h, Width: w, Role: p.roles[name]}, nil
}

// image returns a case's volume and keeps in mind whether it can be read.
func (p *Project) image(name string) (*image, error) {
	index, ok := p.index[name]
	if !ok {
		return nil, fmt.Errorf("%w: case %s is not in the data folder", ErrGone, name)
	}
	v, err := p.images.get(index)
	if err != nil {
		err = fmt.Errorf("%w: %w; put the file back, its slices are left out until then", ErrGone, err)
		p.refuse(name, err)
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.bad, name)
	return v, nil
}

// Image returns a slice's intensities, [height width].
func (p *Project) Image(name string, slice int) ([]float32, error) {
	v, err := p.image(name)
	if err != nil {
		return nil, err
	}
	return v.Slice(p.Config.Preprocess.Axis, slice), nil
}

// Volume returns a case's image.
func (p *Project) Volume(name string) (*volume.Volume, error) {
	v, err := p.image(name)
	if err != nil {
		return nil, err
	}
	return v.Volume, nil
}

// Person is who asks.
type Person struct {
	Name        string
	Adjudicator bool
}

// leases is how many items one person may hold: the one in work, and those that the page loads ahead.
const leases = 4

// Next leases the next item of the queue to a person. With after it is the one behind that item. ErrNotFound: nothing
// waits for this person.
func (p *Project) Next(ctx context.Context, who Person, after *Item) (*Task, error) {
	for {
		refuse := map[string]bool{}
		for name := range p.roles {
			if !p.readable(name) {
				refuse[name] = true
			}
		}
		row, err := p.store.Next(ctx, store.Want{
			Person: who.Name, Adjudicator: who.Adjudicator, After: after, Refuse: refuse, Lease: p.Config.Lease(), Most: leases,
		})
		if err != nil {
			return nil, err
		}
		task, err := p.Task(ctx, row.Item, who)
		if errors.Is(err, ErrGone) { // it is refused in the next turn
			if err := p.store.Release(ctx, row.Item, who.Name); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil {
			p.hub.send(Event{Type: "queue"})
		}
		return task, err
	}
}

// Task returns an item as a person may see it.
func (p *Project) Task(ctx context.Context, item Item, who Person) (*Task, error) {
	v, err := p.image(item.Case)
	if err != nil {
		return nil, err
	}
	c := p.Config.Preprocess
	slices := v.Slices(c.Axis)
	row, column := slices.PixelSize()
	t := &Task{
		Item: item.String(), Case: item.Case, Slice: item.Slice, Slices: slices.Count, Height: slices.Height, Width: slices.Width,
		Spacing: [2]float64{row, column}, Unit: string(v.Unit), Orientation: Orientation(slices.Edges()),
		Position: slices.Position(item.Slice), Step: slices.Position(1) - slices.Position(0), Window: Window{v.low, v.high},
		Labelled: []int{}, Queued: []int{},
	}
	return t, p.addState(ctx, t, item, who)
}

// addState fills in what the records say about the item.
func (p *Project) addState(ctx context.Context, t *Task, item Item, who Person) error {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	var own *store.QueueRow
	for i, q := range queue {
		if q.Item.Case == item.Case {
			t.Queued = append(t.Queued, q.Item.Slice)
		}
		if q.Item != item {
			continue
		}
		rank := i + 1
		own, t.Rank, t.Score, t.Purpose = &queue[i], &rank, q.Score, string(q.Purpose)
		if q.State == store.Disputed {
			t.Purpose = "adjudication"
		}
	}
	if t.Labelled, err = p.store.LabelledSlices(ctx, item.Case); err != nil {
		return err
	}
	if number, err := p.store.LabelVersion(ctx, item); err == nil {
		if p.seesLabel(own, who) {
			t.Label = &number
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, err := p.store.Draft(ctx, item, who.Name); err == nil {
		t.Draft = true
	}
	skipped, err := p.store.Skipped(ctx)
	if err != nil {
		return err
	}
	for _, s := range skipped {
		t.Skipped = t.Skipped || s == item
	}
	if lease, err := p.store.LeaseOf(ctx, item); err != nil {
		return err
	} else if lease != nil {
		t.Lease = &Lease{lease.Person, lease.Until}
	}
	if model := p.predict.version(); model > 0 && p.showsProposal(item) {
		t.Uncertainty = p.canvas(item) != nil
		// that of a queued item is kept: it is there before all cases are loaded
		_, err := p.store.Proposal(ctx, item, model)
		t.Proposal = t.Uncertainty || err == nil
		if t.Proposal {
			t.Model = &model
		}
	}
	return nil
}

// showsProposal reports whether people see the model's proposal of an item. Of validation items they do not: a label
// that began as the model's own answer would flatter it.
func (p *Project) showsProposal(item Item) bool { return p.roles[item.Case] == store.Training }

// seesLabel reports whether a person may see the label of an item: not while it is read a second time, by somebody who
// does not decide.
func (p *Project) seesLabel(row *store.QueueRow, who Person) bool {
	return row == nil || row.Readings < 2 || row.State == store.Disputed && who.Adjudicator
}
