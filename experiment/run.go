package experiment

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/tensor"
)

// Options say how an experiment is carried out. But for Threads and Engine, which change the last bits of its numbers,
// they do not change its outcome.
type Options struct {
	Out        string   // run folder; "" is the configuration's
	Resume     bool     // go on with the run in it
	Jobs       int      // units at the same time; 0 is the configuration's, or 1
	Threads    int      // of each unit's engine; 0 is all cores for one job, else 1
	Engine     string   // native or ref; "" is the fastest there is
	Records    []string // record folders whose finished units are taken over instead of being run again
	SaveModels bool     // keep the last model of each unit: see Folder.LastModel
	Progress   func(Event)
	Notice     func(text string) // lines for the person who waits
}

// Run carries out an experiment and returns its report. Records are kept as they come: after an error, or when ctx is
// done, Run with Resume goes on, and ends with the same records as one that was not interrupted.
func Run(ctx context.Context, c Config, o Options) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, &ConfigError{err}
	}
	c.Strategies = canonical(c.Strategies)
	o.Out, o.Jobs = cmp.Or(o.Out, c.Out), cmp.Or(o.Jobs, c.Jobs, 1)
	c.Out, c.Jobs = "", 0
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if _, err := checkFolder(o.Out, c, o.Resume); err != nil {
		return Report{}, err // before minutes are spent on loading
	}
	sources, err := readSources(o.Records, c)
	if err != nil {
		return Report{}, err
	}
	jobs := max(1, o.Jobs)
	threads := o.Threads
	if threads == 0 && jobs > 1 {
		threads = 1
	} else if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	engines, err := newEngines(o.Engine, threads, jobs)
	if err != nil {
		return Report{}, &ConfigError{err}
	}
	defer func() {
		for _, e := range engines {
			e.Close()
		}
	}()
	if engines[0].Name() == "ref" {
		o.Notice("The plain-Go engine computes: this will be slow. A build with a C++ compiler has the fast one; see the README.")
	}

	track := newTracker(o.Progress)
	d, err := loadData(ctx, c, track, o.Notice)
	if err != nil {
		return Report{}, err
	}
	for _, s := range sources {
		if err := s.check(c, d); err != nil {
			return Report{}, err
		}
	}
	folder, err := createFolder(o.Out, c, o.Resume)
	if err != nil {
		return Report{}, err
	}
	defer folder.close()
	if err := folder.recordData(d); err != nil {
		return Report{}, err
	}
	if err := folder.recordEnv(EnvironmentOf(engines[0]), o.Notice); err != nil {
		return Report{}, err
	}
	if err := folder.recordInitial(c, d.pool.Names); err != nil {
		return Report{}, err
	}
	x := experiment{config: c, data: d, folder: folder, track: track, engines: make(chan tensor.Engine, jobs), saveModels: o.SaveModels}
	for _, s := range sources {
		taken, err := x.takeOver(s)
		if err != nil {
			return Report{}, err
		}
		o.Notice(fmt.Sprintf("%d finished runs taken from %s", taken, s.dir))
	}
	for _, e := range engines {
		x.engines <- e
	}
	if err := x.run(ctx, jobs); err != nil {
		return Report{}, err
	}
	report, err := folder.Report(c)
	if err != nil {
		return Report{}, err
	}
	return report, folder.WriteFigures(report)
}

// ConfigError is a fault of what was asked for, as opposed to one of the world.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// experiment is one that is being carried out.
type experiment struct {
	config     Config
	data       *data
	folder     *Folder
	track      *tracker
	engines    chan tensor.Engine // those that are free
	saveModels bool
}

// run runs what is not finished: first the trainings of cycle 0 that units share, then the units.
func (x *experiment) run(ctx context.Context, jobs int) error {
	var units []Unit
	begin := map[Unit]bool{} // trainings of cycle 0 that a unit without a cycle needs
	for _, u := range x.config.Units() {
		done, err := x.folder.Cycles(u)
		if err != nil {
			return err
		}
		x.track.known(u, done)
		if active.Finished(done, x.config.Cycles) {
			continue
		}
		units = append(units, u)
		begin[u.start()] = begin[u.start()] || len(done) == 0 && !x.folder.holdsInitial(u.start())
		x.track.cycles += float64(x.config.Cycles - max(0, len(done)-1))
	}
	var initial []Unit
	for _, u := range x.config.Units() {
		if start := u.start(); begin[start] {
			initial = append(initial, start)
			begin[start] = false
			x.track.cycles++
		}
	}
	if err := x.each(ctx, jobs, initial, x.trainInitial); err != nil {
		return err
	}
	return x.each(ctx, jobs, units, x.runUnit)
}

// each calls f for each unit, with an engine of its own, several at the same time. It returns the first error.
func (x *experiment) each(ctx context.Context, jobs int, units []Unit, f func(context.Context, tensor.Engine, Unit) error) error {
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

func (x *experiment) learner(e tensor.Engine, u Unit) *learner {
	config := x.config
	config.Train = config.recipe(u.Grid)
	l := &learner{config: config, data: x.data, folder: x.folder, engine: e, unit: u, start: u.start(), spec: u.spec(), saveModel: x.saveModels}
	l.report = func(phase, done, of int, loss float64) { x.track.report(u, l.cycle, phase, done, of, loss) }
	return l
}

func (x *experiment) trainInitial(ctx context.Context, e tensor.Engine, u Unit) error {
	if err := x.learner(e, u).trainInitial(ctx); err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	x.track.finish(u, 0, nil)
	return nil
}

func (x *experiment) runUnit(ctx context.Context, e tensor.Engine, u Unit) error {
	done, recorder, err := x.folder.openUnit(u)
	if err != nil {
		return err
	}
	learner := x.learner(e, u)
	recorder.seconds = learner.costs
	recorder.recorded = func(c active.Cycle) { x.track.finish(u, c.Cycle, &c) }
	loop := active.Loop{
		Learner: learner, Oracle: masks{}, Recorder: recorder, Strategy: learner.spec.Strategy,
		Names: x.data.pool.Names, Initial: x.config.initialSet(u.Set, len(x.data.pool.Names)),
		Size: x.config.QuerySize, Queries: x.config.Cycles,
		Random: x.config.streams(u).Query,
		Done:   done,
	}
	if err := loop.Run(ctx); err != nil {
		recorder.close()
		return fmt.Errorf("%s: %w", u, err)
	}
	return recorder.close()
}

// masks is the oracle of a simulation: the data set's own masks, which are loaded already.
type masks struct{}

// Label has nothing to do.
func (masks) Label(context.Context, []int) error { return nil }
