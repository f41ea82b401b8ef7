package experiment

import (
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// Event tells how far an experiment is.
type Event struct {
	Fraction float64       // of the trainings to be done, 0 … 1
	OfCycle  float64       // of the cycle in progress, 0 … 1: roughly, by what phases take
	Unit     string        // what it is about, e.g. "entropy, set 2"
	Run      record.Unit   // the same, if it is a unit or a training that units share
	Cycle    int           //
	Phase    string        // load, train, evaluate or score
	Done, Of int           // cases, steps, cases, slices
	Loss     float64       // of phase train
	Failed   bool          // it could not be carried out, and is not gone on with
	Recorded *active.Cycle // the cycle that was finished, in phase load by an earlier run; or nil
}

// String describes what is being done.
func (e Event) String() string {
	if e.Phase == phases[phaseLoad] {
		return fmt.Sprintf("load cases %d/%d", e.Done, e.Of)
	}
	if e.Failed {
		return e.Unit + ": failed"
	}
	text := fmt.Sprintf("%s, cycle %d: %s %d/%d", e.Unit, e.Cycle, e.Phase, e.Done, e.Of)
	if e.Loss != 0 {
		text += fmt.Sprintf(", loss %.3f", e.Loss)
	}
	return text
}

// Earlier tells that the recorded cycle is that of an earlier run.
func (e Event) Earlier() bool { return e.Recorded != nil && e.Phase == phases[phaseLoad] }

// Ended tells that what it is about has nothing left to do at present: all is loaded, or a cycle is finished, or has failed.
func (e Event) Ended() bool {
	return e.Done == e.Of && (e.Phase == phases[phaseLoad] || e.Phase == phases[phaseScore])
}

const (
	phaseLoad = iota
	phaseTrain
	phaseEvaluate
	phaseScore
)

var phases = [...]string{"load", "train", "evaluate", "score"}

// Where a phase begins and how much of a cycle it takes: roughly, for the progress bar.
var phaseBegin, phaseLength = [...]float64{0, 0, 0.85, 0.93}, [...]float64{0, 0.85, 0.08, 0.07}

// tracker turns what units report, from several goroutines, into events, one at a time.
type tracker struct {
	mu      sync.Mutex
	send    func(Event)
	cycles  float64            // to be run
	done    float64            // of them
	running map[string]float64 // part of the cycle in progress, by unit
}

func newTracker(send func(Event)) *tracker {
	if send == nil {
		send = func(Event) {}
	}
	return &tracker{send: send, running: map[string]float64{}}
}

// telling returns a notice that is told between events, and not while another one is: whoever takes both need not be ready for several goroutines.
func (t *tracker) telling(notice func(text string)) func(text string) {
	return func(text string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		notice(text)
	}
}

// load counts the cases that were read.
func (t *tracker) load(done, of int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.send(Event{Phase: phases[phaseLoad], Done: done, Of: of})
}

// known tells which cycles of a unit need not be run.
func (t *tracker) known(u record.Unit, cycles []active.Cycle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range cycles {
		t.send(Event{Unit: u.String(), Run: u, Cycle: c.Cycle, Phase: phases[phaseLoad], Recorded: &c})
	}
}

// report takes the progress of a unit's phase.
func (t *tracker) report(u record.Unit, cycle, phase, done, of int, loss float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unit := u.String()
	// Not back to the start when the query trains further networks; and cycle 0 of a unit has no training of its own.
	if cycle > 0 || phase != phaseScore {
		t.running[unit] = max(t.running[unit], phaseBegin[phase]+phaseLength[phase]*float64(done)/float64(of))
	}
	t.send(Event{Fraction: t.fraction(), OfCycle: t.running[unit], Unit: unit, Run: u, Cycle: cycle, Phase: phases[phase], Done: done, Of: of, Loss: loss})
}

// finish counts a cycle. recorded is nil for the model that strategies share.
func (t *tracker) finish(u record.Unit, cycle int, recorded *active.Cycle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unit := u.String()
	delete(t.running, unit)
	if cycle > 0 || recorded == nil {
		t.done++
	}
	t.send(Event{Fraction: t.fraction(), Unit: unit, Run: u, Cycle: cycle, Phase: phases[phaseScore], Done: 1, Of: 1, Recorded: recorded})
}

// fail ends what could not be carried out: so many cycles of it are not run.
func (t *tracker) fail(u record.Unit, left int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unit := u.String()
	delete(t.running, unit)
	t.cycles -= float64(left)
	t.send(Event{Fraction: t.fraction(), Unit: unit, Run: u, Phase: phases[phaseScore], Done: 1, Of: 1, Failed: true})
}

func (t *tracker) fraction() float64 {
	if t.cycles == 0 {
		return 0
	}
	done := t.done
	for _, running := range t.running {
		done += running
	}
	return min(1, done/t.cycles)
}
