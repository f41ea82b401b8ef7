package annotate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nextslice/nextslice/annotate/store"
)

// Trainings lets people begin a training before it is due, and stop one. The trainer goes on by itself all the same.
type Trainings struct {
	config  Config
	events  *Events
	trainer *trainer // nil: no training
	now     func() time.Time

	mu     sync.Mutex
	last   *TrainingRun
	wanted bool // last was asked for and has not begun
	cancel context.CancelFunc
	held   map[Item]int // training labels of when one was stopped: the next waits for others, or for a person; nil for none
}

// Statuses of a training.
const (
	TrainingRunning = "running"
	TrainingDone    = "done"
	TrainingFailed  = "failed"
	TrainingStopped = "stopped"
)

// TrainingRun is a training since the project was opened.
type TrainingRun struct {
	Number int // 1, 2 …
	Status string
	Begin  time.Time
	End    time.Time // zero while it runs
	Lines  []string  // what happened, oldest first
}

// Possible reports whether the project trains.
func (t *Trainings) Possible() bool { return t.trainer != nil }

// Last returns the newest training since the project was opened, and false if there was none.
func (t *Trainings) Last() (TrainingRun, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		return TrainingRun{}, false
	}
	return t.last.copy(), true
}

func (r *TrainingRun) copy() TrainingRun {
	c := *r
	c.Lines = slices.Clone(r.Lines)
	return c
}

// Start asks for a training on the labels that there are. ErrConflict: one is running, or there is nothing new to learn.
func (t *Trainings) Start(ctx context.Context, who Person) (TrainingRun, error) {
	if err := may(who, startTraining, Item{}, "", store.ItemState{}); err != nil {
		return TrainingRun{}, err
	}
	switch {
	case t.trainer == nil:
		return TrainingRun{}, fmt.Errorf("%w: this server does not train", ErrConflict)
	case t.config.Lockstep:
		return TrainingRun{}, fmt.Errorf("%w: the project runs in lockstep: it trains when the whole query is answered", ErrConflict)
	}
	now, err := t.trainer.standing(ctx)
	if err != nil {
		return TrainingRun{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.last != nil && t.last.Status == TrainingRunning:
		return t.last.copy(), fmt.Errorf("%w: %w", ErrConflict, errRunning)
	case len(now.labels) == 0:
		return TrainingRun{}, fmt.Errorf("%w: there is no label to learn from yet", ErrConflict)
	case now.news == 0:
		return TrainingRun{}, fmt.Errorf("%w: no label is new since the last training", ErrConflict)
	}
	if err := t.trainer.store.Log(ctx, store.Event{Person: who.Name, Event: "training asked for"}); err != nil {
		return TrainingRun{}, err
	}
	t.wanted, t.held = true, nil
	t.begin("asked for by " + who.Name)
	wake(t.events.train)
	return t.last.copy(), nil
}

var errRunning = errors.New("a training is running")

// Running reports whether an error of Start says that a training is running.
func Running(err error) bool { return errors.Is(err, errRunning) }

// Stop stops the training that is running; the next begins when there is another label, or when somebody asks for it. ErrNotFound: none is
// running.
func (t *Trainings) Stop(ctx context.Context, who Person) (TrainingRun, error) {
	if err := may(who, stopTraining, Item{}, "", store.ItemState{}); err != nil {
		return TrainingRun{}, err
	}
	if t.trainer == nil {
		return TrainingRun{}, fmt.Errorf("no training is running: %w", ErrNotFound)
	}
	now, err := t.trainer.standing(ctx)
	if err != nil {
		return TrainingRun{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || t.last.Status != TrainingRunning {
		return TrainingRun{}, fmt.Errorf("no training is running: %w", ErrNotFound)
	}
	if err := t.trainer.store.Log(ctx, store.Event{Person: who.Name, Event: "training stopped"}); err != nil {
		return TrainingRun{}, err
	}
	t.wanted, t.held = false, now.labels
	t.end(TrainingStopped, "stopped by "+who.Name)
	if t.cancel != nil {
		t.cancel()
	}
	return t.last.copy(), nil
}

// begin begins a run. The caller holds t.mu.
func (t *Trainings) begin(line string) {
	number := 1
	if t.last != nil {
		number = t.last.Number + 1
	}
	t.last = &TrainingRun{Number: number, Status: TrainingRunning, Begin: t.now(), Lines: []string{line}}
}

// end ends the run. The caller holds t.mu.
func (t *Trainings) end(status, line string) {
	t.last.Status, t.last.End, t.last.Lines = status, t.now(), append(t.last.Lines, line)
}

// due says whether a training that would begin by itself, or not, begins now: of these labels for training.
func (t *Trainings) due(ready bool, labels map[Item]int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wanted || ready && !(t.held != nil && maps.Equal(t.held, labels))
}

// run carries out a training, which Stop can cancel: it is then no failure.
func (t *Trainings) run(ctx context.Context, cycle int, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	if !t.wanted {
		t.begin("labels suffice")
	}
	run := t.last
	run.Lines = append(run.Lines, fmt.Sprintf("cycle %d begins", cycle))
	t.wanted, t.held, t.cancel = false, nil, cancel
	t.mu.Unlock()
	err := do(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel = nil
	switch {
	case run.Status == TrainingStopped:
		return nil
	case err != nil:
		t.end(TrainingFailed, err.Error())
	default:
		t.end(TrainingDone, t.trainer.reason(cycle))
	}
	return err
}
