package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train/recipe"
)

// writePhantom writes a small phantom data set.
func writePhantom(t *testing.T, cases int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "phantom")
	if err := phantomtest.Write(dir, cases, 1); err != nil {
		t.Fatal(err)
	}
	return dir
}

// parse reads a configuration.
func parse(t *testing.T, text string) record.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.yaml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := record.ReadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// smallConfig is an experiment of a few seconds: coarse slices, a narrow network, few steps.
func smallConfig(t *testing.T, cases int) record.Config {
	t.Helper()
	c := parse(t, "")
	c.Data, c.Canvas = writePhantom(t, cases), []int{32, 32}
	c.Strategies = []string{"random", "entropy+sb"}
	c.InitialSets, c.InitialSize, c.QuerySize, c.Cycles = 1, 4, 8, 2
	c.Train.Width, c.Train.Steps, c.Train.Dropout, c.Train.Loss.Smooth = 8, 80, 0.1, 1
	c.Train.LearningRate = recipe.Schedule{First: 1e-3, Peak: 5e-3, Last: 1e-5, WarmUp: 0.3}
	return c
}

// records returns what must be the same bytes, run for run.
func records(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !strings.HasSuffix(path, ".env.json") && (entry.Name() == "cycles.jsonl" || filepath.Dir(path) == filepath.Join(dir, "initial")) {
			var text []byte
			text, err = os.ReadFile(path)
			name, _ := filepath.Rel(dir, path)
			files[name] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRun(t *testing.T) {
	c := smallConfig(t, 6)
	whole := filepath.Join(t.TempDir(), "whole")
	if err := Run(t.Context(), c, Options{Out: whole, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	want := records(t, whole)
	if len(want) != 2+2 {
		t.Fatalf("%d files of records: %v", len(want), want)
	}

	t.Run("learns", func(t *testing.T) {
		if n := finished(t, whole); n != 2 {
			t.Errorf("%d runs are finished, want 2", n)
		}
		x, err := record.Read(whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range x.Runs {
			first, last := r.Cycles[0], r.Cycles[len(r.Cycles)-1]
			if first.Labelled != 4 || last.Labelled != 20 || last.Measures.Unit != "mm" {
				t.Errorf("%s: %d to %d labels, distances in %s", r.Unit, first.Labelled, last.Labelled, last.Measures.Unit)
			}
			if a, b := first.Measures.Mean.Dice3D.Value, last.Measures.Mean.Dice3D.Value; !(b > a+0.2) {
				t.Errorf("%s: Dice from %.3f to %.3f", r.Unit, a, b)
			}
			if first.Measures.Mean.Dice3D.Value != x.Runs[0].Cycles[0].Measures.Mean.Dice3D.Value {
				t.Errorf("%s: the first cycle is not that of the others", r.Unit)
			}
		}
		for _, name := range []string{"config.yaml", "env.json", "data.json", "initial.json"} {
			if info, err := os.Stat(filepath.Join(whole, name)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("repeats with other jobs", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "again")
		if err := Run(t.Context(), c, Options{Out: dir, Jobs: 2}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, records(t, dir)); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
	t.Run("alone", func(t *testing.T) {
		alone := c
		alone.Strategies = []string{"entropy+sb"}
		dir := filepath.Join(t.TempDir(), "alone")
		if err := Run(t.Context(), alone, Options{Out: dir, Threads: 1}); err != nil {
			t.Fatal(err)
		}
		for name, text := range records(t, dir) {
			if strings.HasPrefix(name, "units") && text != want[name] {
				t.Errorf("%s differs from the run with other strategies", name)
			}
		}
	})
	t.Run("other seed", func(t *testing.T) {
		other := c
		other.Seed, other.Cycles = 1, 0
		dir := filepath.Join(t.TempDir(), "seed")
		if err := Run(t.Context(), other, Options{Out: dir, Threads: 1}); err != nil {
			t.Fatal(err)
		}
		if got := records(t, dir); got["initial/1.json"] == want["initial/1.json"] {
			t.Error("another seed gave the same model")
		}
	})
	t.Run("finished is not run again", func(t *testing.T) {
		err := Run(t.Context(), c, Options{Out: whole, Resume: true, Threads: 1, Progress: func(e Event) {
			if e.Phase != "load" {
				t.Errorf("ran again: %v", e)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, records(t, whole)); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
	t.Run("killed and resumed", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "killed")
		// Killed again and again, each time a little later and in another phase, with the record in progress torn.
		for kill := 50; ; kill += 70 {
			ctx, cancel := context.WithCancel(t.Context())
			events, part := 0, 0.0
			err := Run(ctx, c, Options{Out: dir, Resume: true, Threads: 1, Progress: func(e Event) {
				if e.Phase != "load" {
					events++
				}
				if events == 1 && e.Fraction > 0.05 || e.Fraction < part {
					t.Errorf("event %d of what is left: %.3f of it, after %.3f: %v", events, e.Fraction, part, e)
				}
				part = e.Fraction
				if events == kill {
					cancel()
				}
			}})
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			tear(t, dir)
		}
		if diff := cmp.Diff(want, records(t, dir)); diff != "" {
			t.Errorf("(-uninterrupted +resumed):\n%s", diff)
		}
	})
}

// A run folder of an earlier program is gone on with: what it holds stays, and a new strategy starts from its models.
func TestOldRunFolder(t *testing.T) {
	old := os.DirFS(filepath.Join("..", "record", "testdata", "run"))
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, old); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(dir)) // its data are the phantom of 5 cases in ./data
	if err := phantomtest.Write("data", 5, record.PhantomSeed); err != nil {
		t.Fatal(err)
	}
	want := records(t, dir)
	_, c, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Strategies = append(c.Strategies, "margin")
	if err := Run(t.Context(), c, Options{Out: dir, Resume: true, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if n := finished(t, dir); n != 3 {
		t.Errorf("%d runs are finished, want 3", n)
	}
	got := records(t, dir)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s has changed", name)
		}
	}
}

// tear appends half a record to the files of the units that are not finished, as a crash of the machine can.
func tear(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "units", "*", "cycles.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n") == 3 {
			continue
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(`{"cycle":1,"labe`); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
}

// finished returns how many runs of a run folder have all their cycles.
func finished(t *testing.T, dir string) (n int) {
	t.Helper()
	folder, c, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range c.Units() {
		cycles, err := folder.Cycles(u)
		if err != nil {
			t.Fatal(err)
		}
		if active.Finished(cycles, c.Cycles) {
			n++
		}
	}
	return n
}

func TestRunRefusals(t *testing.T) {
	c := smallConfig(t, 4)
	c.Train.Steps, c.Cycles = 1, 0
	for name, test := range map[string]struct {
		change func(*record.Config)
		want   string
	}{
		"no folder":        {func(c *record.Config) { c.Data = filepath.Join(c.Data, "nowhere") }, "nowhere"},
		"too many initial": {func(c *record.Config) { c.InitialSize = 1000 }, "initial-size: want at most the"},
		"no pool":          {func(c *record.Config) { c.Split.Test, c.Split.Validation = 2, 2 }, "leave no case for the pool"},
		"a case twice":     {func(c *record.Config) { c.Split.TestCases = []string{"phantom_001", "phantom_001"} }, "phantom_001 is listed twice"},
	} {
		c := c
		test.change(&c)
		dir := filepath.Join(t.TempDir(), "run")
		err := Run(t.Context(), c, Options{Out: dir, Threads: 1})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: left a run folder behind", name)
		}
	}

	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(c.Data, "imagesTr", "phantom_003.nii.gz")); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1, Resume: true}); err == nil || !strings.Contains(err.Error(), "the data are not those") {
		t.Errorf("a data set that lost a case: %v", err)
	}
}

// Class weights of another number than the data have classes are a fault of the configuration, whatever trains.
func TestClassWeights(t *testing.T) {
	c := smallConfig(t, 4)
	c.Train.Loss.ClassWeights = []float64{1, 2, 3}
	run := Run(t.Context(), c, Options{Out: filepath.Join(t.TempDir(), "run"), Threads: 1})
	_, trained := TrainModel(t.Context(), nil, c, nil, func(string) {})
	for name, err := range map[string]error{"simulate": run, "train": trained} {
		if _, ok := errors.AsType[*record.ConfigError](err); !ok || !strings.Contains(err.Error(), "loss.class-weights: want one for each of the 2 classes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A unit whose training diverges fails by itself: the others are run, it and what begins with it are named, and a resumed run tries again.
func TestRunGoesOnAfterAFailure(t *testing.T) {
	c := smallConfig(t, 4)
	c.Train.Steps, c.Train.Width, c.Cycles, c.Jobs = 3, 2, 1, 2
	c.Grid = parse(t, "grid: [{name: hot, learning-rate.first: 1e30, learning-rate.peak: 1e30}, {name: mild}]").Grid
	c.Ceiling = true
	dir := filepath.Join(t.TempDir(), "run")
	var notices []string
	fraction := 0.0
	run := func(resume bool) error {
		notices, fraction = nil, 0
		return Run(t.Context(), c, Options{Out: dir, Threads: 1, Resume: resume, Notice: func(text string) { notices = append(notices, text) }, Progress: func(e Event) { fraction = max(fraction, e.Fraction) }})
	}
	for _, resume := range []bool{false, true} {
		err := run(resume)
		if err == nil || strings.Count(err.Error(), "\n") != 4 {
			t.Fatalf("resume %v: %v", resume, err)
		}
		for _, want := range []string{
			"4 failed; all else that was to be run is recorded, and --resume tries these again\n",
			"\n  initial set 1, hot: train on the initial set: the loss became ", "\n  random, set 1, hot: initial set 1, hot failed\n", "\n  entropy+sb, set 1, hot: initial set 1, hot failed", "\n  all, set 1, hot: train on",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("resume %v: got %v\nwant %s", resume, err, want)
			}
		}
		if told := strings.Join(notices, "\n"); strings.Count(told, "failed: ") != 4 {
			t.Errorf("told %s", told)
		}
		if n := finished(t, dir); n != 3 {
			t.Errorf("%d runs are finished, want the 3 of the other recipe", n)
		}
		if !resume && fraction < 1 {
			t.Errorf("at the end %v of what could be done", fraction)
		}
	}
	alone := c
	alone.Grid = c.Grid[1:]
	straight := filepath.Join(t.TempDir(), "alone")
	if err := Run(t.Context(), alone, Options{Out: straight, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	got := records(t, dir)
	for name, want := range records(t, straight) {
		if got[name] != want {
			t.Errorf("%s is not that of a run without failures", name)
		}
	}
}

// A unit whose record is not of this run fails alone; a disk that cannot be written ends all.
func TestWhatEndsARun(t *testing.T) {
	c := smallConfig(t, 4)
	c.Train.Steps, c.Train.Width, c.Cycles = 2, 2, 1
	for name, test := range map[string]struct {
		file, text, want string
		finished         int
	}{
		"another run's record": {"cycles.jsonl", `{"cycle":0,"labelled":99,"query":["x/000"],"measures":{}}`, "1 failed; all else that was to be run is recorded, and --resume tries these again\n  random, set 1: recorded cycle 0 with 99", 1},
		"no place for masks":   {"last", "", "random, set 1: cycle 1: evaluate: ", 0},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		unit := filepath.Join(dir, "units", "1-random")
		f, err := record.CreateFolder(dir, c, false)
		if err == nil {
			err = errors.Join(f.Close(), os.MkdirAll(unit, 0o777), os.WriteFile(filepath.Join(unit, test.file), []byte(test.text+"\n"), 0o666))
		}
		if err != nil {
			t.Fatal(err)
		}
		err = Run(t.Context(), c, Options{Out: dir, Threads: 1, Resume: true})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
		if err := os.RemoveAll(unit); err != nil {
			t.Fatal(err)
		}
		if n := finished(t, dir); n != test.finished {
			t.Errorf("%s: %d other runs are finished, want %d", name, n, test.finished)
		}
	}
	for _, err := range []error{
		&tensor.EngineError{Op: "Conv", Status: "out of memory"}, &record.TakenError{What: "random, set 1"}, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		syscall.EIO, context.Canceled, context.DeadlineExceeded,
	} {
		if ofUnit(fmt.Errorf("random, set 1: cycle 1: %w", err)) {
			t.Errorf("%v: taken for the fault of a unit", err)
		}
	}
}
