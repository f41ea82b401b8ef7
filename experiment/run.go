package experiment

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
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
	SaveModels bool     // keep the last model of each unit: see record.Folder.LastModel
	Progress   func(Event)
	Notice     func(text string) // lines for the person who waits
}

// Run carries out an experiment; its outcome is in the run folder. Records are kept as they come: after an error,
// or when ctx is done, Run with Resume goes on, and ends with the same records as one that was not interrupted.
func Run(ctx context.Context, c record.Config, o Options) error {
	if err := c.Validate(); err != nil {
		return &record.ConfigError{Err: err}
	}
	c.Strategies = record.Canonical(c.Strategies)
	o.Out, o.Jobs = cmp.Or(o.Out, c.Out), cmp.Or(o.Jobs, c.Jobs, 1)
	c.Out, c.Jobs = "", 0
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if _, err := record.CheckFolder(o.Out, c, o.Resume); err != nil {
		return err // before minutes are spent on loading
	}
	sources, err := readSources(o.Records, c)
	if err != nil {
		return err
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
		return &record.ConfigError{Err: err}
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
		return err
	}
	for _, s := range sources {
		if err := s.check(c, d); err != nil {
			return err
		}
	}
	folder, err := record.CreateFolder(o.Out, c, o.Resume)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.RecordData(d.record); err != nil {
		return err
	}
	if err := folder.RecordEnv(EnvironmentOf(engines[0]), o.Notice); err != nil {
		return err
	}
	if err := folder.RecordInitial(initialSets(c, d.pool.Names)); err != nil {
		return err
	}
	x := experiment{config: c, data: d, folder: folder, track: track, engines: make(chan tensor.Engine, jobs), saveModels: o.SaveModels}
	for _, s := range sources {
		taken, err := x.takeOver(s)
		if err != nil {
			return err
		}
		o.Notice(fmt.Sprintf("%d finished runs taken from %s", taken, s.dir))
	}
	for _, e := range engines {
		x.engines <- e
	}
	return x.run(ctx, jobs)
}

// experiment is one that is being carried out.
type experiment struct {
	config     record.Config
	data       *data
	folder     *record.Folder
	track      *tracker
	engines    chan tensor.Engine // those that are free
	saveModels bool
}

// run runs what is not finished: first the trainings of cycle 0 that units share, then the units.
func (x *experiment) run(ctx context.Context, jobs int) error {
	var units []record.Unit
	begin := map[record.Unit]bool{} // trainings of cycle 0 that a unit without a cycle needs
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
		begin[u.Start()] = begin[u.Start()] || len(done) == 0 && !x.folder.HoldsInitial(u.Start())
		x.track.cycles += float64(x.config.Cycles - max(0, len(done)-1))
	}
	var initial []record.Unit
	for _, u := range x.config.Units() {
		if start := u.Start(); begin[start] {
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
	l := &learner{config: config, data: x.data, folder: x.folder, engine: e, unit: u, start: u.Start(), spec: u.Spec(), saveModel: x.saveModels}
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
	loop := active.Loop{
		Learner: learner, Oracle: masks{}, Recorder: recorder, Strategy: learner.spec.Strategy,
		Names: x.data.pool.Names, Initial: initialSet(x.config, u.Set, len(x.data.pool.Names)),
		Size: x.config.QuerySize, Queries: x.config.Cycles,
		Random: streams(x.config, u).Query,
		Done:   done,
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
