package cluster

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nextslice/nextslice/record"
)

// States of a task, as it says itself.
const (
	running  = "running"
	requeued = "requeued" // it asked to be started again, before the time limit
	stopped  = "stopped"  // it was told to end: scancel, preemption
	failed   = "failed"   // something in it could not be carried out
	finished = "finished"
)

// taskState is how far a task is.
type taskState struct {
	Attempt record.Attempt `json:"attempt"`
	State   string         `json:"state"`
	Unit    string         `json:"unit,omitempty"`  // that was reported last
	Cycle   int            `json:"cycle,omitempty"` // of it
	Phase   string         `json:"phase,omitempty"` // of it, such as "train 40/60"
	Failed  []failure      `json:"failed,omitempty"`
	Error   string         `json:"error,omitempty"` // of the whole task
	Updated time.Time      `json:"updated"`
}

// failure is a unit or a start that could not be carried out.
type failure struct {
	Unit  unit   `json:"unit"`
	Error string `json:"error"`
}

// failedWith returns the error of a unit.
func (s taskState) failedWith(u record.Unit) (string, bool) {
	for _, f := range s.Failed {
		if record.Unit(f.Unit) == u {
			return f.Error, true
		}
	}
	return "", false
}

// Times of a task's marks.
const (
	heartbeat = 30 * time.Second // between two marks of a task that lives
	silence   = 5 * time.Minute  // without a mark: something is wrong
)

func (p *Plan) stateFile(kind string, element int) string {
	return p.path("task", fmt.Sprintf("%s-%d.json", kind, element))
}

// state returns what a task said last; ok is false if it has not begun.
func (p *Plan) state(kind string, element int) (s taskState, ok bool, err error) {
	err = readJSON(p.stateFile(kind, element), &s)
	if errors.Is(err, os.ErrNotExist) {
		return s, false, nil
	}
	return s, err == nil, err
}

// mark replaces what a task said last, unless another attempt has said something since this one began: then it is a record.TakenError.
// Only the first mark of an attempt takes over.
func (p *Plan) mark(kind string, element int, s taskState, first bool) error {
	if !first {
		there, ok, err := p.state(kind, element)
		if err != nil {
			return err
		}
		if ok && !there.Attempt.Same(s.Attempt) {
			return &record.TakenError{What: fmt.Sprintf("task %d", element), By: there.Attempt}
		}
	}
	s.Updated = time.Now().UTC()
	return writeJSON(p.stateFile(kind, element), s)
}
