package annotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/nextslice/nextslice/internal/null"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Event is something that the page shows as it happens.
type Event struct {
	Type string `json:"type" enum:"training,queue,model,label,stop,problem"`

	Item   string `json:"item,omitempty"`   // of label
	Person string `json:"person,omitempty"` // of label
	Text   string `json:"text,omitempty"`   // of stop and problem, for a person

	Said []fault.Message `json:"said,omitempty" doc:"The text as codes, sentence by sentence, for other languages."`

	Model     int `json:"model,omitempty"` // of model: its version
	*Training     // of training: its fields
}

// Training tells how far the training in the background is.
type Training struct {
	Running     bool    `json:"running"`
	Phase       string  `json:"phase"` // "load", "train", "validate", "score" or "" when nothing runs
	Cycle       int     `json:"cycle"`
	Step        int     `json:"step"`
	Steps       int     `json:"steps"`
	Epoch       int     `json:"epoch"` // which pass over the labelled slices it is, from 1; 0 outside "train"
	Epochs      int     `json:"epochs"`
	Loss        float64 `json:"loss"`
	SecondsLeft float64 `json:"seconds_left"`
}

// Stop says whether more labels would hardly help.
type Stop struct {
	Suggested bool   `json:"suggested"`
	Reason    string `json:"reason"`

	Said []fault.Message `json:"said" doc:"The reason as codes, sentence by sentence, for other languages."`
}

// Events hands events to all listeners and wakes the work in the background. A listener that does not keep up misses
// events: each says what has changed, and the page asks for the state itself.
type Events struct {
	log *slog.Logger

	masks, plan, train, ahead chan struct{} // each holds one element when there is something to do

	mu        sync.Mutex
	listeners map[chan Event]bool
	closed    bool
	training  Training
	stop      Stop
	problems  map[string]error // that last, by what they concern
}

func newEvents(log *slog.Logger) *Events {
	signal := func() chan struct{} { return make(chan struct{}, 1) }
	return &Events{log: log, masks: signal(), plan: signal(), train: signal(), ahead: signal(), listeners: map[chan Event]bool{}, problems: map[string]error{}}
}

// Listen returns a channel of events, which is closed with the project, and a function that ends it.
func (e *Events) Listen() (<-chan Event, func()) {
	c := make(chan Event, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		close(c)
		return c, func() {}
	}
	e.listeners[c] = true
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, c)
	}
}

func (e *Events) send(event Event) {
	if event.Type == "queue" || event.Type == "label" { // what comes next is another
		wake(e.ahead)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.listeners {
		select {
		case c <- event:
		default:
		}
	}
}

// labelsChanged sends an event and wakes all that depends on the labels.
func (e *Events) labelsChanged(event Event) {
	e.send(event)
	for _, signal := range []chan struct{}{e.masks, e.plan, e.train} {
		wake(signal)
	}
}

// problem tells everybody about a failure in the background.
func (e *Events) problem(err error) {
	e.log.Error(err.Error())
	e.send(Event{Type: "problem", Text: err.Error(), Said: []fault.Message{messageOf(err)}})
}

// messageOf returns the code of a failure in the background.
func messageOf(err error) fault.Message {
	if m, known := fault.Of(err); known {
		return m
	}
	for _, k := range []struct {
		is   error
		code fault.Code
	}{{ErrFull, fault.Full}, {ErrReadOnly, fault.ReadOnly}, {ErrLost, fault.Lost}} {
		if errors.Is(err, k.is) {
			return fault.Say(k.code)
		}
	}
	return fault.Say(fault.Background, "text", err.Error())
}

// coded gives an error a code of which its text is the last value; one that messageOf tells better, and nil, stay as they are.
func coded(err error, code fault.Code, pairs ...any) error {
	if err == nil || messageOf(err).Code != fault.Background {
		return err
	}
	return fault.With(err, code, append(pairs, "text", err.Error())...)
}

// lasts notes a problem that lasts until it is called with nil: the page shows it as long. what is the thing that it concerns.
func (e *Events) lasts(what string, err error) {
	e.mu.Lock()
	before := e.problems[what]
	if err == nil {
		delete(e.problems, what)
	} else {
		e.problems[what] = err
	}
	e.mu.Unlock()
	if err != nil && (before == nil || before.Error() != err.Error()) {
		e.problem(err)
	}
}

// Problems returns those that last, in the order of what they concern, and the same as codes.
func (e *Events) Problems() (texts []string, said []fault.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	texts, said = []string{}, []fault.Message{}
	for _, what := range slices.Sorted(maps.Keys(e.problems)) {
		texts, said = append(texts, e.problems[what].Error()), append(said, messageOf(e.problems[what]))
	}
	return texts, said
}

// setTraining tells everybody how far a training is.
func (e *Events) setTraining(t Training) {
	null.Clean(&t) // a loss that has run away
	e.mu.Lock()
	e.training = t
	e.mu.Unlock()
	e.send(Event{Type: "training", Training: &t})
}

// setStop keeps the suggestion and tells everybody when it is made.
func (e *Events) setStop(s Stop) {
	e.mu.Lock()
	begins := s.Suggested && !e.stop.Suggested
	e.stop = s
	e.mu.Unlock()
	if begins {
		e.send(Event{Type: "stop", Text: s.Reason, Said: s.Said})
	}
}

// state returns the suggestion to stop, and the training if one is running.
func (e *Events) state() (Stop, *Training) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.training; t.Running {
		return e.stop, &t
	}
	return e.stop, nil
}

func (e *Events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for c := range e.listeners {
		close(c)
		delete(e.listeners, c)
	}
}

// repeat calls do whenever signal has an element, until ctx is done. A failure is reported and do called again at the next
// one.
func (e *Events) repeat(ctx context.Context, what string, signal <-chan struct{}, do func(context.Context) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-signal:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			e.problem(fmt.Errorf("%s: %w", what, err))
		}
	}
}

// wake puts an element into a channel of one, unless there is one.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
