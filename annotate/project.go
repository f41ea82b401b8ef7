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
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train"

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
	// Axis is the index axis that slices are cut across, -1 that of the coarsest spacing.
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
	if err := p.configure(ctx, data, o); err != nil {
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
	if err := p.fill(ctx); err != nil {
		return nil, err
	}
	return p, p.writeMasks(ctx)
}

// Close closes the project. Run must have returned.
func (p *Project) Close() error {
	p.hub.close()
	return errors.Join(p.predict.close(), p.store.Close())
}

// configure makes the configuration of a stored one, or a new one, and what the caller wants.
func (p *Project) configure(ctx context.Context, data *dataset.Dataset, o Options) error {
	var before Config
	_, err := p.store.Config(ctx, &before)
	isNew := errors.Is(err, store.ErrNotFound)
	if err != nil && !isNew {
		return err
	}
	c := before
	if isNew {
		c = Default()
	}
	change := func() {
		if o.Change != nil {
			o.Change(&c)
		}
	}
	change()
	preset, err := train.FindPreset(c.Preset)
	if err != nil {
		return err
	}
	if isNew || c.Preset != before.Preset {
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
	if isNew {
		c.Preprocess = canvas(data, o.Axis, preset)
	} else if o.Axis >= 0 {
		c.Preprocess.Axis = o.Axis
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if !isNew {
		if err := before.fixed(c); err != nil {
			return err
		}
	}
	p.Config = c
	if p.spec, err = query.Parse(c.Strategy); err != nil {
		return err
	}
	if !isNew && !reflect.DeepEqual(before, c) {
		if err := p.store.Log(ctx, store.Event{Event: "configuration changed", Detail: fmt.Sprintf("strategy %s, query size %d, preset %s", c.Strategy, c.QuerySize, c.Preset)}); err != nil {
			return err
		}
	}
	return p.store.SetConfig(ctx, data.Name, c)
}

// addCases brings the project's cases in line with the data folder: new ones are added with their masks, those that
// have gone stay in the project and are not asked for.
func (p *Project) addCases(ctx context.Context, data *dataset.Dataset) error {
	known, err := p.store.Cases(ctx)
	if err != nil {
		return err
	}
	p.roles, p.index = map[string]store.Role{}, map[string]int{}
	before := map[string]store.Case{}
	for _, c := range known {
		before[c.Name] = c
		p.roles[c.Name] = c.Role
	}
	var added []int
	for i, c := range data.Cases {
		if !filepath.IsLocal(c.ID) || filepath.Base(c.ID) != c.ID {
			return fmt.Errorf("case %q: its name cannot be that of a file: rename it", c.ID)
		}
		p.index[c.ID] = i
		h, w := p.Config.Preprocess.SliceSize(c.Grid)
		now := store.Case{Name: c.ID, Slices: p.Config.Preprocess.Slices(c.Grid), Height: h, Width: w}
		old, ok := before[c.ID]
		if !ok {
			added = append(added, i)
			continue
		}
		now.Role = old.Role
		if now != old {
			return fmt.Errorf("case %s had %d slices of %d x %d when it was added and has %d of %d x %d now: its labels would lie wrong; put the old image back, or rename the new one",
				c.ID, old.Slices, old.Height, old.Width, now.Slices, now.Height, now.Width)
		}
		delete(before, c.ID)
	}
	for _, c := range known {
		if _, gone := before[c.Name]; gone {
			p.log.Warn("case " + c.Name + " has gone from the data folder: its labels are kept, its slices are not asked for")
		}
	}
	roles, err := p.chooseRoles(data, added)
	if err != nil {
		return err
	}
	for _, i := range added {
		c := data.Cases[i]
		masks, err := p.adopt(data, i, roles[i])
		if err != nil {
			return err
		}
		h, w := p.Config.Preprocess.SliceSize(c.Grid)
		one := store.Case{Name: c.ID, Slices: p.Config.Preprocess.Slices(c.Grid), Height: h, Width: w, Role: roles[i]}
		if err := p.store.AddCase(ctx, one, masks); err != nil {
			return err
		}
		p.roles[c.ID] = roles[i]
	}
	return nil
}

// chooseRoles says which of the added cases are for validation: those that the configuration names, else a random
// share, drawn apart among cases with and without masks so that both kinds of labels are shared out. A project of one
// case has none.
func (p *Project) chooseRoles(data *dataset.Dataset, added []int) (map[int]store.Role, error) {
	roles := map[int]store.Role{}
	for _, i := range added {
		roles[i] = store.Training
	}
	if names := p.Config.ValidationCases; len(names) > 0 {
		for _, name := range names {
			i := data.Index(name)
			if i < 0 {
				return nil, fmt.Errorf("validation cases: there is no case %q", name)
			}
			if slices.Contains(added, i) {
				roles[i] = store.Validation
			}
		}
		return roles, nil
	}
	rng := random.Stream(p.Config.Seed, "validation", len(p.roles))
	have := 0
	for _, role := range p.roles {
		if role == store.Validation {
			have++
		}
	}
	total := len(p.roles) + len(added)
	want := int(p.Config.ValidationShare*float64(total)+0.5) - have
	if want < 1 && have == 0 && total > 1 && p.Config.ValidationShare > 0 {
		want = 1
	}
	var with, without []int
	for _, i := range added {
		if p.adopts(data, i, store.Training) {
			with = append(with, i)
		} else {
			without = append(without, i)
		}
	}
	for left, groups := want, [][]int{with, without}; len(groups) > 0; groups = groups[1:] {
		rest := 0
		for _, g := range groups {
			rest += len(g)
		}
		if left <= 0 || rest == 0 {
			break
		}
		n := min(left, (left*len(groups[0])+rest-1)/rest, len(groups[0]))
		for _, k := range rng.Perm(len(groups[0]))[:n] {
			roles[groups[0][k]] = store.Validation
		}
		left -= n
	}
	return roles, nil
}

// adopts reports whether the mask of a case is taken over.
func (p *Project) adopts(data *dataset.Dataset, index int, role store.Role) bool {
	chosen := role == store.Validation && len(p.Config.ValidationCases) > 0
	return data.Cases[index].Label != "" && (chosen || p.Config.Masks != MasksIgnore)
}

// adopt returns the labelled slices of a case's mask.
func (p *Project) adopt(data *dataset.Dataset, index int, role store.Role) ([]store.Adopted, error) {
	if !p.adopts(data, index, role) {
		return nil, nil
	}
	mask, err := data.Reference(index)
	if err != nil {
		return nil, fmt.Errorf("take over the mask: %w", err)
	}
	var masks []store.Adopted
	for k := range p.Config.Preprocess.Slices(mask.Grid) {
		slice := preprocess.Cut(p.Config.Preprocess, mask.Data, mask.Grid, k)
		if p.Config.Masks == MasksForeground && !foreground(slice) {
			continue
		}
		masks = append(masks, store.Adopted{Slice: k, Mask: slice})
	}
	return masks, nil
}

func foreground(mask []uint8) bool {
	return slices.ContainsFunc(mask, func(class uint8) bool { return class != 0 })
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
