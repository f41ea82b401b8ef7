package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// What has become of a unit or a start.
const (
	Finished = "finished"
	Running  = "running"
	Waiting  = "waiting" // in SLURM's queue, or for a program that starts it
	Ending   = "ending"  // SLURM has forgotten it, and it has not said its last word: files of network file systems can be late
	Unknown  = "unknown" // SLURM does not answer
	Failed   = "failed"
	Stopped  = "stopped" // by scancel or for another's sake
	Lost     = "lost"    // it ended without a word
	Missing  = "missing" // in no plan
)

// UnitView is what has become of a unit or a start.
type UnitView struct {
	Unit   record.Unit
	State  string
	Cycles int    // recorded, of a unit
	Phase  string // what it is doing
	Task   string // such as "job 12_3", or "task 3"
	Node   string
	Why    string // it waits, has failed, was lost
	Log    string // file of its task, "" without one
}

// View is what has become of an experiment.
type View struct {
	Folder  string
	Cycles  int // of each unit
	Units   []UnitView
	Starts  []UnitView // of the last plan
	Trouble error      // why SLURM did not answer, nil if it did or was not asked
	Jobs    []string   // ids of arrays of which something waits or runs
}

// Count returns how many units are in a state.
func (v View) Count(states ...string) (n int) {
	for _, u := range v.Units {
		for _, s := range states {
			if u.State == s {
				n++
			}
		}
	}
	return n
}

// UnderWay tells whether anything may still come without anybody's doing.
func (v View) UnderWay() bool { return v.Count(Running, Waiting, Ending, Unknown) > 0 }

// Looker looks at an experiment, once or again and again.
type Looker struct {
	Run    string        // its folder
	Settle time.Duration // how long a task that SLURM has forgotten may lack its last mark before it is lost; 0 is a minute

	gone map[string]time.Time // when such a task was first missed
}

// Look tells what has become of every unit. Finished is what the run folder holds. Of the rest SLURM is asked once, for all plans together; what it
// has forgotten is told from the marks of tasks.
func (l *Looker) Look(ctx context.Context) (View, error) {
	folder, c, err := record.OpenFolder(l.Run)
	if err != nil {
		return View{}, err
	}
	v := View{Folder: l.Run, Cycles: c.Cycles}
	plans, err := Plans(l.Run)
	if err != nil {
		return v, err
	}
	left := false
	for _, u := range c.Units() {
		one := UnitView{Unit: u, State: Missing}
		done, err := folder.Cycles(u)
		one.Cycles = len(done)
		if err != nil {
			one.Why = err.Error() // a fault of the file, or of a file system that will soon be well again
		} else if active.Finished(done, c.Cycles) {
			one.State = Finished
		}
		left = left || one.State != Finished
		v.Units = append(v.Units, one)
	}
	if len(plans) == 0 || !left {
		v.unreadable()
		return v, nil
	}
	a := answers{looker: l, elements: map[string]map[int]queued{}, jobs: map[*Plan]jobs{}, accounts: map[string]map[int]string{}}
	a.ask(ctx, plans)
	v.Trouble, v.Jobs = a.trouble, a.alive
	for i, one := range v.Units {
		if one.State != Missing {
			continue
		}
		for n := len(plans) - 1; n >= 0; n-- {
			if element := plans[n].Units.element(one.Unit); element >= 0 {
				v.Units[i] = a.judge(ctx, plans[n], kindUnits, element, one)
				break
			}
		}
	}
	v.unreadable()
	last := plans[len(plans)-1]
	for _, s := range last.Starts.Units {
		one := UnitView{Unit: record.Unit(s), State: Finished}
		if !folder.HoldsInitial(one.Unit) {
			one = a.judge(ctx, last, kindStarts, last.Starts.element(one.Unit), one)
		}
		v.Starts = append(v.Starts, one)
	}
	return v, nil
}

// unreadable has units that are in no plan failed if their records cannot be read.
func (v View) unreadable() {
	for i, u := range v.Units {
		if u.State == Missing && u.Why != "" {
			v.Units[i].State = Failed
		}
	}
}

// answers is what SLURM has said, for one look.
type answers struct {
	looker   *Looker
	trouble  error
	jobs     map[*Plan]jobs
	elements map[string]map[int]queued // by array
	alive    []string                  // arrays of which something waits or runs
	accounts map[string]map[int]string // by array: why elements ended, asked when first needed
}

// ask asks SLURM about the arrays of all plans.
func (a *answers) ask(ctx context.Context, plans []*Plan) {
	var ids []jobID
	for _, p := range plans {
		j, err := p.findJobs(ctx)
		if err != nil {
			a.trouble = err
		}
		a.jobs[p] = j
		ids = append(ids, j.ids()...)
	}
	if len(ids) == 0 {
		return
	}
	all, err := queue(ctx, ids)
	if err != nil {
		a.trouble = err
		return
	}
	for _, q := range all {
		if a.elements[q.Job] == nil {
			a.elements[q.Job] = map[int]queued{}
		}
		a.elements[q.Job][q.Element] = q
	}
	for _, id := range ids {
		for _, q := range a.elements[id.ID] {
			if q.alive() {
				a.alive = append(a.alive, id.ID)
				break
			}
		}
	}
}

// submitting is how long a plan without jobs may be one that is just being submitted.
const submitting = 2 * time.Minute

// judge tells what has become of a unit or a start that is not finished, by its task.
func (a *answers) judge(ctx context.Context, p *Plan, kind string, element int, u UnitView) UnitView {
	id := a.jobs[p].of(kind)
	s, marked, err := p.state(kind, element)
	if err != nil {
		u.State, u.Why = Unknown, err.Error()
		return u
	}
	u.Task = fmt.Sprintf("task %d", element)
	if id.ID != "" {
		u.Task = fmt.Sprintf("job %s_%d", id.ID, element)
		u.Log = p.path("log", fmt.Sprintf("%s-%s_%d.log", kind, id.ID, element))
	}
	quiet := time.Since(s.Updated)
	if marked {
		u.Node = s.Attempt.Node
	}
	busy := func() {
		u.State, u.Phase = Running, "begins"
		if marked && s.State == running {
			u.Phase = "another unit of its task"
			if s.Unit == u.Unit.String() {
				u.Phase = fmt.Sprintf("cycle %d, %s", s.Cycle, s.Phase)
			} else if s.Unit == u.Unit.Start().String() {
				u.Phase = s.Unit + ", " + s.Phase
			} else if s.Unit == "" {
				u.Phase = s.Phase
			}
			if quiet > silence {
				u.Why = fmt.Sprintf("no sign of life for %v", quiet.Round(time.Minute))
			}
		}
	}
	q, queued := a.elements[id.ID][element]
	switch failure, did := s.failedWith(u.Unit); {
	case did && s.State != requeued:
		u.State, u.Why = Failed, failure
	case queued && q.waits():
		u.State, u.Why, u.Node = Waiting, q.Reason, ""
		if marked {
			u.Why += ", begun before"
		}
	case queued && q.alive():
		busy()
		if q.Nodes != "" {
			u.Node = q.Nodes
		}
	case marked && s.State == failed:
		u.State, u.Why = Failed, s.Error
	case marked && s.State == stopped:
		u.State, u.Why = Stopped, s.Error
	case marked && s.State == running && quiet < silence && (a.trouble != nil || !p.Slurm):
		busy()
	case p.Slurm && a.trouble != nil:
		u.State, u.Why = Unknown, a.trouble.Error()
	case !marked && !p.Slurm:
		u.State, u.Why = Waiting, "not begun"
	case p.Slurm && id.ID == "" && time.Since(p.Made) < submitting:
		u.State, u.Why = Waiting, "is being submitted"
	case p.Slurm && id.ID == "":
		u.State, u.Why = Lost, "was never submitted"
	case marked && quiet > silence || a.looker.settled(u.Task):
		u.State, u.Why = Lost, a.reason(ctx, id, element, u.Log)
	default:
		u.State, u.Why = Ending, "SLURM has forgotten it, and it has not said how it ended"
	}
	return u
}

// settled tells whether a task has been missing for long enough.
func (l *Looker) settled(task string) bool {
	settle := l.Settle
	if settle == 0 {
		settle = time.Minute
	}
	if l.gone == nil {
		l.gone = map[string]time.Time{}
	}
	if _, known := l.gone[task]; !known {
		l.gone[task] = time.Now()
	}
	return time.Since(l.gone[task]) >= settle
}

// reason returns why a task ended, as far as anybody knows.
func (a *answers) reason(ctx context.Context, id jobID, element int, log string) string {
	why := "it ended without a word"
	if id.ID != "" {
		if a.accounts[id.ID] == nil {
			a.accounts[id.ID] = account(ctx, id)
		}
		if state := a.accounts[id.ID][element]; state != "" {
			why = state
		} else if q, ok := a.elements[id.ID][element]; ok {
			why = q.State
		}
	}
	if last := LastLines(log, 1); len(last) > 0 {
		why += "; its log ends with: " + last[0]
	}
	return why
}

// busy are units and starts that tasks are at, or wait to be.
type busy struct {
	units, starts map[record.Unit]bool
	jobs          []string
}

func (b busy) by() string {
	if len(b.jobs) == 0 {
		return "processes that nextslice unit has started"
	}
	text := "job"
	if len(b.jobs) > 1 {
		text += "s"
	}
	for i, id := range b.jobs {
		if i > 0 {
			text += ","
		}
		text += " " + id
	}
	return text
}

// busyUnits returns what tasks of a run folder are at, or wait to be. The error is that SLURM does not tell.
func busyUnits(ctx context.Context, run string, left record.Remaining) (busy, error) {
	b := busy{units: map[record.Unit]bool{}, starts: map[record.Unit]bool{}}
	if _, err := os.Stat(filepath.Join(run, record.TasksFolder)); err != nil {
		return b, nil
	}
	l := Looker{Run: run}
	v, err := l.Look(ctx)
	if err != nil {
		return b, err
	}
	if v.Trouble != nil && v.Count(Unknown) > 0 {
		return b, fmt.Errorf("SLURM does not tell whether tasks of %s still wait or run: %w\nDo this where its commands work; if they are gone for certain, remove %s",
			run, v.Trouble, filepath.Join(run, record.TasksFolder))
	}
	for _, u := range v.Units {
		b.units[u.Unit] = u.State == Running || u.State == Waiting && u.Why != "not begun"
	}
	for _, s := range v.Starts {
		b.starts[s.Unit] = s.State == Running || s.State == Waiting && s.Why != "not begun"
	}
	for u, is := range b.units {
		if !is {
			delete(b.units, u)
		}
	}
	b.jobs = v.Jobs
	return b, nil
}

// Alone returns an error if tasks of a run folder run or wait to: then a simulation of this process would be a second writer.
func Alone(ctx context.Context, run string) error {
	b, err := busyUnits(ctx, run, record.Remaining{})
	if err != nil {
		return err
	}
	if len(b.units) == 0 {
		return nil
	}
	how := "wait for them"
	if len(b.jobs) > 0 {
		how = "wait for them, or take them back with nextslice status " + run + " --cancel (which runs scancel)"
	}
	return fmt.Errorf("%d units of %s are run by tasks, or wait to be (%s): %s", len(b.units), run, b.by(), how)
}
