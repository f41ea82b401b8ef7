package experiment

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// tinyConfig is an experiment of moments, whose networks learn next to nothing.
func tinyConfig(t *testing.T) record.Config {
	t.Helper()
	c := smallConfig(t, 5)
	c.Strategies, c.InitialSets, c.Cycles, c.Train.Steps = []string{"random"}, 2, 1, 3
	return c
}

// The ceiling is one training on all of the pool per initial set. It is added to a run that was finished, goes on after an interruption, and
// leaves the records of the strategies as they were.
func TestCeiling(t *testing.T) {
	c := tinyConfig(t)
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	before := records(t, dir)

	// Interrupted while the second set's is trained.
	c.Ceiling = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	last := 0.0
	err := Run(ctx, c, Options{Out: dir, Resume: true, Threads: 1, Progress: func(e Event) {
		last = e.Fraction
		if e.Run == (record.Unit{Strategy: record.Ceiling, Set: 2}) && e.Phase == "train" {
			cancel()
		}
	}})
	if err == nil || last > 0.99 {
		t.Fatalf("ended with %v at %.2f", err, last)
	}
	trained := 0
	if err := Run(t.Context(), c, Options{Out: dir, Resume: true, Threads: 1, Progress: func(e Event) {
		last = e.Fraction
		if e.Phase == "train" && e.Done == e.Of {
			trained++
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if trained != 1 || last != 1 {
		t.Errorf("%d trainings after the interruption, want that of the second set; progress ends at %v", trained, last)
	}
	after := records(t, dir)
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s is another", name)
		}
	}

	// Run at once, it is the same.
	whole := filepath.Join(t.TempDir(), "whole")
	if err := Run(t.Context(), c, Options{Out: whole, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records(t, whole), after); diff != "" {
		t.Errorf("(-at once +resumed):\n%s", diff)
	}

	x, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var dice []float64
	for _, r := range x.Runs {
		if r.Strategy != record.Ceiling {
			continue
		}
		one := r.Cycles[0]
		if len(r.Cycles) != 1 || one.Labelled != poolItems(t, c) || one.Query != nil || one.Initial != nil || len(one.Cases) == 0 {
			t.Errorf("set %d: %+v", r.Set, r.Cycles)
		}
		dice = append(dice, one.Measures.Mean.Dice3D.Value)
	}
	if len(dice) != 2 {
		t.Errorf("Dice %v, want two", dice)
	}
	if first := after["initial/1-all.safetensors"]; first == "" || first == after["initial/2-all.safetensors"] {
		t.Error("both sets have one network, want another seed for each")
	}

	// An exported record gives it to another run, which has nothing left to train.
	exported := filepath.Join(t.TempDir(), "record")
	if err := x.Write(exported); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(t.TempDir(), "taken")
	if err := Run(t.Context(), c, Options{Out: taken, Threads: 1, Records: []string{exported}, Progress: func(e Event) {
		if e.Phase == "train" {
			t.Fatalf("%s is trained", e.Unit)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if n := finished(t, taken); n != 4 {
		t.Errorf("%d runs were taken over, want 4", n)
	}
}

// poolItems returns how many slices the pool has, by the masks of its cases.
func poolItems(t *testing.T, c record.Config) int {
	t.Helper()
	d, err := loadData(t.Context(), c, newTracker(nil), false, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, id := range d.record.Pool {
		m, err := volume.ReadMask(filepath.Join(c.Data, "labelsTr", id+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		n += m.Size[d.preprocess.Axis]
	}
	return n
}

// slices.csv is written with a run, and to one that has none when it is resumed, which changes nothing else.
func TestRunSlices(t *testing.T) {
	c := tinyConfig(t)
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	files := contentsOf(t, dir)
	text := files[record.SlicesFile]
	table, err := record.ReadSlices(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := poolItems(t, c); len(table) != want {
		t.Errorf("%d slices, want %d", len(table), want)
	}
	// Foreground is that of the masks on their own grid, not on the canvas of 32 × 32.
	set, err := dataset.Open(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	sum, want := map[string]int{}, map[string]int{}
	for _, s := range table {
		sum[s.Case] += s.Foreground
		if (s.Foreground == 0) != (s.Boundary == 0) {
			t.Errorf("%+v", s)
		}
	}
	for id := range sum {
		m, err := set.Reference(set.Index(id))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Data {
			if v != 0 {
				want[id]++
			}
		}
	}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("foreground per case (-want +got):\n%s", diff)
	}

	if err := os.Remove(filepath.Join(dir, record.SlicesFile)); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), c, Options{Out: dir, Resume: true, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, contentsOf(t, dir)); diff != "" {
		t.Errorf("resumed (-before +after):\n%s", diff)
	}
}

// contentsOf returns all files of a folder.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	var names []string
	for _, pattern := range []string{"*", "*/*", "*/*/*", "*/*/*/*"} {
		more, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, more...)
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(names))) {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a folder
		}
		name, _ := filepath.Rel(dir, path)
		files[name] = string(text)
	}
	return files
}
