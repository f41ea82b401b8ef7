package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/internal/contents"
	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/volume"
)

// data is what all units of an experiment share and none writes to.
type data struct {
	record     record.Data
	preprocess preprocess.Config
	classes    []string
	info       model.Info // of models that are trained on the pool

	sources map[string]record.Source // of all cases that are used; nil for the phantom
	before  map[string]string        // sizes and times of their files before they were read
	slices  []record.Slice           // of the pool, in the order of its items; nil where they were not asked for

	pool       *dataset.Slices
	positions  []query.Position // of the pool's items
	foreground []bool           // whether their masks have any
	test       []model.Case

	initial initialSets
}

// openData opens the data set of an experiment and tells what is wrong with it.
func openData(ctx context.Context, c record.Config, track *tracker, notice func(string)) (*dataset.Dataset, func(), error) {
	set, closeData, err := c.OpenData(ctx, track.load)
	if err != nil {
		return nil, nil, err
	}
	for _, problem := range set.Problems {
		notice("data: " + problem.String())
	}
	if partly := set.Partly(); partly != nil {
		notice(fmt.Sprintf("data: in %d of %d cases some classes are not annotated: there they carry no loss and no measure", len(partly), len(set.Labelled())))
	}
	return set, closeData, nil
}

// loadData reads the slices of the pool and the test cases. measure asks for what there is to outline on the slices, which takes reading
// the pool's masks once more.
func loadData(ctx context.Context, c record.Config, track *tracker, measure bool, notice func(string)) (*data, error) {
	set, closeData, err := openData(ctx, c, track, notice)
	if err != nil {
		return nil, err
	}
	defer closeData()
	split, err := set.Split(c.Split, random.Stream(c.Seed, "split"))
	if err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	split.Pool = labelled(set, split.Pool)
	if err := c.CheckClasses(len(set.Classes)); err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	d := &data{preprocess: c.Preprocess(set, axis), classes: set.Classes}
	if c.Data != record.Phantom {
		d.before = map[string]string{}
		for _, i := range slices.Concat(split.Pool, split.Validation, split.Test) {
			for _, path := range sourceOf(set, i).Files() {
				d.before[path], _ = contents.Stat(path) // of one that cannot be read the reader tells
			}
		}
	}

	total := len(split.Pool) + len(split.Test)
	pool, err := dataset.Load(ctx, set, split.Pool, d.preprocess, func(done, _ int) { track.load(done, total) })
	if err != nil {
		return nil, err
	}
	split.Pool = used(set, split.Pool, pool, notice)
	d.info = model.Describe(set, split.Pool, d.preprocess)
	d.pool = pool.Labelled()
	if n := len(d.pool.Items); c.InitialSize > n {
		return nil, &record.ConfigError{Err: fmt.Errorf("initial-size: want at most the %d items of the pool, got %d", n, c.InitialSize)}
	}
	for i, item := range d.pool.Items {
		d.positions = append(d.positions, query.Position{Case: item.Case, Slice: item.Slice})
		d.foreground = append(d.foreground, slices.ContainsFunc(d.pool.Labels[i], func(class uint8) bool { return class != 0 && int(class) < len(d.classes) }))
	}
	if measure {
		if d.slices, err = measureSlices(ctx, set, d.pool); err != nil {
			return nil, err
		}
	}
	test, err := dataset.Load(ctx, set, split.Test, d.preprocess, func(done, _ int) { track.load(len(split.Pool)+done, total) })
	if err != nil {
		return nil, err
	}
	split.Test = used(set, split.Test, test, notice)
	left := slices.Concat(set.LeftOut(), pool.LeftOut, test.LeftOut)
	tellSplit(set, split, left, notice)
	for _, index := range split.Test {
		reference, err := set.Reference(index)
		if err != nil {
			return nil, err
		}
		first, n := test.Range(index)
		one := set.Cases[index]
		d.test = append(d.test, model.Case{ID: one.ID, Grid: one.Grid, Images: test.Images[first : first+n], Ref: reference, Unannotated: one.Unannotated})
	}

	ids := func(cases []int) []string {
		names := make([]string, len(cases))
		for i, index := range cases {
			names[i] = set.Cases[index].ID
		}
		return names
	}
	d.record = record.Data{
		Name: set.Name, Layout: set.Layout, Classes: set.Classes, Values: set.Values(), Channels: set.Channels, Preprocess: d.preprocess, PoolItems: len(d.pool.Items),
		Unannotated: set.Partly(), Pool: ids(split.Pool), Validation: ids(split.Validation), Test: ids(split.Test),
	}
	for _, p := range left {
		d.record.LeftOut = append(d.record.LeftOut, record.LeftOut{Case: p.Case, Why: p.Text})
	}
	if c.Data == record.Phantom {
		d.record.Name = record.Phantom // and not that of the temporary folder
		return d, nil
	}
	d.sources = map[string]record.Source{}
	for _, i := range slices.Concat(split.Pool, split.Validation, split.Test) {
		d.sources[set.Cases[i].ID] = sourceOf(set, i)
	}
	return d, nil
}

// measureSlices returns what there is to outline on each item, on its case's own grid.
func measureSlices(ctx context.Context, set *dataset.Dataset, items *dataset.Slices) ([]record.Slice, error) {
	out := make([]record.Slice, len(items.Items))
	byCase := map[int][]int{}
	var cases []int
	for i, item := range items.Items {
		if byCase[item.Case] == nil {
			cases = append(cases, item.Case)
		}
		byCase[item.Case] = append(byCase[item.Case], i)
	}
	faults := make([]error, len(cases))
	parallel.For(len(cases), parallel.All, func(k int) {
		if ctx.Err() != nil {
			return
		}
		mask, err := set.Reference(cases[k])
		if err != nil {
			faults[k] = err
			return
		}
		_, width := items.Config.SliceSize(mask.Grid)
		for _, i := range byCase[cases[k]] {
			s := record.Slice{Case: set.Cases[cases[k]].ID, Slice: items.Items[i].Slice}
			s.Foreground, s.Boundary = record.MeasureSlice(mask.Slice(items.Config.Axis, s.Slice), width, len(set.Classes))
			out[i] = s
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("measure slices: %w", err)
	}
	return out, errors.Join(faults...)
}

// sourceOf returns what a case is read from.
func sourceOf(set *dataset.Dataset, i int) record.Source {
	images, mask := set.Cases[i].Files()
	return record.Source{Images: images, Mask: mask}
}

// sum adds the hashes of the files to what is recorded of the data. It refuses files that are no longer as they were before they were read: their
// hashes would not be those of what is trained on. A folder that is there spares reading again what nobody has touched.
func (d *data) sum(f *record.Folder) error {
	if d.sources == nil || d.record.Files != nil {
		return nil
	}
	sums, err := f.Sum(d.sources)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(d.sources)) {
		for _, path := range d.sources[name].Files() {
			if now, err := contents.Stat(path); err != nil || now != d.before[path] {
				return fmt.Errorf("%s changed while it was being read: give the command again", path)
			}
		}
	}
	d.record.Files = sums
	return nil
}

// recordIn writes in a run folder what the data are, with the hashes of their files.
func (d *data) recordIn(f *record.Folder, notice func(string)) error {
	if err := d.sum(f); err != nil {
		return err
	}
	return f.RecordData(d.record, d.slices, notice)
}

// used returns the cases that were loaded, and tells what is wrong with the others and with these.
func used(set *dataset.Dataset, cases []int, s *dataset.Slices, notice func(string)) (loaded []int) {
	for _, w := range s.Warnings {
		notice("data: " + w)
	}
	for _, p := range s.LeftOut {
		notice("data: " + p.String())
	}
	for _, i := range cases {
		if !slices.ContainsFunc(s.LeftOut, func(p dataset.Problem) bool { return p.Case == set.Cases[i].ID }) {
			loaded = append(loaded, i)
		}
	}
	return loaded
}

// tellSplit tells which cases are used for what, where that is not what the number of cases says: some are left out, or kept together.
func tellSplit(set *dataset.Dataset, split dataset.Split, left []dataset.Problem, notice func(string)) {
	if len(left) > 0 {
		notice(fmt.Sprintf("warning: left out: %d of %d cases; used are %d for the test, %d for validation, %d in the pool",
			len(left), len(left)+len(split.Test)+len(split.Validation)+len(split.Pool), len(split.Test), len(split.Validation), len(split.Pool)))
	}
	if set.Grouped != "" || len(left) > 0 {
		names := func(cases []int) string {
			var ids []string
			for _, i := range cases {
				ids = append(ids, set.Cases[i].ID)
			}
			return strings.Join(ids, ", ")
		}
		notice(fmt.Sprintf("split: test %s; validation %s; pool %s", names(split.Test), cmp.Or(names(split.Validation), "none"), names(split.Pool)))
	}
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

// subset returns items of the pool for a training.
func (d *data) subset(items []int) train.Set {
	s := train.Set{H: d.preprocess.Height, W: d.preprocess.Width, Classes: len(d.classes)}
	for _, i := range items {
		s.Images = append(s.Images, d.pool.Images[i])
		s.Labels = append(s.Labels, d.pool.Labels[i])
		if d.pool.Unannotated != nil {
			s.Unannotated = append(s.Unannotated, d.pool.Unannotated[i])
		}
	}
	return s
}
