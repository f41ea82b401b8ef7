package report

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// pictured is a data set of two cases, of which the first is a test case.
type pictured struct {
	dir, data string
	mask      *volume.Mask
}

func newPictured(t *testing.T) pictured {
	t.Helper()
	dir := t.TempDir()
	p := pictured{dir: dir, data: filepath.Join(dir, "data")}
	if err := phantomtest.Write(p.data, 2, 1); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.mask, err = volume.ReadMask(filepath.Join(p.data, "labelsTr", "phantom_000.nii.gz")); err != nil {
		t.Fatal(err)
	}
	return p
}

// folder writes a run folder of finished runs with predictions; dice are those of the test case, in the order of the units.
func (p pictured) folder(t *testing.T, name string, change func(*record.Config), dice ...float64) string {
	t.Helper()
	c, err := record.ReadConfig("", func(c *record.Config) {
		c.Data, c.InitialSets, c.InitialSize, c.QuerySize, c.Cycles = p.data, 1, 1, 1, 1
		change(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	set, closeData, err := c.OpenData(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closeData()
	dir := filepath.Join(p.dir, name)
	f, err := record.CreateFolder(dir, c, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.RecordData(record.Data{Name: set.Name, Classes: set.Classes, Preprocess: c.Preprocess(set, 2), Pool: []string{"phantom_001"}, Test: []string{"phantom_000"}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	for i, u := range c.Units() {
		class := metrics.ClassSummary{Class: 1, Name: "prostate", Dice3D: metrics.Measure{Value: dice[i], N: 1}}
		s := metrics.Summary{Classes: []metrics.ClassSummary{class}, Mean: class, Unit: "mm", Cases: 1,
			PerCase: []metrics.Case{{ID: "phantom_000", Classes: []metrics.ClassSummary{class}, Unit: "mm"}}}
		cycles := []active.Cycle{{Labelled: 1, Query: []string{"phantom_001/003"}, Measures: s}, {Cycle: 1, Labelled: 2, Measures: s}}
		if u.Strategy == record.Ceiling {
			cycles = []active.Cycle{{Labelled: 20, Measures: s}}
		}
		_, r, err := f.OpenUnit(u, func() record.Timing { return record.Timing{} }, func(active.Cycle) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range cycles {
			if err := r.Record(one); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.RecordPrediction(u, "phantom_000", p.mask); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A picture has the name and the Dice of the run that it is of, as the tables have them, whatever its folder calls it; a run that two folders hold has one.
func TestPicturesOfJoined(t *testing.T) {
	p := newPictured(t)
	usual := p.folder(t, "usual", func(c *record.Config) { c.Strategies = []string{"random", "entropy"} }, 0.5, 0.6)
	other := p.folder(t, "other", func(c *record.Config) { c.Strategies, c.Initial = []string{"random", "entropy"}, "typiclust" }, 0.7, 0.8)
	grid := p.folder(t, "grid", func(c *record.Config) {
		c.Strategies, c.Ceiling = []string{"entropy+sb"}, true
		c.Grid = record.Grid{{Name: "wide", Set: []record.Setting{{Key: "width", Value: 4}}}, {Name: "same"}}
	}, 0.1, 0.2, 0.3, 0.4)
	again := filepath.Join(p.dir, "again")
	if err := os.CopyFS(again, os.DirFS(usual)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dirs []string
		want map[string]float64
	}{
		{[]string{usual, other}, map[string]float64{"random": 0.5, "entropy": 0.6, "random from typiclust": 0.7, "entropy from typiclust": 0.8}},
		{[]string{other, usual}, map[string]float64{"random": 0.7, "entropy": 0.8, "random from random": 0.5, "entropy from random": 0.6}},
		{[]string{usual, grid}, map[string]float64{"random": 0.5, "entropy": 0.6, "entropy+sb": 0.3, "all": 0.4}},
		{[]string{usual, again}, map[string]float64{"random": 0.5, "entropy": 0.6}},
	} {
		sources, err := Read(c.dirs)
		if err != nil || len(sources) != 1 {
			t.Fatal(len(sources), err)
		}
		r, err := Analyse(sources, Options{Draws: 10})
		if err != nil {
			t.Fatal(err)
		}
		r.AddPictures(context.Background(), sources, "")
		x := r.Experiments[0]
		if x.PictureNote != "" || len(x.Pictures) == 0 {
			t.Errorf("%q: %d pictures: %s", c.dirs, len(x.Pictures), x.PictureNote)
			continue
		}
		got := map[string]float64{}
		for _, one := range x.Pictures[0].Predictions {
			got[one.Strategy] = one.Dice
		}
		if diff := cmp.Diff(c.want, got); diff != "" || len(x.Pictures[0].Predictions) != len(c.want) {
			t.Errorf("%q: %d predictions (-want +got):\n%s", c.dirs, len(x.Pictures[0].Predictions), diff)
		}
	}
}
