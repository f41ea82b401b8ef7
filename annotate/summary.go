package annotate

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Dashboard tells how a project stands.
type Dashboard struct {
	name   string
	config Config
	store  *store.Store
	cases  *Cases
	events *Events
	queue  *Queue
	jury   *jury
	fixed  bool // nothing is trained
}

// Summary is the state of a project in a few numbers.
type Summary struct {
	ID        string        `json:"id" doc:"Of the project: what a browser keeps for it is kept under this name."`
	Name      string        `json:"name"`
	Classes   []Class       `json:"classes" doc:"That people draw with. The last is unsure, 255, where the project has it: no class, it is not learnt and not compared."`
	Channels  []string      `json:"channels"` // names of those that are read together of each case; none where it is one image
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
	// UntilModel is how many labels for training are missing until the first training; null once there is a model, or if none is trained.
	UntilModel *int     `json:"until_model"`
	Warnings   []string `json:"warnings" doc:"What people should know of the data: cases that are left out, voxels that are no numbers."`
	Problems   []string `json:"problems" doc:"What is wrong and lasts, such as a disk that is full."`

	WarningsSaid []fault.Message `json:"warnings_said" doc:"The warnings as codes, for other languages."`
	ProblemsSaid []fault.Message `json:"problems_said" doc:"The problems as codes, for other languages."`
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
func (d *Dashboard) Summary(ctx context.Context) (Summary, error) {
	s := Summary{
		ID: d.store.ID(), Name: d.name, Classes: d.config.drawn(), Channels: d.cases.channelNames(), Axis: d.config.Preprocess.Axis, Strategy: d.config.Strategy,
		QuerySize: d.config.QuerySize, Lockstep: d.config.Lockstep,
	}
	for _, c := range d.cases.set.Cases {
		s.Items += d.config.Preprocess.Slices(c.Grid)
	}
	labelled, err := d.store.LabelledItems(ctx)
	if err != nil {
		return s, err
	}
	skipped, err := d.store.Skipped(ctx)
	if err != nil {
		return s, err
	}
	queue, err := d.store.Queue(ctx, false)
	if err != nil {
		return s, err
	}
	s.Labelled, s.Skipped, s.Queue = len(labelled), len(skipped), len(queue)
	for _, q := range queue {
		if q.State == store.Disputed {
			s.Disputed++
		}
	}
	models, err := d.store.Models(ctx)
	if err != nil {
		return s, err
	}
	s.Cycle = len(models)
	if m := lastAdopted(models); m != nil {
		s.Model = &ModelInUse{m.Version, d.jury.dice(*m), m.Labelled}
	}
	if len(models) == 0 && d.queue.learns {
		more, err := d.queue.untilModel(ctx)
		if err != nil {
			return s, err
		}
		s.UntilModel = &more
	}
	s.Warnings, s.WarningsSaid = []string{}, []fault.Message{}
	for _, w := range d.cases.notes() {
		s.Warnings, s.WarningsSaid = append(s.Warnings, w.Text), append(s.WarningsSaid, w.Message)
	}
	s.Problems, s.ProblemsSaid = d.events.Problems()
	if s.People, err = d.people(ctx); err != nil {
		return s, err
	}
	s.Stop, s.Training = d.events.state()
	return s, nil
}

// people returns those of the list and those who have saved something.
func (d *Dashboard) people(ctx context.Context) ([]PersonTotal, error) {
	listed, err := d.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	totals, err := d.store.Totals(ctx)
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

// LogEntry is a line of the audit log.
type LogEntry struct {
	When   time.Time `json:"when"`
	Person string    `json:"person" doc:"Empty for the program itself."`
	Action string    `json:"action"`
	Item   string    `json:"item"`
	Detail string    `json:"detail"`

	What *fault.Message  `json:"what" doc:"The action as a code, for other languages; null of one that only another program knows."`
	Said []fault.Message `json:"said" doc:"The detail as codes, sentence by sentence; empty where it is a person's words, or of an older program."`
}

// History returns the newest lines of the audit log, newest first.
func (d *Dashboard) History(ctx context.Context, limit int) ([]LogEntry, error) {
	events, err := d.store.Events(ctx, limit)
	lines := make([]LogEntry, len(events))
	for i, e := range events {
		lines[i] = LogEntry{When: e.At, Person: e.Person, Action: e.Event, Detail: e.Detail, Said: append([]fault.Message{}, e.Said...)}
		if code, known := fault.LogCode(e.Event); known {
			what := fault.Say(code)
			lines[i].What = &what
		}
		if e.Item != nil {
			if lines[i].Item = e.Item.String(); e.Item.Slice < 0 {
				lines[i].Item = e.Item.Case
			}
		}
	}
	return lines, err
}

// Model is one trained network.
type Model struct {
	Version        int       `json:"version"`
	Cycle          int       `json:"cycle"`
	Labelled       int       `json:"labelled" doc:"Training labels that it saw."`
	ValidationDice *float64  `json:"validation_dice" doc:"On the validation labels as they are now: models can be compared by it."`
	PreviousDice   *float64  `json:"previous_dice" doc:"Of the model in use before, on the validation labels of that time."`
	InUse          bool      `json:"in_use"`
	Reason         string    `json:"reason" doc:"Why it was put into use, or not."`
	When           time.Time `json:"when"`

	Said []fault.Message `json:"said" doc:"The reason as codes, for other languages; empty of an older program."`
}

// Models returns all models, oldest first.
func (d *Dashboard) Models(ctx context.Context) ([]Model, error) {
	stored, err := d.jury.models(ctx)
	used := lastAdopted(stored)
	models := make([]Model, len(stored))
	for i, m := range stored {
		models[i] = Model{m.Version, m.Cycle, m.Labelled, m.Dice, m.Previous, used != nil && m.Version == used.Version, m.Reason, m.At, append([]fault.Message{}, m.Said...)}
	}
	return models, err
}
