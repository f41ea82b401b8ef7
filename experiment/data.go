package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/volume"
)

// data is what all units of an experiment share and none writes to.
type data struct {
	record     DataRecord
	preprocess preprocess.Config
	classes    []string
	info       model.Info // of models that are trained on the pool

	pool       *dataset.Slices
	positions  []query.Position // of the pool's items
	foreground []bool           // whether their masks have any
	test       []model.Case
}

// DataRecord is what a run folder says about its data: what was made of them, and which case was used for what.
type DataRecord struct {
	Name       string            `json:"name"`
	Layout     string            `json:"layout"`
	Classes    []string          `json:"classes"`
	Preprocess preprocess.Config `json:"preprocess"`
	PoolItems  int               `json:"pool_items"`
	Pool       []string          `json:"pool"`
	Validation []string          `json:"validation"`
	Test       []string          `json:"test"`
}

// The phantom data set that a simulation uses: the same for every seed of the experiment.
const (
	PhantomCases = 24
	PhantomSeed  = 1
)

// openData opens the data set of an experiment. The phantom lies in a temporary folder until it is closed.
func openData(ctx context.Context, c Config, track *tracker, notice func(string)) (set *dataset.Dataset, closeData func(), err error) {
	dir := c.Data
	closeData = func() {}
	if dir == Phantom {
		if dir, err = os.MkdirTemp("", "nextslice-phantom-"); err != nil {
			return nil, nil, err
		}
		closeData = func() { os.RemoveAll(dir) }
		if err := phantom.Write(ctx, dir, PhantomCases, PhantomSeed, track.load); err != nil {
			closeData()
			return nil, nil, err
		}
	}
	if set, err = dataset.OpenWith(ctx, dir, dataset.OpenOptions{}); err != nil {
		closeData()
		return nil, nil, err
	}
	for _, problem := range set.Problems {
		notice("data: " + problem.String())
	}
	if err := set.UseChannel(c.Channel); err != nil {
		closeData()
		return nil, nil, &ConfigError{fmt.Errorf("channel: %w", err)}
	}
	if c.Patient != "" {
		if err := set.UsePatients(c.Patient); err != nil {
			closeData()
			return nil, nil, &ConfigError{err}
		}
	}
	if len(set.Classes) < 2 {
		closeData()
		return nil, nil, fmt.Errorf("%s: the masks hold no class beside the background: there is nothing to learn", c.Data)
	}
	return set, closeData, nil
}

// loadData reads the slices of the pool and the test cases.
func loadData(ctx context.Context, c Config, track *tracker, notice func(string)) (*data, error) {
	set, closeData, err := openData(ctx, c, track, notice)
	if err != nil {
		return nil, err
	}
	defer closeData()
	split, err := set.Split(c.Split, random.Stream(c.Seed, "split"))
	if err != nil {
		return nil, &ConfigError{err}
	}
	split.Pool = labelled(set, split.Pool)
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return nil, &ConfigError{err}
	}
	d := &data{preprocess: c.canvas(set, axis), classes: set.Classes}
	d.info = model.Describe(set, split.Pool, d.preprocess)

	total := len(split.Pool) + len(split.Test)
	d.pool, err = dataset.Load(ctx, set, split.Pool, d.preprocess, func(done, _ int) { track.load(done, total) })
	if err != nil {
		return nil, err
	}
	if n := len(d.pool.Items); c.InitialSize > n {
		return nil, &ConfigError{fmt.Errorf("initial-size: want at most the %d items of the pool, got %d", n, c.InitialSize)}
	}
	for i, item := range d.pool.Items {
		d.positions = append(d.positions, query.Position{Case: item.Case, Slice: item.Slice})
		d.foreground = append(d.foreground, slices.ContainsFunc(d.pool.Labels[i], func(class uint8) bool { return class != 0 }))
	}
	test, err := dataset.Load(ctx, set, split.Test, d.preprocess, func(done, _ int) { track.load(len(split.Pool)+done, total) })
	if err != nil {
		return nil, err
	}
	for _, index := range split.Test {
		reference, err := set.Reference(index)
		if err != nil {
			return nil, err
		}
		first, n := test.Range(index)
		one := set.Cases[index]
		d.test = append(d.test, model.Case{ID: one.ID, Grid: one.Grid, Images: test.Images[first : first+n], Ref: reference})
	}

	ids := func(cases []int) []string {
		names := make([]string, len(cases))
		for i, index := range cases {
			names[i] = set.Cases[index].ID
		}
		return names
	}
	d.record = DataRecord{
		Name: set.Name, Layout: set.Layout, Classes: set.Classes, Preprocess: d.preprocess, PoolItems: len(d.pool.Items),
		Pool: ids(split.Pool), Validation: ids(split.Validation), Test: ids(split.Test),
	}
	if c.Data == Phantom {
		d.record.Name = Phantom // and not that of the temporary folder
	}
	return d, nil
}

// labelled returns the cases that have a mask: an oracle without one cannot answer.
func labelled(set *dataset.Dataset, cases []int) []int {
	var with []int
	for _, index := range cases {
		if set.Cases[index].Label != "" {
			with = append(with, index)
		}
	}
	return with
}

// canvas returns how slices are made: on the canvas of the configuration, or on one that its preset allows.
func (c Config) canvas(set *dataset.Dataset, axis int) preprocess.Config {
	preset, _ := train.FindPreset(c.Preset) // without one there is no limit
	return set.PreprocessFor(axis, preset.Canvas, c.Canvas)
}

// subset returns items of the pool for a training.
func (d *data) subset(items []int) train.Set {
	s := train.Set{H: d.preprocess.Height, W: d.preprocess.Width, Classes: len(d.classes)}
	for _, i := range items {
		s.Images = append(s.Images, d.pool.Images[i])
		s.Labels = append(s.Labels, d.pool.Labels[i])
	}
	return s
}

// recordData writes data.json, or refuses to go on with data that are not those of the run's first part.
func (f *Folder) recordData(d *data) error {
	path := f.path("data.json")
	now, err := json.Marshal(d.record)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeJSON(path, d.record)
	}
	if err != nil {
		return err
	}
	var before bytes.Buffer
	if err := json.Compact(&before, text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !bytes.Equal(before.Bytes(), now) {
		return fmt.Errorf("the data are not those that %s was begun with: cases or classes have changed since (see data.json there); choose another folder with --out", f.Dir)
	}
	return nil
}
