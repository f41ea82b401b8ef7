package experiment

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
)

// Prepare makes the run folder that tasks write into: all that Run writes before it trains. What computes is planned, not
// tried: the machine that prepares need not have the instruction set that the tasks will be run with.
func Prepare(ctx context.Context, c record.Config, o Options) (record.Config, *record.Folder, error) {
	c, o, err := complete(c, o)
	if err != nil {
		return c, nil, err
	}
	sources, err := readSources(o.Records, c)
	if err != nil {
		return c, nil, err
	}
	env := record.Environment()
	planned, err := engines.Planned(o.Engine, o.Threads, o.ISA)
	if err != nil {
		return c, nil, &record.ConfigError{Err: err}
	}
	setEngine(&env, planned)
	track := newTracker(o.Progress)
	d, err := loadData(ctx, c, track, needSlices(sources, o.Out), o.Notice)
	if err != nil {
		return c, nil, err
	}
	var own []tensor.Engine
	defer func() { closeAll(own) }()
	err = d.chooseInitial(ctx, c, o.Out, func() (_ tensor.Engine, err error) {
		if own, err = newEngines(ctx, o, c.Train, 1); err != nil {
			return nil, &record.ConfigError{Err: err}
		}
		return own[0], nil
	}, track)
	if err != nil {
		return c, nil, err
	}
	if err := checkSources(ctx, sources, c, d, o.Out, o.Notice); err != nil {
		return c, nil, err
	}
	folder, err := record.PrepareFolder(o.Out, c, o.Resume)
	if err != nil {
		return c, nil, err
	}
	if err := describe(ctx, folder, c, d, o.Notice); err != nil {
		return c, nil, err
	}
	x := experiment{config: c, data: d, folder: folder, track: track}
	if err := x.takeOver(sources, o.Notice); err != nil {
		return c, nil, err
	}
	return c, folder, folder.RecordEnv(env, o.Notice)
}

// Task is a part of an experiment that one process carries out, beside others in the same run folder, which Prepare made. It
// leaves the same records as Run.
type Task struct {
	Starts  []record.Unit // trainings of cycle 0
	Units   []record.Unit // to be run after them
	Attempt record.Attempt

	// Start sees to it that a training of cycle 0 is there, for one of Starts or because one of Units lacks it: it calls
	// train, or waits for whoever is at it.
	Start func(ctx context.Context, start record.Unit, train func() error) error
	// Failed is told of what could not be carried out; the rest goes on.
	Failed func(u record.Unit, err error)
}

// RunTask carries out a task in the run folder o.Out. The error is that of whatever ended it early: that ctx is done, that another attempt has taken
// over (a record.TakenError), or that the data, the disk or the engine fail, as they would for the next unit too. Units that failed by
// themselves are told to t.Failed only.
func RunTask(ctx context.Context, c record.Config, t Task, o Options) error {
	o.Resume = true
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	folder, err := record.OpenShared(o.Out, c, t.Attempt)
	if err != nil {
		return err
	}
	var unread error
	remaining := folder.RemainingOf(c, t.Units, func(u record.Unit, err error) {
		unread = cmp.Or(unread, t.failed(ctx, u, err))
	})
	if unread != nil {
		return unread
	}
	remaining.Starts = nil // of units: trained when a unit is begun
	for _, start := range t.Starts {
		if !folder.HoldsInitial(start) {
			remaining.Starts = append(remaining.Starts, start)
		}
	}
	if len(remaining.Starts)+len(remaining.Units) == 0 {
		return nil
	}
	engines, err := newEngines(ctx, o, c.Train, max(1, o.Jobs))
	if err != nil {
		return err
	}
	defer closeAll(engines)
	track := newTracker(o.Progress)
	d, err := loadData(ctx, c, track, record.HoldsSlices(o.Out) && record.NeedsSlices(o.Out), o.Notice)
	if err != nil {
		return err
	}
	if err := d.recordIn(folder, o.Notice); err != nil {
		return err
	}
	if err := d.chooseInitial(ctx, c, o.Out, func() (tensor.Engine, error) { return engines[0], nil }, track); err != nil {
		return err
	}
	x := experiment{
		config: c, data: d, env: EnvironmentOf(engines[0]), folder: folder, track: track, engines: free(engines), saveModels: o.SaveModels, notice: track.telling(o.Notice),
	}
	x.expect(remaining, t.Units)
	r := taskRun{experiment: x, task: t}
	if err := x.each(ctx, max(1, o.Jobs), remaining.Starts, r.start); err != nil {
		return err
	}
	return x.each(ctx, max(1, o.Jobs), remaining.Units, r.unit)
}

// taskRun is a task that is being carried out.
type taskRun struct {
	experiment
	task   Task
	starts sync.Map // of *sync.Mutex, by start: units of one process wait for each other
}

// start makes one training of cycle 0, if it is not there.
func (r *taskRun) start(ctx context.Context, e tensor.Engine, start record.Unit) error {
	lock, _ := r.starts.LoadOrStore(start, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	if r.folder.HoldsInitial(start) {
		return nil
	}
	return r.task.failed(ctx, start, r.task.Start(ctx, start, func() error {
		if err := r.folder.RecordStartEnv(start, r.env); err != nil {
			return err
		}
		return r.trainInitial(ctx, e, start)
	}))
}

func (r *taskRun) unit(ctx context.Context, e tensor.Engine, u record.Unit) error {
	return r.task.failed(ctx, u, func() error {
		done, err := r.folder.Cycles(u)
		if err != nil {
			return err
		}
		if start := u.Start(); len(done) == 0 {
			if err := r.start(ctx, e, start); err != nil {
				return err
			}
			if !r.folder.HoldsInitial(start) {
				return fmt.Errorf("%s: %s failed", u, start)
			}
		}
		if err := r.folder.RecordUnitEnv(u, r.env, r.notice); err != nil {
			return err
		}
		return r.runUnit(ctx, e, u)
	}())
}

// failed tells of an error of one unit, and returns one that ends the whole task, by the rule of Run.
func (t Task) failed(ctx context.Context, u record.Unit, err error) error {
	if err == nil || ctx.Err() != nil || !ofUnit(err) {
		return err
	}
	t.Failed(u, err)
	return nil
}
