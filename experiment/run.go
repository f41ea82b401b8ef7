package experiment

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
)

// Options say how an experiment is carried out. But for what computes (Threads, Engine, ISA, Precision), which changes the last bits of
// its numbers, they do not change its outcome.
type Options struct {
	Out        string   // run folder; "" is the configuration's
	Resume     bool     // go on with the run in it
	Jobs       int      // units at the same time; 0 is the configuration's, or 1
	Threads    int      // of each unit's engine; 0 is all cores for one job, else 1
	Engine     string   // see Engine.Name, without another engine behind it
	ISA        string   // instruction set of the native engine, see engines.NewWith; "" is the widest there is
	Python     string   // see Engine
	Precision  string   // see Engine
	Records    []string // record folders whose finished units are taken over instead of being run again
	SaveModels bool     // keep the last model of each unit: see record.Folder.LastModel
	Progress   func(Event)
	Notice     func(text string) // lines for the person who waits
}

func (o Options) engine() Engine {
	return Engine{Name: o.Engine, ISA: o.ISA, Threads: o.Threads, Python: o.Python, Precision: o.Precision, Notice: o.Notice}
}

// Run carries out an experiment; its outcome is in the run folder. Records are kept as they come: after an error,
// or when ctx is done, Run with Resume goes on, and ends with the same records as one that was not interrupted. A unit that
// fails by itself, such as one whose training diverges, does not keep the others from being run: the error at the end names it.
func Run(ctx context.Context, c record.Config, o Options) error {
	c, o, err := complete(c, o)
	if err != nil {
		return err
	}
	sources, err := readSources(o.Records, c)
	if err != nil {
		return err
	}
	engines, err := newEngines(ctx, o, c.Train, o.Jobs)
	if err != nil {
		return &record.ConfigError{Err: err}
	}
	defer closeAll(engines)
	if engines[0].Name() == "ref" {
		o.Notice("The plain-Go engine computes: this will be slow. A build with a C++ compiler has the fast one; see the README.")
	}

	track := newTracker(o.Progress)
	d, err := loadData(ctx, c, track, needSlices(sources, o.Out), o.Notice)
	if err != nil {
		return err
	}
	if err := d.chooseInitial(ctx, c, o.Out, func() (tensor.Engine, error) { return engines[0], nil }, track); err != nil {
		return err
	}
	if err := checkSources(ctx, sources, c, d, o.Out, o.Notice); err != nil {
		return err
	}
	folder, err := record.CreateFolder(o.Out, c, o.Resume)
	if err != nil {
		return err
	}
	defer folder.Close()
	if folder.NoLock != nil {
		o.Notice(folder.NoLock.Error())
	}
	if err := describe(ctx, folder, c, d, o.Notice); err != nil {
		return err
	}
	x := experiment{
		config: c, data: d, env: EnvironmentOf(engines[0]), folder: folder, track: track, engines: free(engines), saveModels: o.SaveModels, notice: track.telling(o.Notice),
	}
	if err := x.takeOver(sources, o.Notice); err != nil {
		return err
	}
	return x.run(ctx, o.Jobs)
}

// complete returns a configuration and options with nothing left open. It refuses a run folder that is not one of c before minutes are
// spent on loading.
func complete(c record.Config, o Options) (record.Config, Options, error) {
	if err := c.Validate(); err != nil {
		return c, o, &record.ConfigError{Err: err}
	}
	c.Strategies = record.Canonical(c.Strategies)
	o.Out, o.Jobs = cmp.Or(o.Out, c.Out), max(1, cmp.Or(o.Jobs, c.Jobs))
	c.Out, c.Jobs = "", 0
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Threads == 0 && o.Jobs > 1 {
		o.Threads = 1
	} else if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	_, err := record.CheckFolder(o.Out, c, o.Resume)
	return c, o, err
}

// describe writes what a run folder says of itself beside the configuration.
func describe(ctx context.Context, f *record.Folder, c record.Config, d *data, notice func(string)) error {
	if err := d.recordIn(f, notice); err != nil {
		return err
	}
	if d.slices != nil {
		if err := f.RecordSlices(d.slices); err != nil {
			return err
		}
	}
	initial, err := d.initialNames(ctx, c)
	if err != nil {
		return err
	}
	return f.RecordInitial(initial)
}

// experiment is one that is being carried out.
type experiment struct {
	config     record.Config
	data       *data
	env        record.Env
	folder     *record.Folder
	track      *tracker
	engines    chan tensor.Engine // those that are free
	saveModels bool
	notice     func(text string)
}

// run runs what is not finished: first the trainings of cycle 0 that units share, then the units.
func (x *experiment) run(ctx context.Context, jobs int) error {
	unread := map[record.Unit]error{}
	remaining := x.folder.RemainingOf(x.config, x.config.Units(), func(u record.Unit, err error) { unread[u] = err })
	if len(remaining.Starts)+len(remaining.Units) > 0 {
		if err := x.folder.RecordEnv(x.env, x.notice); err != nil {
			return err
		}
	}
	x.expect(remaining, x.config.Units())
	failed := failures{experiment: x}
	for _, u := range x.config.Units() {
		if err := unread[u]; err != nil {
			if err := failed.keep(ctx, u, err); err != nil {
				return err
			}
		}
	}
	err := x.each(ctx, jobs, remaining.Starts, func(ctx context.Context, e tensor.Engine, start record.Unit) error {
		return failed.keep(ctx, start, x.trainInitial(ctx, e, start))
	})
	if err != nil {
		return err
	}
	err = x.each(ctx, jobs, remaining.Units, func(ctx context.Context, e tensor.Engine, u record.Unit) error {
		if start := u.Start(); len(remaining.Done[u]) == 0 && failed.has(start) {
			if start != u {
				failed.add(u, fmt.Errorf("%s: %s failed", u, start))
			}
			return nil
		}
		return failed.keep(ctx, u, x.runUnit(ctx, e, u))
	})
	if err != nil {
		return err
	}
	return failed.err(slices.Concat(remaining.Starts, x.config.Units()))
}

// expect tells the tracker what is to be done of these units, and what was done before.
func (x *experiment) expect(r record.Remaining, units []record.Unit) {
	for _, u := range units {
		done := r.Done[u]
		x.track.known(u, done)
		if !active.Finished(done, x.config.Cycles) && u.Strategy != record.Ceiling { // which has a start alone
			x.track.cycles += float64(x.config.Cycles - max(0, len(done)-1))
		}
	}
	x.track.cycles += float64(len(r.Starts))
}

// each calls f for each unit, with an engine of its own, several at the same time. It returns the first error.
func (x *experiment) each(ctx context.Context, jobs int, units []record.Unit, f func(context.Context, tensor.Engine, record.Unit) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for _, u := range units {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			e := <-x.engines
			defer func() { x.engines <- e }()
			return f(ctx, e, u)
		})
	}
	return group.Wait()
}

func (x *experiment) learner(e tensor.Engine, u record.Unit) *learner {
	config := x.config
	config.Train = config.Recipe(u.Grid)
	l := &learner{config: config, data: x.data, folder: x.folder, engine: e, unit: u, start: u.Start(), spec: u.Spec(), saveModel: x.saveModels, notice: x.notice}
	l.report = func(phase, done, of int, loss float64) { x.track.report(u, l.cycle, phase, done, of, loss) }
	return l
}

func (x *experiment) trainInitial(ctx context.Context, e tensor.Engine, u record.Unit) error {
	if err := x.learner(e, u).trainInitial(ctx); err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	x.track.finish(u, 0, nil)
	return nil
}

func (x *experiment) runUnit(ctx context.Context, e tensor.Engine, u record.Unit) error {
	learner := x.learner(e, u)
	done, recorder, err := x.folder.OpenUnit(u, learner.costs, func(c active.Cycle) { x.track.finish(u, c.Cycle, &c) })
	if err != nil {
		return err
	}
	initial, err := x.data.startItems(ctx, x.config, u)
	if err != nil {
		recorder.Close()
		return err
	}
	loop := active.Loop{
		Learner: learner, Oracle: masks{}, Recorder: recorder, Strategy: learner.spec.Strategy,
		Names: x.data.pool.Names, Initial: initial,
		Size: x.config.QuerySize, Queries: x.config.Cycles,
		Random: streams(x.config, u).Query,
		Done:   done,
	}
	if learner.spec.Training != (query.Training{}) || learner.spec.Score.Critic.Steps > 0 {
		loop.Review = learner.review
	}
	if err := loop.Run(ctx); err != nil {
		recorder.Close()
		return fmt.Errorf("%s: %w", u, err)
	}
	return recorder.Close()
}

// masks is the oracle of a simulation: the data set's own masks, which are loaded already.
type masks struct{}

// Label has nothing to do.
func (masks) Label(context.Context, []int) error { return nil }
