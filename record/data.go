package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/train/recipe"
)

// Data is what a run folder says about its data: what was made of them, and which case was used for what.
type Data struct {
	Name    string   `json:"name"`
	Layout  string   `json:"layout"`
	Classes []string `json:"classes"`
	Values  []int    `json:"values,omitempty"` // in masks of numbers that stand for the classes 1, 2 …; none if these are the values
	// Channels are those that were read together as one image, in order; none where one was read.
	Channels   []dataset.Channel `json:"channels,omitempty"`
	Preprocess preprocess.Config `json:"preprocess"`
	PoolItems  int               `json:"pool_items"`
	// Unannotated are the classes that nobody has looked for in a case, by its ID.
	Unannotated map[string][]string `json:"unannotated,omitempty"`
	Pool        []string            `json:"pool"`
	Validation  []string            `json:"validation"`
	Test        []string            `json:"test"`
	// LeftOut are the cases that could not be used, found when the folder was opened or when their voxels were read.
	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// LeftOut is a case that could not be used.
type LeftOut struct {
	Case string `json:"case"`
	Why  string `json:"why"` // in one line, with the file
}

// Differs says in words how other data differ from d; "" where an experiment on d may go on with them. Why cases were left out, which
// may be worded otherwise, does not count. Data that were recorded before cases were listed as left out, or without one, may meet further
// ones, such as a new damaged file: the cases that are used are the same.
func (d Data) Differs(other Data) string {
	left := func(d Data) (ids []string) {
		for _, c := range d.LeftOut {
			ids = append(ids, c.Case)
		}
		slices.Sort(ids)
		return ids
	}
	now, before := left(other), left(d)
	var changes []string
	for _, lists := range []struct {
		more, less []string
		text       string
	}{{now, before, "now left out: "}, {before, now, "no longer left out: "}} {
		only := slices.DeleteFunc(slices.Clone(lists.more), func(id string) bool { return slices.Contains(lists.less, id) })
		if len(only) > 0 {
			changes = append(changes, lists.text+strings.Join(only, ", "))
		}
	}
	known := len(d.LeftOut) > 0
	d.LeftOut, other.LeftOut = nil, nil
	if d.Values == nil { // not recorded before; the classes are called after them
		other.Values = nil
	}
	if d.Channels == nil { // not recorded before; the configuration says which
		other.Channels = nil
	}
	switch same := reflect.DeepEqual(d, other); {
	case same && (!known || len(changes) == 0):
		return ""
	case len(changes) > 0:
		return "cases " + strings.Join(changes, "; ")
	}
	return "cases, classes or preprocessing have changed"
}

// The phantom data set that a simulation uses: the same for every seed of the experiment.
const (
	PhantomCases = 24
	PhantomSeed  = 1
)

// ConfigError is a fault of what was asked for, as opposed to one of the world.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// OpenData opens the data set of an experiment. The phantom lies in a temporary folder until it is closed; progress, which
// may be nil, counts its cases.
func (c Config) OpenData(ctx context.Context, progress func(done, of int)) (set *dataset.Dataset, closeData func(), err error) {
	dir := c.Data
	closeData = func() {}
	if dir == Phantom {
		if dir, err = os.MkdirTemp("", "nextslice-phantom-"); err != nil {
			return nil, nil, err
		}
		closeData = func() { os.RemoveAll(dir) }
		if err := phantom.Write(ctx, dir, PhantomCases, PhantomSeed, progress); err != nil {
			closeData()
			return nil, nil, err
		}
	}
	set, err = dataset.OpenWith(ctx, dir, dataset.OpenOptions{Ignore: c.Ignore})
	if err == nil {
		err = c.useData(set)
	}
	if err != nil {
		closeData()
		return nil, nil, err
	}
	return set, closeData, nil
}

// Preprocess returns how slices are made: on the canvas of the configuration, or on one that its preset allows.
func (c Config) Preprocess(set *dataset.Dataset, axis int) preprocess.Config {
	preset, _ := recipe.FindPreset(c.Preset) // without one there is no limit
	p := set.PreprocessFor(axis, preset.Canvas, c.Canvas)
	p.Input, p.NaN = c.Input, c.NaN
	return p
}

// useData chooses the channel and the patients of a data set.
func (c Config) useData(set *dataset.Dataset) error {
	if err := set.Choose(c.Channel, c.Channels, c.Resample); err != nil {
		return &ConfigError{err}
	}
	if c.Patient != "" {
		if err := set.UsePatients(c.Patient); err != nil {
			return &ConfigError{err}
		}
	}
	if len(set.Classes) < 2 {
		return fmt.Errorf("%s: the masks hold no class beside the background: there is nothing to learn", c.Data)
	}
	return nil
}

// RecordData writes data.json, or refuses to go on with data that are not those of the run's first part.
func (f *Folder) RecordData(now Data) error {
	var before Data
	err := readJSON(f.path(DataFile), &before)
	if errors.Is(err, os.ErrNotExist) {
		return writeJSON(f.path(DataFile), now)
	}
	if err != nil {
		return err
	}
	if change := before.Differs(now); change != "" {
		return fmt.Errorf("the data are not those that %s was begun with: %s (see %s there); restore them, or choose another folder with --out", f.Dir, change, DataFile)
	}
	return nil
}

// initialItems is the file with the names of the items of each initial set.
const initialItems = "initial.json"

// RecordInitial writes the names of the items of each initial set, which cycles.jsonl does not repeat.
func (f *Folder) RecordInitial(sets map[int][]string) error {
	return writeJSON(f.path(initialItems), sets)
}

// Initial returns the names of the items of each initial set, or nil for a run folder that does not tell.
func (f *Folder) Initial() (sets map[int][]string, err error) {
	err = readJSON(f.path(initialItems), &sets)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return sets, err
}
