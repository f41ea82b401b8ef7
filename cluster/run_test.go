package cluster

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/record"
)

// How a task ends: what it says, and what it does about it.
func TestEnd(t *testing.T) {
	for _, c := range []struct {
		name        string
		err, cause  error
		told        bool // to end, by a signal
		recorded    int
		scontrol    string
		failed      int
		state, says string
		stopped     bool
	}{
		{name: "finished", state: finished},
		{name: "a unit failed", failed: 1, state: failed, says: "1 failed: random, set 1"},
		{name: "told to end", err: context.Canceled, told: true, recorded: 3, state: stopped, says: "told to end", stopped: true},
		{name: "time limit", err: context.Canceled, cause: errLimit, recorded: 1, scontrol: "exit 0", state: requeued, stopped: true},
		{name: "time limit without a cycle", err: context.Canceled, cause: errLimit, state: failed, says: "the time limit (--time 10) is shorter than a cycle: about 2m0s; give --time"},
		{name: "time limit, and SLURM refuses", err: context.Canceled, cause: errLimit, recorded: 1, scontrol: "echo 'Access/permission denied' >&2; exit 1", state: stopped, says: "Access/permission denied"},
		{name: "a node of another kind", err: errors.New("instruction set avx512: native: this processor lacks it"), state: failed, says: "--constraint"},
		{name: "taken over", err: &record.TakenError{What: "random, set 1"}, state: running},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planned(t, true)
			p.Time = "10"
			r := runner(p)
			r.options = RunOptions{Slurm: true, Log: io.Discard}
			r.recorded, r.part, r.begun = c.recorded, 0.25, time.Now().Add(-30*time.Second)
			for range c.failed {
				r.state.Failed = append(r.state.Failed, failure{p.Units.Units[0], "why"})
			}
			called := filepath.Join(t.TempDir(), "called")
			fake(t, "scontrol", "echo $* > "+called+"; "+c.scontrol)
			ctx, tell := context.WithCancel(t.Context())
			defer tell()
			if c.told {
				tell()
			} else if c.state == requeued {
				time.AfterFunc(300*time.Millisecond, tell) // SLURM's signal
			}
			err := r.end(ctx, c.err, c.cause)
			s, _, _ := p.state(kindUnits, 0)
			if s.State != c.state || !strings.Contains(s.Error, c.says) {
				t.Errorf("says %s (%s), want %s (%s)", s.State, s.Error, c.state, c.says)
			}
			if errors.Is(err, ErrStopped) != c.stopped || (err == nil) != (c.state == finished) {
				t.Errorf("ends with %v", err)
			}
			text, _ := os.ReadFile(called)
			if want := c.scontrol != ""; (len(text) > 0) != want || want && string(text) != "requeue _0\n" {
				t.Errorf("scontrol was called with %q", text)
			}
		})
	}
}

// Of two who submit at the same time one waits for the other.
func TestBeingMade(t *testing.T) {
	p := planned(t, true)
	own, err := newPlanDir(p.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := beingMade(p.Folder, own); err != nil {
		t.Errorf("alone: %v", err)
	}
	another, err := newPlanDir(p.Folder)
	if err != nil || filepath.Base(another) != "003" {
		t.Fatal(another, err)
	}
	if err := beingMade(p.Folder, own); err == nil || !strings.Contains(err.Error(), "try again in a minute") {
		t.Errorf("with another: %v", err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(another, old, old); err != nil {
		t.Fatal(err)
	}
	if err := beingMade(p.Folder, own); err != nil {
		t.Errorf("with what another left an hour ago: %v", err)
	}
}
