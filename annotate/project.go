package annotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train/recipe"

	"github.com/nextslice/nextslice/annotate/store"
)

// Item is a slice of a case, by the case's name.
type Item = store.Item

// Options say how a project is opened.
type Options struct {
	Data string // folder of the data set
	Dir  string // folder of the project; "" is the data's folder with "-annotation" at the end of its name

	// Change changes the stored configuration, or Default in a new project. May be nil.
	Change func(*Config)
	// Axis is the index axis that slices are cut across, volume.AutoAxis that of the coarsest spacing.
	Axis int
	// Classes names the classes without the background, where the data set does not.
	Classes []string

	// Learner makes what trains and predicts; it is called once for each. nil: no training, the queue is filled by the
	// cold start's rule.
	Learner func() (Learner, error)
	// Log takes what concerns the person who runs the server. nil: nothing.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Project is an open annotation project. Its methods may be called by several goroutines.
type Project struct {
	Name   string
	Config Config

	spec    query.Spec
	data    *dataset.Dataset // without masks: those of the project count
	roles   map[string]store.Role
	index   map[string]int // of a case in data
	store   *store.Store
	images  *cache
	hub     *hub
	log     *slog.Logger
	learner func() (Learner, error)

	now func() time.Time

	labelled chan struct{} // one element: something was labelled or skipped
	dirty    chan struct{} // one element: mask files are behind

	canvases *canvases
	predict  *predictor

	mu       sync.Mutex
	bad      map[string]time.Time // when a case's image could not be read
	training Training
	stop     Stop
}

// DefaultDir returns the project folder that belongs to a data folder.
func DefaultDir(data string) string { return filepath.Clean(data) + "-annotation" }

// Open opens a project or begins one. Masks that are there already are taken over as Config.Masks says.
func Open(ctx context.Context, o Options) (_ *Project, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		o.Dir = DefaultDir(o.Data)
	}
	data, err := dataset.Open(o.Data)
	if err != nil {
		return nil, err
	}
	for _, problem := range data.Problems {
		o.Log.Warn("data: " + problem.String())
	}
	if !store.Exists(o.Dir) { // a wrong flag leaves no folder behind
		c, err := configure(data, o, nil)
		if err != nil {
			return nil, err
		}
		if err := c.apply(data); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, o.Dir, o.Now)
	if err != nil {
		return nil, err
	}
	p := &Project{
		Name: data.Name, store: s, log: o.Log, learner: o.Learner, hub: newHub(), now: o.Now,
		labelled: make(chan struct{}, 1), dirty: make(chan struct{}, 1),
		bad: map[string]time.Time{}, canvases: newCanvases(),
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := p.setConfig(ctx, data, o); err != nil {
		return nil, err
	}
	if err := p.Config.apply(data); err != nil {
		return nil, err
	}
	if err := p.addCases(ctx, data); err != nil {
		return nil, err
	}
	unmasked := *data
	unmasked.Cases = slices.Clone(data.Cases)
	for i := range unmasked.Cases {
		unmasked.Cases[i].Label = ""
	}
	p.data, p.images = &unmasked, newCache(&unmasked)
	p.predict = &predictor{project: p}
	if queue, err := s.Queue(ctx, true); err != nil {
		return nil, err
	} else if len(queue) == 0 { // later fillings ask the model, which Run loads
		if err := p.fill(ctx); err != nil {
			return nil, err
		}
	}
	summary, err := p.Summary(ctx)
	if err != nil {
		return nil, err
	}
	if summary.Labelled == summary.Items {
		p.log.Warn("every slice is labelled: there is nothing to ask for; a new project with --masks ignore leaves the masks out")
	}
	return p, p.writeMasks(ctx)
}

// Close closes the project. Run must have returned.
func (p *Project) Close() error {
	p.hub.close()
	return errors.Join(p.predict.close(), p.store.Close())
}

// ConfigError is a fault of the configuration, as opposed to one of the world.
type ConfigError struct{ error }

func (e *ConfigError) Unwrap() error { return e.error }

// configure makes the configuration of the stored one, or of Default if before is nil, and what the caller wants.
func configure(data *dataset.Dataset, o Options, before *Config) (Config, error) {
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
		names = append([]string{"background"}, o.Classes...)
	}
	if len(names) > 0 {
		c.Classes = MakeClasses(names)
	}
	if before == nil {
		c.Preprocess = canvas(data, o.Axis, preset)
	} else if o.Axis >= 0 {
		c.Preprocess.Axis = o.Axis
	}
	if err := c.Validate(); err != nil {
		return c, &ConfigError{err}
	}
	for _, name := range c.ValidationCases {
		if before == nil && data.Index(name) < 0 {
			return c, &ConfigError{fmt.Errorf("validation cases: there is no case %q", name)}
		}
	}
	if before != nil {
		if err := before.fixed(c); err != nil {
			return c, &ConfigError{err}
		}
	}
	return c, nil
}

// setConfig stores the configuration.
func (p *Project) setConfig(ctx context.Context, data *dataset.Dataset, o Options) error {
	var stored Config
	before := &stored
	_, err := p.store.Config(ctx, before)
	if errors.Is(err, store.ErrNotFound) {
		before, err = nil, nil
	}
	if err != nil {
		return err
	}
	if p.Config, err = configure(data, o, before); err != nil {
		return err
	}
	if p.spec, err = query.Parse(p.Config.Strategy); err != nil {
		return err
	}
	if before != nil && !reflect.DeepEqual(*before, p.Config) {
		detail := fmt.Sprintf("strategy %s, query size %d, preset %s", p.Config.Strategy, p.Config.QuerySize, p.Config.Preset)
		if err := p.store.Log(ctx, store.Event{Event: "configuration changed", Detail: detail}); err != nil {
			return err
		}
	}
	return p.store.SetConfig(ctx, data.Name, p.Config)
}

// People sets who may log in; see store.SetPeople.
func (p *Project) People(ctx context.Context, people []store.Person) error {
	return p.store.SetPeople(ctx, people)
}

// Store gives access to the records.
func (p *Project) Store() *store.Store { return p.store }

// Dir returns the project's folder.
func (p *Project) Dir() string { return p.store.Dir() }

// nudge puts an element into a channel of one, unless there is one.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
