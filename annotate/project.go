package annotate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/sibling"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"

	"github.com/nextslice/nextslice/annotate/store"

	"github.com/nextslice/nextslice/annotate/fault"
)

// Item is a slice of a case, by the case's name.
type Item = store.Item

// Errors that callers tell apart; see also ErrInvalid, ErrGone, ErrRefused and ConfigError.
var (
	ErrNotFound = store.ErrNotFound
	ErrConflict = store.ErrConflict
	ErrFull     = store.ErrFull
	ErrLocked   = store.ErrLocked
	ErrDamaged  = store.ErrDamaged
	ErrReadOnly = store.ErrReadOnly
	ErrLost     = store.ErrGone // the database was deleted or replaced while it was open
)

// Options say how a project is opened.
type Options struct {
	Data string // folder of the data set
	Dir  string // folder of the project; "" is the data's folder with "-annotation" at the end of its name

	// Change changes the stored configuration, or Default in a new project. May be nil.
	Change func(*Config)
	// Try returns an error where this machine cannot carry a configuration out, which is then not stored. May be nil.
	Try func(Config) error
	// Axis is the index axis that slices are cut across, volume.AutoAxis that of the coarsest spacing.
	Axis int
	// Classes names the classes without the background, where the data set does not.
	Classes []string

	// Learner makes what trains and predicts; it is called once for each. nil: no training, the queue is filled by the
	// cold start's rule.
	Learner func() (Learner, error)
	// Fixed is the model of Learner where that never trains, as of [FixedNetwork]; else nil. A new project has its canvas, channels and
	// classes, and one that goes on must have them.
	Fixed *model.Model
	// Backups is how many daily copies of the database are kept; none if it is negative, DefaultBackups if it is 0.
	Backups int
	// CacheBytes bounds what is kept of the data in memory; 0 is DefaultCache.
	CacheBytes int
	// Log takes what concerns the person who runs the server. nil: nothing.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Project is an open annotation project. Its parts may be used by several goroutines.
type Project struct {
	Name   string
	Config Config

	Cases     *Cases
	Queue     *Queue
	Labels    *Labels
	Reviews   *Reviews
	Trainings *Trainings
	Predictor *Predictor
	Dashboard *Dashboard
	Exporter  *Exporter
	People    *People
	Events    *Events

	store   *store.Store
	masks   *maskFiles
	record  recorder
	trainer *trainer // nil: no training
	keep    int      // daily copies of the database
}

// DefaultBackups is how many daily copies of a project's database are kept.
const DefaultBackups = 7

// DefaultDir returns the project folder that belongs to a data folder, however that is spelled; see sibling.Path.
func DefaultDir(data string) (string, error) { return sibling.Path(data, "-annotation", "--project") }

// Open opens a project or begins one. Masks that are there already are taken over as Config.Masks says.
func Open(ctx context.Context, o Options) (_ *Project, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		if o.Dir, err = DefaultDir(o.Data); err != nil {
			return nil, &ConfigError{err}
		}
	}
	begun := Default()
	if o.Change != nil {
		o.Change(&begun)
	}
	data, err := dataset.OpenWith(ctx, o.Data, dataset.OpenOptions{Ignore: begun.Ignore, WholeMasks: true, Outputs: []string{o.Dir}})
	if err != nil {
		return nil, err
	}
	problems := slices.DeleteFunc(slices.Clone(data.Problems), dataset.Problem.OneIsRead)
	for _, problem := range problems {
		o.Log.Warn("data: " + problem.String())
	}
	guessed := len(data.Classes) < 2 && len(o.Classes) == 0 && o.Fixed == nil && !store.Exists(o.Dir)
	if !store.Exists(o.Dir) { // a wrong flag leaves no folder behind
		c, err := configure(data, o, nil, false)
		if err != nil {
			return nil, err
		}
		if err := try(c, data, o); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, o.Dir, o.Now)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if data, err = reopened(ctx, s, data, begun.Ignore); err != nil {
		return nil, err
	}
	if data, err = withoutMasks(ctx, s, data, begun); err != nil {
		return nil, err
	}
	config, err := storeConfig(ctx, s, data, o)
	if err != nil {
		return nil, err
	}
	for _, problem := range data.Problems { // of the channels
		if !slices.Contains(problems, problem) {
			o.Log.Warn("data: " + problem.String())
		}
	}
	roles, err := register(ctx, config, data, s, func(text string) { o.Log.Warn(text) })
	if err != nil {
		return nil, err
	}
	p := assemble(config, data, roles, s, o)
	if guessed {
		p.Cases.warn(fmt.Sprintf("nothing names the classes: people draw one, %q; to name others, begin another project with --classes", Guessed), fault.Say(fault.ClassesGuessed, "class", Guessed))
	}
	if config.Lockstep {
		if err := p.Cases.leaveIgnored(data); err != nil {
			return nil, err
		}
	}
	for _, problem := range data.Problems { // they were logged above
		if !problem.OneIsRead() {
			p.Cases.warned = append(p.Cases.warned, Warning{"data: " + problem.String(), doubt(problem)})
		}
	}
	if queue, err := s.Queue(ctx, true); err != nil {
		return nil, err
	} else if len(queue) == 0 && !p.Queue.waits() { // later fillings ask the model, which Run loads
		if err := p.Queue.fill(ctx); err != nil {
			return nil, err
		}
	}
	summary, err := p.Dashboard.Summary(ctx)
	if err != nil {
		return nil, err
	}
	if summary.Labelled == summary.Items {
		o.Log.Warn("every slice is labelled: there is nothing to ask for; a new project with --masks ignore leaves the masks out")
	}
	if err := p.record.write(ctx, Verdict{}); err != nil {
		o.Log.Warn("record: " + err.Error())
	}
	return p, ctx.Err()
}

// reopened returns the data set of a project, opened with the value that the project ignores where that is another one. Projects
// that learn the label "ignore" of dataset.json, as older programs did, go on so.
func reopened(ctx context.Context, s *store.Store, data *dataset.Dataset, ignore int) (*dataset.Dataset, error) {
	var c Config
	if _, err := s.Config(ctx, &c); errors.Is(err, store.ErrNotFound) {
		return data, nil
	} else if err != nil {
		return nil, err
	}
	want := c.Ignore
	learnt := len(c.Classes) > int(data.Ignore) || slices.ContainsFunc(c.Classes, func(class Class) bool { return volume.MeansIgnore(class.Name) })
	if want == 0 && data.Ignore > 0 && learnt {
		want = dataset.Learn
	}
	if want == ignore || ignore > 0 { // another flag is refused with the configuration
		return data, nil
	}
	return dataset.OpenWith(ctx, data.Dir, dataset.OpenOptions{Ignore: want, WholeMasks: true, Outputs: []string{s.Dir()}})
}

// maskUnused begins the text of a problem of a case whose mask alone is left out.
const maskUnused = "its mask is not used: "

// withoutMasks returns the data set with the cases that were left out for their masks alone, in a project that takes no masks over. In
// lockstep they stay out, as in the simulation.
func withoutMasks(ctx context.Context, s *store.Store, data *dataset.Dataset, c Config) (*dataset.Dataset, error) {
	if _, err := s.Config(ctx, &c); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	leftOut := slices.ContainsFunc(data.Problems, func(p dataset.Problem) bool { return p.LeftOut })
	if c.Masks != MasksIgnore || len(c.ValidationCases) > 0 || c.Lockstep || !leftOut {
		return data, nil
	}
	all, err := dataset.OpenWith(ctx, data.Dir, dataset.OpenOptions{NoMasks: true, Outputs: []string{s.Dir()}})
	if err != nil {
		return nil, err
	}
	for _, one := range all.Cases {
		if data.Index(one.ID) >= 0 {
			continue
		}
		data.Cases = append(data.Cases, one)
		for i, problem := range data.Problems {
			if problem.Case == one.ID && problem.LeftOut {
				data.Problems[i].Text, data.Problems[i].LeftOut = maskUnused+problem.Text, false
			}
		}
	}
	slices.SortFunc(data.Cases, func(a, b dataset.Case) int { return strings.Compare(a.ID, b.ID) })
	return data, nil
}

// assemble makes the parts of a project.
func assemble(c Config, data *dataset.Dataset, roles map[string]store.Role, s *store.Store, o Options) *Project {
	events := newEvents(o.Log)
	memory := cmp.Or(o.CacheBytes, DefaultCache)
	cases := newCases(c, data, roles, events, o.Now)
	cases.volumes.most, cases.volumes.dir, cases.spill = memory/4, s.Dir(), spill{dir: s.Dir(), most: memory / 2}
	rights := rights{cases, s}
	files := modelFiles{c, s, cases}
	predictor := &Predictor{most: memory / 4, store: s, cases: cases, rights: rights, files: files, learner: o.Learner}
	jury := &jury{config: c, store: s, cases: cases, files: files}
	queue := &Queue{
		config: c, store: s, cases: cases, events: events, rights: rights, model: predictor, jury: jury, learns: o.Learner != nil, learner: o.Learner,
	}
	p := &Project{
		Name: data.Name, Config: c, store: s, keep: cmp.Or(o.Backups, DefaultBackups), masks: &maskFiles{store: s, cases: cases, events: events}, record: recorder{c, s, cases},
		Cases: cases, Queue: queue, Predictor: predictor, Events: events,
		Labels:    &Labels{c, s, cases, events, rights, predictor},
		Reviews:   &Reviews{s, cases, events, rights},
		Dashboard: &Dashboard{data.Name, c, s, cases, events, queue, jury, o.Fixed != nil},
		Exporter:  &Exporter{c, s, cases, rights, predictor},
		People:    &People{s},
		Trainings: &Trainings{config: c, events: events, now: o.Now},
	}
	if o.Learner != nil {
		p.trainer = &trainer{config: c, store: s, cases: cases, events: events, files: files, record: p.record, learner: o.Learner, queue: queue, model: predictor, jury: jury, runs: p.Trainings, fixed: o.Fixed != nil}
		p.Trainings.trainer = p.trainer
	}
	return p
}

// ID returns the project's identity, which goes with it wherever its folder is moved.
func (p *Project) ID() string { return p.store.ID() }

// Dir returns the project's folder.
func (p *Project) Dir() string { return p.store.Dir() }

// Close closes the project. Run must have returned.
func (p *Project) Close() error {
	p.Events.close()
	return errors.Join(p.Predictor.close(), p.store.Close())
}

// Run does all the work in the background until ctx is done: it loads the cases, trains, queries, computes proposals
// ahead and writes the mask files. What fails is reported and tried again when something has changed.
func (p *Project) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	wake(p.Events.ahead)
	tasks.Go(func() error { return p.Events.repeat(ctx, "images of the next slices", p.Events.ahead, p.ahead) })
	tasks.Go(func() error { return p.Cases.load(ctx) })
	tasks.Go(func() error { return p.masks.run(ctx) })
	tasks.Go(func() error { return p.backups(ctx) })
	tasks.Go(func() error {
		if err := p.Cases.wait(ctx); err != nil {
			return err
		}
		if err := p.Predictor.useNewest(ctx); err != nil {
			p.Events.problem(fmt.Errorf("load the model: %w", err))
		}
		wake(p.Events.plan)
		wake(p.Events.train)
		return p.Events.repeat(ctx, "plan", p.Events.plan, p.plan)
	})
	if p.trainer != nil {
		tasks.Go(func() error { return p.trainer.run(ctx) })
	}
	err := tasks.Wait()
	if errors.Is(err, context.Canceled) {
		// What was labelled in the last moments still goes into the mask files.
		return p.masks.write(context.WithoutCancel(ctx))
	}
	return err
}

// backups looks at the data's files every hour, and makes a copy of the database every day.
func (p *Project) backups(ctx context.Context) error {
	if err := p.Cases.wait(ctx); err != nil { // people are served first
		return err
	}
	tick := time.NewTicker(dataEvery)
	defer tick.Stop()
	for {
		if err := p.Cases.watch(ctx, p.store); ctx.Err() == nil {
			if err != nil {
				err = fmt.Errorf("compare the data with what they were: %w", err)
			}
			p.Events.lasts("data", err)
		}
		if err := p.store.DailyBackup(ctx, p.keep); ctx.Err() == nil {
			if err != nil {
				err = coded(fmt.Errorf("daily copy of project.db: %w", err), fault.BackupFailed)
			}
			p.Events.lasts("backup", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// ahead reads the images of the cases that come next.
func (p *Project) ahead(ctx context.Context) error {
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	var names []string
	for _, row := range queue {
		if len(names) < leases && !slices.Contains(names, row.Item.Case) {
			names = append(names, row.Item.Case)
		}
	}
	p.Cases.ahead(ctx, names)
	return nil
}

// plan fills the queue and prepares what it holds: proposals and uncertainty maps.
func (p *Project) plan(ctx context.Context) error {
	p.Cases.loadMissing(ctx)
	if err := p.Queue.fill(ctx); err != nil {
		return err
	}
	queue, err := p.store.Queue(ctx, false)
	if err != nil {
		return err
	}
	if err := p.Predictor.prepare(ctx, queue); err != nil {
		return err
	}
	return p.Dashboard.considerStop(ctx)
}

// ConfigError is a fault of the configuration, as opposed to one of the world.
type ConfigError struct{ error }

func (e *ConfigError) Unwrap() error { return e.error }

// configure makes the configuration of the stored one, or of Default if before is nil, and what the caller wants. labelled says that the project
// has labels or models.
func configure(data *dataset.Dataset, o Options, before *Config, labelled bool) (Config, error) {
	c := Default()
	if before != nil {
		c = *before
	}
	change := func() {
		if o.Change != nil {
			o.Change(&c)
		}
	}
	change()
	preset, err := recipe.FindPreset(c.Preset)
	if err != nil {
		return c, &ConfigError{err}
	}
	if before == nil || c.Preset != before.Preset {
		c.Train = preset.Train
		change() // which has the last word
	}
	names := data.Classes
	if len(o.Classes) > 0 {
		names = []string{"background"}
		for _, name := range o.Classes {
			names = append(names, strings.TrimSpace(name))
		}
	}
	if len(names) < 2 && o.Fixed != nil {
		names = o.Fixed.Classes
	}
	if len(names) < 2 && before == nil { // nobody has said, and there is nothing to see it from
		names = []string{"background", Guessed}
	}
	if len(names) > 0 {
		c.Classes = MakeClasses(names)
	}
	if before != nil {
		before.keepNames(c.Classes)
	}
	if before == nil || !slices.Equal(c.names(), before.names()) { // a project of an older program goes on with the names that it has
		if _, err := volume.CheckClassNames(c.names()[min(1, len(c.Classes)):]); err != nil {
			return c, &ConfigError{fmt.Errorf("classes: %w", err)}
		}
	}
	c.Unsure = c.Unsure || data.Ignore > 0
	if before == nil {
		nan := c.Preprocess.NaN
		c.Preprocess = data.PreprocessFor(o.Axis, preset.Canvas, nil)
		c.Preprocess.Input, c.Preprocess.NaN = preset.Input, nan
		if o.Fixed != nil {
			c.Preprocess, c.Channel, c.Channels = o.Fixed.Preprocess, o.Fixed.Channel, nil
			for _, channel := range o.Fixed.Channels {
				c.Channels = append(c.Channels, strconv.Itoa(channel.Number))
			}
			c.Preprocess.NaN = cmp.Or(nan, c.Preprocess.NaN)
		}
	} else if o.Axis >= 0 {
		c.Preprocess.Axis = o.Axis
	}
	if err := c.Validate(); err != nil {
		return c, &ConfigError{err}
	}
	if before == nil {
		return c, c.checkNew(data)
	}
	if now, then := c.names(), before.names(); len(o.Classes) == 0 && (!c.begins(then) || labelled && len(now) > len(then)) {
		return c, &ConfigError{fmt.Errorf("the masks of the data have the classes %s, and the project was begun with %s: if their values mean the same, say so with --classes %q, or begin another project with --project",
			strings.Join(now[1:], ", "), strings.Join(then[1:], ", "), strings.Join(then[1:], ","))}
	}
	if err := before.fixed(c, data, labelled); err != nil {
		return c, &ConfigError{err}
	}
	return c, nil
}

// checkNew returns an error for what a new project cannot begin with.
func (c Config) checkNew(data *dataset.Dataset) error {
	if c.Ignore < 0 || c.Ignore > 255 {
		return &ConfigError{fmt.Errorf("ignore: want a label value from 1 to 255, got %d", c.Ignore)}
	}
	for _, name := range c.ValidationCases {
		if data.Index(name) < 0 {
			return &ConfigError{fmt.Errorf("validation cases: there is no case %q", name)}
		}
	}
	if !slices.ContainsFunc(data.Cases, func(one dataset.Case) bool { return !slices.Contains(c.ValidationCases, one.ID) }) {
		return &ConfigError{errors.New("validation cases: these are all cases, so that there is none to train on and to ask for")}
	}
	return nil
}

// try carries out what of a configuration can fail: nothing is stored before, since it would stop every later start.
func try(c Config, data *dataset.Dataset, o Options) error {
	if err := c.apply(data); err != nil {
		return err
	}
	if err := fits(o.Fixed, c, data); err != nil {
		return &ConfigError{err}
	}
	if o.Try == nil {
		return nil
	}
	return o.Try(c)
}

// storeConfig makes the project's configuration, applies it to the data and stores it.
func storeConfig(ctx context.Context, s *store.Store, data *dataset.Dataset, o Options) (Config, error) {
	var stored Config
	before := &stored
	_, err := s.Config(ctx, before)
	if errors.Is(err, store.ErrNotFound) {
		before, err = nil, nil
	}
	if err != nil {
		return stored, err
	}
	newest, err := s.NewestID(ctx)
	if err != nil {
		return stored, err
	}
	models, err := s.Models(ctx)
	if err != nil {
		return stored, err
	}
	c, err := configure(data, o, before, newest > 0 || len(models) > 0)
	if err != nil {
		return c, err
	}
	if err := try(c, data, o); err != nil {
		return c, err
	}
	if before != nil && !reflect.DeepEqual(*before, c) {
		detail := fmt.Sprintf("strategy %s, query size %d, preset %s", c.Strategy, c.QuerySize, c.Preset)
		if err := s.Log(ctx, store.Event{Event: "configuration changed", Detail: detail,
			Said: []fault.Message{fault.Say(fault.OfConfiguration, "strategy", c.Strategy, "size", c.QuerySize, "preset", c.Preset)}}); err != nil {
			return c, err
		}
	}
	return c, s.SetConfig(ctx, data.Name, c)
}
