package annotate

import (
	"context"
	"maps"
	"slices"

	"github.com/nextslice/nextslice/annotate/store"
)

// Summary is the state of a project in a few numbers.
type Summary struct {
	Name      string        `json:"name"`
	Classes   []Class       `json:"classes"`
	Axis      int           `json:"axis"`
	Items     int           `json:"items"` // slices of all cases
	Labelled  int           `json:"labelled"`
	Skipped   int           `json:"skipped"`
	Queue     int           `json:"queue"` // items that wait
	Disputed  int           `json:"disputed"`
	People    []PersonTotal `json:"people"`
	Model     *ModelInUse   `json:"model"`
	Training  *Training     `json:"training"` // null while nothing runs
	Stop      Stop          `json:"stop"`
	Strategy  string        `json:"strategy"`
	QuerySize int           `json:"query_size"`
	Lockstep  bool          `json:"lockstep"`
	Cycle     int           `json:"cycle"` // of the next training
}

// PersonTotal is what a person has done.
type PersonTotal struct {
	Name     string  `json:"name"`
	Role     string  `json:"role"`
	Labelled int     `json:"labelled"` // saved masks
	Minutes  float64 `json:"minutes"`
}

// ModelInUse is the model whose proposals people see.
type ModelInUse struct {
	Version        int      `json:"version"`
	ValidationDice *float64 `json:"validation_dice"`
	Labelled       int      `json:"labelled"`
}

// Summary returns the project's state.
func (p *Project) Summary(ctx context.Context) (Summary, error) {
	s := Summary{
		Name: p.Name, Classes: p.Config.Classes, Axis: p.Config.Preprocess.Axis, Strategy: p.Config.Strategy,
		QuerySize: p.Config.QuerySize, Lockstep: p.Config.Lockstep,
	}
	for _, c := range p.data.Cases {
		s.Items += p.Config.Preprocess.Slices(c.Grid)
	}
	labelled, err := p.store.LabelledItems(ctx)
	if err != nil {
		return s, err
	}
	skipped, err := p.store.Skipped(ctx)
	if err != nil {
		return s, err
	}
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return s, err
	}
	s.Labelled, s.Skipped, s.Queue = len(labelled), len(skipped), len(queue)
	for _, q := range queue {
		if q.State == store.Disputed {
			s.Disputed++
		}
	}
	models, err := p.store.Models(ctx)
	if err != nil {
		return s, err
	}
	s.Cycle = len(models)
	if m := inUse(models); m != nil {
		s.Model = &ModelInUse{m.Version, m.Dice, m.Labelled}
	}
	if s.People, err = p.people(ctx); err != nil {
		return s, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Stop = p.stop
	if p.training.Running {
		t := p.training
		s.Training = &t
	}
	return s, nil
}

// people returns those of the list and those who have saved something.
func (p *Project) people(ctx context.Context) ([]PersonTotal, error) {
	listed, err := p.store.People(ctx)
	if err != nil {
		return nil, err
	}
	totals, err := p.store.Totals(ctx)
	if err != nil {
		return nil, err
	}
	people := []PersonTotal{}
	for _, l := range listed {
		t := totals[l.Name]
		people = append(people, PersonTotal{l.Name, l.Role, t.Labels, t.Seconds / 60})
		delete(totals, l.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		people = append(people, PersonTotal{name, store.Annotator, totals[name].Labels, totals[name].Seconds / 60})
	}
	return people, nil
}
