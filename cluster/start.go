package cluster

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nextslice/nextslice/record"
)

// startPoll is the time between two looks at a start that is missing.
var startPoll = 2 * time.Second

// startMark is where the task of a start leaves its mark.
type startMark struct {
	plan    *Plan
	element int
}

// start sees to it that a start is there. A unit waits for whoever trains it, or whose files a directory cache still hides, and trains it
// itself if there was no sign of that for the plan's patience. A start that is trained twice is the same bytes: waiting saves time, no
// more.
func (r *taskRun) start(ctx context.Context, start record.Unit, train func() error) error {
	if r.kind == kindStarts {
		return r.trained(start, train())
	}
	at, planned := r.keeper(start)
	if !planned {
		return r.trained(start, train()) // it was there when the plan was made
	}
	var seen time.Time // the last mark
	for since := time.Now(); ; {
		s, ok, err := at.plan.state(kindStarts, at.element)
		switch {
		case err != nil:
			return err
		case ok && !s.Updated.Equal(seen):
			seen, since = s.Updated, time.Now()
		}
		if ok && s.State == failed || !ok && !at.plan.Slurm || time.Since(since) > time.Duration(r.Patience) {
			err := r.trainFor(ctx, at, start, ok, train)
			if errors.Is(err, fs.ErrExist) {
				continue // another was quicker
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(startPoll):
		}
		_, _ = os.ReadDir(filepath.Join(r.Plan.Folder, "initial")) // which has NFS look at the directory again
		if (&record.Folder{Dir: r.Plan.Folder}).HoldsInitial(start) {
			return nil
		}
	}
}

// keeper returns where the task of a start leaves its mark: the latest, if several plans had it.
func (r *taskRun) keeper(start record.Unit) (startMark, bool) {
	if i := r.Starts.element(start); i >= 0 {
		return startMark{r.Plan, i}, true
	}
	plans, _ := Plans(r.Plan.Folder)
	for n := len(plans) - 1; n >= 0; n-- {
		if i := plans[n].Starts.element(start); i >= 0 {
			return startMark{plans[n], i}, true
		}
	}
	return startMark{}, false
}

// trainFor trains a start in place of the task that has not, and leaves that task's mark, so that others wait. Where there is no mark it
// returns fs.ErrExist if another has left one in the meantime.
func (r *taskRun) trainFor(ctx context.Context, at startMark, start record.Unit, marked bool, train func() error) error {
	s := taskState{Attempt: r.state.Attempt, State: running, Unit: start.String(), Updated: time.Now().UTC()}
	write := writeNewJSON
	if marked {
		write = writeJSON
	}
	if err := write(at.plan.stateFile(kindStarts, at.element), s); err != nil {
		return err
	}
	keep := func(s taskState) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.starts == nil {
			r.starts = map[startMark]taskState{}
		}
		r.starts[at] = s
	}
	keep(s)
	err := train()
	s.State = finished
	switch {
	case ctx.Err() != nil:
		s.State = stopped
	case err != nil:
		s.State, s.Error = failed, err.Error()
	}
	keep(s)
	err = r.trained(start, err)
	_ = r.write()
	r.mu.Lock()
	delete(r.starts, at)
	r.mu.Unlock()
	return err
}

// trained counts a start.
func (r *taskRun) trained(start record.Unit, err error) error {
	if err == nil {
		r.record(start.String())
	}
	return err
}
