package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
)

// RunOptions say how a task was started.
type RunOptions struct {
	Starts bool            // an element of the array of starts
	Slurm  bool            // by a script of the plan: then it is requeued by SLURM before its time limit
	Limit  <-chan struct{} // closed when SLURM says that the time limit is near
	Log    io.Writer       // lines for the log
}

// ErrStopped says that a task was told to end, by scancel or at its time limit, and has.
var ErrStopped = errors.New("stopped")

// Run carries out a task of a plan. Units that fail do not keep the others of the task from being run; the error then names them.
func (p *Plan) Run(ctx context.Context, element int, o RunOptions) error {
	r := &taskRun{Plan: p, kind: kindUnits, element: element, options: o}
	if o.Starts {
		r.kind = kindStarts
	}
	units, err := p.array(r.kind).of(element)
	if err != nil {
		return err
	}
	r.state = taskState{Attempt: newAttempt(element, o.Slurm), State: running}
	if err := r.mark(r.kind, element, r.state, true); err != nil {
		return err
	}
	fmt.Fprintf(o.Log, "%s: %s\n", r.state.Attempt, names(units))
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beats := r.beat(work, stop)
	go func() {
		select {
		case <-o.Limit:
			stop(errLimit)
		case <-work.Done():
		}
	}()

	task := experiment.Task{Units: units, Attempt: r.state.Attempt, Start: r.start, Failed: r.failed}
	if o.Starts {
		task.Starts, task.Units = units, nil
	}
	err = experiment.RunTask(work, p.Config, task, experiment.Options{
		Out: p.Folder, Jobs: p.Jobs, Threads: p.Threads, Engine: p.Engine, ISA: p.ISA, SaveModels: p.SaveModels, Progress: r.event, Notice: r.say,
	})
	cause := context.Cause(work)
	stop(nil)
	<-beats
	return r.end(ctx, err, cause)
}

// errLimit is why a task stops before its time limit.
var errLimit = errors.New("the time limit is near")

// taskRun is a task that is being run.
type taskRun struct {
	*Plan
	kind    string
	element int
	options RunOptions

	mu       sync.Mutex
	state    taskState
	recorded int                     // cycles and starts since it began
	part     float64                 // of the cycle in progress
	begun    time.Time               // when the first cycle of this attempt began
	starts   map[startMark]taskState // of starts that this task trains in place of their own tasks
}

// newAttempt returns this process as an attempt.
func newAttempt(element int, slurm bool) record.Attempt {
	a := record.NewAttempt(element)
	if !slurm {
		return a
	}
	a.Job = os.Getenv("SLURM_ARRAY_JOB_ID")
	a.Restart, _ = strconv.Atoi(os.Getenv("SLURM_RESTART_COUNT")) // unset at first
	if node := os.Getenv("SLURMD_NODENAME"); node != "" {
		a.Node = node
	}
	return a
}

func (r *taskRun) say(text string) { fmt.Fprintln(r.options.Log, text) }

// event takes the progress of the task.
func (r *taskRun) event(e experiment.Event) {
	if e.Earlier() {
		return
	}
	r.mu.Lock()
	r.state.Unit, r.state.Cycle, r.state.Phase = e.Unit, e.Cycle, fmt.Sprintf("%s %d/%d", e.Phase, e.Done, e.Of)
	if e.Recorded != nil {
		r.state.Phase = "recorded"
	}
	r.part = e.OfCycle
	if e.Phase != "load" && r.begun.IsZero() {
		r.begun = time.Now()
	}
	r.mu.Unlock()
	if e.Recorded != nil {
		r.record(fmt.Sprintf("%s, cycle %d", e.Unit, e.Cycle))
	}
}

// record counts what is on disk now and need not be done again.
func (r *taskRun) record(what string) {
	r.say(what + " is recorded")
	r.mu.Lock()
	r.recorded++
	r.mu.Unlock()
	_ = r.write() // if another attempt has taken over, the next cycle says so
}

// write writes the task's mark.
func (r *taskRun) write() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, s := range r.starts {
		if at.plan.mark(kindStarts, at.element, s, false) != nil {
			delete(r.starts, at) // somebody else trains it too, to the same end
		}
	}
	return r.mark(r.kind, r.element, r.state, false)
}

// beat writes the mark from time to time until work is done, and stops the work if another attempt has written its own. The channel is
// closed at the end.
func (r *taskRun) beat(work context.Context, stop context.CancelCauseFunc) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-work.Done():
				return
			case <-time.After(heartbeat):
			}
			var taken *record.TakenError
			if err := r.write(); errors.As(err, &taken) {
				stop(taken)
				return
			} else if err != nil {
				r.say(err.Error())
			}
		}
	}()
	return over
}

func (r *taskRun) failed(u record.Unit, err error) {
	r.say(fmt.Sprintf("%s failed: %v", u, err))
	r.mu.Lock()
	r.state.Failed = append(r.state.Failed, failure{unit(u), err.Error()})
	r.mu.Unlock()
	_ = r.write()
}

// end writes the task's last mark, and has it requeued if its time was up.
func (r *taskRun) end(ctx context.Context, err, cause error) error {
	var taken *record.TakenError
	if errors.As(err, &taken) || errors.As(cause, &taken) {
		return taken // whose mark it is now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := func(state string, err error) error {
		r.state.State = state
		if err != nil {
			r.state.Error = err.Error()
		}
		return errors.Join(r.mark(r.kind, r.element, r.state, false), err)
	}
	switch {
	case err == nil && len(r.state.Failed) == 0:
		return last(finished, nil)
	case err == nil:
		var units []record.Unit
		for _, f := range r.state.Failed {
			units = append(units, record.Unit(f.Unit))
		}
		return last(failed, fmt.Errorf("%d failed: %s", len(units), names(units)))
	case ctx.Err() != nil:
		_ = last(stopped, errors.New("told to end"))
		return ErrStopped
	case errors.Is(cause, errLimit) && r.recorded == 0:
		return last(failed, r.tooShort())
	case errors.Is(cause, errLimit):
		return r.requeue(ctx, last)
	}
	if strings.Contains(err.Error(), "instruction set") {
		err = fmt.Errorf("%w: choose nodes that have it with --constraint, or another with --isa", err)
	}
	return last(failed, err)
}

// tooShort says that requeueing would go on for ever.
func (r *taskRun) tooShort() error {
	limit := "the time limit"
	if r.Time != "" {
		limit += " (--time " + r.Time + ")"
	}
	text := limit + " is shorter than a cycle"
	if !r.begun.IsZero() && r.part > 0.01 {
		text += fmt.Sprintf(": about %v", time.Duration(float64(time.Since(r.begun))/r.part).Round(time.Second))
	}
	return errors.New(text + "; give --time, longer by the two minutes that a task needs to stop")
}

// requeueWait is how long SLURM may take to end a task that it has requeued.
const requeueWait = time.Minute

// requeue has SLURM start the task again: it ends this attempt by a signal.
func (r *taskRun) requeue(ctx context.Context, last func(string, error) error) error {
	if !r.options.Slurm {
		return last(stopped, errLimit)
	}
	if err := last(requeued, nil); err != nil {
		return err
	}
	// Not SLURM_JOB_ID: that of the last element is the id of the whole array.
	id := fmt.Sprintf("%s_%d", r.state.Attempt.Job, r.element)
	r.say("requeue " + id)
	if _, err := command(ctx, "scontrol", "requeue", id); err != nil {
		return last(stopped, fmt.Errorf("cannot be started again: %w; go on with nextslice simulate ... --slurm --resume", err))
	}
	select {
	case <-ctx.Done():
	case <-time.After(requeueWait):
	}
	return ErrStopped
}
