package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/record"
)

// planned returns a plan of one start and four units in four tasks, in a run folder; submitted as job 12 and 13.
func planned(t *testing.T, slurm bool) *Plan {
	t.Helper()
	c, err := record.ReadConfig("", func(c *record.Config) {
		c.Strategies, c.InitialSets = []string{"random", "entropy", "margin", "badge"}, 1
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Out: t.TempDir(), Slurm: slurm, Notice: func(string) {}, Patience: 50 * time.Millisecond, Jobs: 1, Threads: 1}
	if _, err := record.PrepareFolder(o.Out, c, false); err != nil {
		t.Fatal(err)
	}
	dir, err := newPlanDir(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	p := o.empty(c, dir)
	o.pack(p, record.Remaining{Units: c.Units(), Starts: []record.Unit{{Set: 1}}}, 101)
	for _, sub := range []string{"task", "log"} {
		if err := os.Mkdir(p.path(sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	err = errors.Join(os.WriteFile(p.path(record.ConfigFile), c.YAML(), 0o600), writeJSON(p.path(planFile), p))
	if slurm {
		err = errors.Join(err, writeJSON(p.jobsFile(), jobs{jobID{ID: "12"}, jobID{ID: "13"}}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fake puts a program in place of one of SLURM's.
func fake(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
}

// What is said of a unit that is not finished, by what SLURM says of its task and what the task has said.
func TestJudge(t *testing.T) {
	away := "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"
	forgotten := "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"
	says := func(state, reason string) string { return fmt.Sprintf("echo '13|0|%s|%s|n1|N/A'", state, reason) }
	now, old := time.Now(), time.Now().Add(-time.Hour)
	mark := func(state string, at time.Time) *taskState {
		return &taskState{State: state, Unit: "random, set 1", Cycle: 2, Phase: "train 4/60", Error: "why it ended", Updated: at}
	}
	for _, c := range []struct {
		name, squeue string
		mark         *taskState
		plain        bool // a plan without SLURM
		log          string
		want, why    string
	}{
		{name: "waits", squeue: says("PENDING", "Priority"), want: Waiting, why: "Priority"},
		{name: "requeued", squeue: says("PENDING", "BeginTime"), mark: mark(requeued, now), want: Waiting, why: "BeginTime, begun before"},
		{name: "begins", squeue: says("RUNNING", "None"), want: Running},
		{name: "runs", squeue: says("RUNNING", "None"), mark: mark(running, now), want: Running},
		{name: "is silent", squeue: says("RUNNING", "None"), mark: mark(running, old), want: Running, why: "no sign of life for 1h"},
		{name: "ends", squeue: says("COMPLETING", "None"), mark: mark(running, now), want: Running},
		{name: "failed", squeue: forgotten, mark: mark(failed, old), want: Failed, why: "why it ended"},
		{name: "failed, still shown", squeue: says("FAILED", "NonZeroExitCode"), mark: mark(failed, now), want: Failed, why: "why it ended"},
		{name: "stopped", squeue: says("CANCELLED", "None"), mark: mark(stopped, now), want: Stopped},
		{name: "forgotten, silent", squeue: forgotten, mark: mark(running, old), log: "a\nKilled\n", want: Lost, why: "OUT_OF_MEMORY, exit 0:125; its log ends with: Killed"},
		{name: "forgotten a moment ago", squeue: forgotten, mark: mark(running, now), want: Ending},
		{name: "forgotten before it began", squeue: forgotten, want: Ending},
		{name: "no answer, runs", squeue: away, mark: mark(running, now), want: Running},
		{name: "no answer, silent", squeue: away, mark: mark(running, old), want: Unknown, why: "Unable to contact"},
		{name: "no answer, not begun", squeue: away, want: Unknown},
		{name: "no answer, failed", squeue: away, mark: mark(failed, old), want: Failed},
		{name: "without SLURM, not begun", plain: true, want: Waiting, why: "not begun"},
		{name: "without SLURM, runs", plain: true, mark: mark(running, now), want: Running},
		{name: "without SLURM, silent", plain: true, mark: mark(running, old), want: Lost},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planned(t, !c.plain)
			fake(t, "squeue", c.squeue)
			fake(t, "sacct", "echo '13_0|OUT_OF_MEMORY|0:125'")
			if c.mark != nil {
				if err := writeJSON(p.stateFile(kindUnits, 0), c.mark); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(p.path("log", "units-13_0.log"), []byte(c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			l := &Looker{Run: p.Folder, Settle: 30 * time.Millisecond}
			v, err := l.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if u := v.Units[0]; u.State != c.want || !strings.Contains(u.Why, c.why) {
				t.Errorf("%s (%s), want %s (%s)", u.State, u.Why, c.want, c.why)
			}
			var text strings.Builder
			if err := v.WriteText(&text); err != nil || !strings.Contains(text.String(), c.why) {
				t.Errorf("%v:\n%s", err, text.String())
			}
			if c.want != Ending {
				return
			}
			time.Sleep(40 * time.Millisecond) // missed twice
			if v, err = l.Look(t.Context()); err != nil || v.Units[0].State != Lost {
				t.Errorf("later: %s, %v", v.Units[0].State, err)
			}
		})
	}
}

// A plan without jobs was never submitted, or is just being.
func TestPlanWithoutJobs(t *testing.T) {
	p := planned(t, true)
	if err := os.Remove(p.jobsFile()); err != nil {
		t.Fatal(err)
	}
	look := func() UnitView {
		v, err := (&Looker{Run: p.Folder}).Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v.Units[0]
	}
	fake(t, "squeue", "true")
	if u := look(); u.State != Waiting {
		t.Errorf("a moment after it was made: %s", u.State)
	}
	p.Made = time.Now().Add(-time.Hour)
	if err := writeJSON(p.path(planFile), p); err != nil {
		t.Fatal(err)
	}
	if u := look(); u.State != Lost || u.Why != "was never submitted" {
		t.Errorf("an hour later: %s, %s", u.State, u.Why)
	}
	// A submitter that was killed before it wrote the ids down: SLURM knows the script.
	fake(t, "squeue", `case "$*" in *%o*) echo "77|`+p.path("units.sh")+`";; *) echo "77|0|RUNNING|None|n2|N/A";; esac`)
	if u := look(); u.State != Running || u.Task != "job 77_0" || u.Node != "n2" {
		t.Errorf("a job whose id was not written down: %+v", u)
	}
}

// runner is a task of a plan that begins with a unit whose start is missing.
func runner(p *Plan) *taskRun {
	r := &taskRun{Plan: p, kind: kindUnits, options: RunOptions{Log: io.Discard}, state: taskState{Attempt: newAttempt(0, false), State: running}}
	r.mark(kindUnits, 0, r.state, true)
	return r
}

func TestStart(t *testing.T) {
	defer func(before time.Duration) { startPoll = before }(startPoll)
	startPoll = 5 * time.Millisecond
	start := record.Unit{Set: 1}
	finish := func(t *testing.T, p *Plan) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(p.Folder, "initial"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.Folder, "initial", "1.json"), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	state := func(t *testing.T, p *Plan) taskState {
		t.Helper()
		s, _, err := p.state(kindStarts, 0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("nobody is at it", func(t *testing.T) {
		p, trained := planned(t, false), 0
		err := runner(p).start(t.Context(), start, func() error {
			trained++
			if s := state(t, p); s.State != running || s.Unit != "initial set 1" {
				t.Errorf("while it is trained others see %+v", s)
			}
			return nil
		})
		if s := state(t, p); err != nil || trained != 1 || s.State != finished {
			t.Errorf("trained %d times, %v, %s", trained, err, s.State)
		}
	})
	t.Run("another is at it", func(t *testing.T) {
		p := planned(t, false)
		p.Patience = seconds(3 * time.Second)
		time.AfterFunc(4*time.Second, func() { finish(t, p) })
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan struct{})
		defer func() { stop(); <-over }() // before the folder is removed
		p.mark(kindStarts, 0, taskState{State: running}, true)
		go func() {
			defer close(over)
			for ctx.Err() == nil { // its signs of life
				p.mark(kindStarts, 0, taskState{State: running}, true)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		begin := time.Now()
		err := runner(p).start(t.Context(), start, func() error { t.Error("it was trained"); return nil })
		if err != nil || time.Since(begin) < 3500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
	for name, slurm := range map[string]bool{"whoever was at it is silent": false, "its task left no mark": true} {
		t.Run(name, func(t *testing.T) {
			p, trained := planned(t, slurm), 0
			if !slurm {
				p.mark(kindStarts, 0, taskState{State: running}, true)
			}
			begin := time.Now()
			err := runner(p).start(t.Context(), start, func() error { trained++; return nil })
			if took := time.Since(begin); err != nil || trained != 1 || took < 50*time.Millisecond {
				t.Errorf("trained %d times, %v, after %v", trained, err, took)
			}
		})
	}
	t.Run("its task failed", func(t *testing.T) {
		p, trained := planned(t, true), 0
		p.Patience = seconds(time.Hour)
		p.mark(kindStarts, 0, taskState{State: failed}, true)
		err := runner(p).start(t.Context(), start, func() error { trained++; return errors.New("here too") })
		if s := state(t, p); trained != 1 || err == nil || s.State != failed || s.Error != "here too" {
			t.Errorf("trained %d times, %v, %+v", trained, err, s)
		}
	})
}

// Of two attempts at a task the later keeps its mark.
func TestMark(t *testing.T) {
	p := planned(t, false)
	first, second := taskState{Attempt: record.NewAttempt(0), State: running}, taskState{Attempt: record.NewAttempt(0), State: running}
	second.Attempt.Restart = 1
	var taken *record.TakenError
	if err := p.mark(kindUnits, 0, first, true); err != nil {
		t.Fatal(err)
	}
	if err := p.mark(kindUnits, 0, second, true); err != nil {
		t.Fatal(err)
	}
	if err := p.mark(kindUnits, 0, first, false); !errors.As(err, &taken) || taken.By.Restart != 1 {
		t.Errorf("the first attempt: %v", err)
	}
	if err := p.mark(kindUnits, 0, second, false); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}
