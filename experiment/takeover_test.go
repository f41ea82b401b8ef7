package experiment

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// makeRecord makes the record of a run folder, as the report command does.
func makeRecord(t *testing.T, dir string) (string, record.Export) {
	t.Helper()
	x, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "record")
	if err := x.Write(out); err != nil {
		t.Fatal(err)
	}
	return out, x
}

func TestTakeOver(t *testing.T) {
	c := smallConfig(t, 5)
	c.Train.Steps, c.Cycles = 4, 1
	first := filepath.Join(t.TempDir(), "first")
	if err := Run(t.Context(), c, Options{Out: first, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	dir, content := makeRecord(t, first)
	if n := len(content.Runs[0].Cycles[0].Initial); n != c.InitialSize {
		t.Fatalf("%d items of the initial set are recorded, want %d", n, c.InitialSize)
	}

	t.Run("one strategy more", func(t *testing.T) {
		more := c
		more.Strategies = []string{"random", "entropy+sb", "entropy"}
		out := filepath.Join(t.TempDir(), "second")
		ran := map[string]bool{}
		err := Run(t.Context(), more, Options{Out: out, Threads: 1, Records: []string{dir}, Progress: func(e Event) {
			if e.Phase != phases[phaseLoad] {
				ran[e.Unit] = true
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]bool{"initial set 1": true, "entropy, set 1": true}, ran); diff != "" {
			t.Errorf("what ran (-want +got):\n%s", diff)
		}
		if n := finished(t, out); n != 3 {
			t.Errorf("%d runs are finished, want 3", n)
		}
		from, _, _ := record.OpenFolder(first)
		to, _, _ := record.OpenFolder(out)
		for _, u := range c.Units() {
			want, _ := from.Cycles(u)
			got, err := to.Cycles(u)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				want[i].Measures.PerCase, want[i].Scores = nil, nil
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s (-run +taken over):\n%s", u, diff)
			}
			if _, err := os.Stat(filepath.Join(to.Dir, "units", u.Name(), "record.json")); err != nil {
				t.Errorf("%s does not say that it was taken over: %v", u, err)
			}
		}
		// What the folder says of these runs is all that the record said.
		read, err := record.Read(out)
		if err != nil {
			t.Fatal(err)
		}
		read.Runs = slices.DeleteFunc(read.Runs, func(r record.Run) bool { return r.Strategy == "entropy" })
		if diff := cmp.Diff(content.Runs, read.Runs, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("(-record +taken over):\n%s", diff)
		}
		if cycles := read.Runs[0].Cycles; len(cycles[len(cycles)-1].Cases) == 0 || len(read.Runs[0].Timings) == 0 {
			t.Error("the record has no cases or no times")
		}
		// Cycle 0 is trained here again for the new strategy, and is that of the record.
		entropy, _ := to.Cycles(record.Unit{Set: 1, Strategy: "entropy"})
		random, _ := to.Cycles(record.Unit{Set: 1, Strategy: "random"})
		if entropy[0].Measures.Mean.Dice3D != random[0].Measures.Mean.Dice3D {
			t.Errorf("cycle 0: %v here, %v in the record", entropy[0].Measures.Mean.Dice3D, random[0].Measures.Mean.Dice3D)
		}
	})

	t.Run("fewer cycles, as a recipe of a grid", func(t *testing.T) {
		fewer := c
		fewer.Cycles = 0
		fewer.Grid = parse(t, "grid: [{name: same}, {name: wide, width: 4}]").Grid
		straight, taken := filepath.Join(t.TempDir(), "straight"), filepath.Join(t.TempDir(), "taken")
		if err := Run(t.Context(), fewer, Options{Out: straight, Threads: 1}); err != nil {
			t.Fatal(err)
		}
		var notices []string
		if err := Run(t.Context(), fewer, Options{Out: taken, Threads: 1, Records: []string{dir}, Notice: func(s string) { notices = append(notices, s) }}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(notices, "\n"); !strings.Contains(got, "2 finished runs taken from") {
			t.Errorf("%s", got)
		}
		from, _, _ := record.OpenFolder(straight)
		to, _, _ := record.OpenFolder(taken)
		for _, u := range fewer.Units() {
			want, _ := from.Cycles(u)
			got, err := to.Cycles(u)
			if err != nil {
				t.Fatal(err)
			}
			if u.Grid == "same" {
				want[0].Measures.PerCase = nil
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s (-straight +taken over):\n%s", u, diff)
			}
		}
	})

	refused := func(name, want string, c record.Config, dir string) {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			err := Run(t.Context(), c, Options{Out: out, Threads: 1, Records: []string{dir}})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("a run folder was left behind: %v", err)
			}
		})
	}
	other := c
	other.Seed = 9
	refused("other seed", "it is another experiment\n  there: seed: 0\n  now:   seed: 9", other, dir)
	other = c
	other.Train.Steps = 5
	refused("other training", "there: steps: 4", other, dir)
	other = c
	other.Cycles = 2
	refused("more cycles", "there: cycles: 1", other, dir)
	other = c
	other.Data = writePhantom(t, 6)
	refused("other cases", "it was made of other data", other, dir)
	other = c
	other.Data = writePhantom(t, 5)
	corrected, err := filepath.Glob(filepath.Join(other.Data, "labels*", "*.nii.gz"))
	if err != nil || len(corrected) != 5 {
		t.Fatal(corrected, err)
	}
	mask, err := volume.ReadMask(corrected[1])
	if err != nil {
		t.Fatal(err)
	}
	mask.Data[len(mask.Data)/2] ^= 1
	if err := volume.WriteMask(corrected[1], mask); err != nil {
		t.Fatal(err)
	}
	refused("a corrected mask", "files have other contents than then: "+strings.TrimSuffix(filepath.Base(corrected[1]), ".nii.gz")+" (mask)", other, dir)
	strange := content
	strange.Runs = append([]record.Run(nil), content.Runs...)
	strange.Runs[0].Cycles = append([]record.Cycle(nil), content.Runs[0].Cycles...)
	strange.Runs[0].Cycles[0].Initial = []string{"phantom_000/000"}
	out := filepath.Join(t.TempDir(), "strange")
	if err := strange.Write(out); err != nil {
		t.Fatal(err)
	}
	refused("other initial set", "random, set 1 started from other slices", c, out)
	refused("no record", "no such file", c, filepath.Join(out, "nothing"))

	t.Run("a record without hashes", func(t *testing.T) {
		var d record.Data
		if err := json.Unmarshal(content.Data, &d); err != nil {
			t.Fatal(err)
		}
		d.Files = nil
		old := content
		if old.Data, err = json.Marshal(d); err != nil {
			t.Fatal(err)
		}
		dir, run := filepath.Join(t.TempDir(), "old"), t.TempDir() // which is there, and empty
		if err := old.Write(dir); err != nil {
			t.Fatal(err)
		}
		other := c
		other.Data = writePhantom(t, 5)
		labels := filepath.Join(other.Data, "labelsTr", d.Pool[0]+".nii.gz")
		whole, err := os.ReadFile(labels)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := volume.ReadMask(labels)
		if err != nil {
			t.Fatal(err)
		}
		mask.Data[len(mask.Data)/2] ^= 1
		if err := volume.WriteMask(labels, mask); err != nil {
			t.Fatal(err)
		}
		var notices []string
		o := Options{Out: run, Threads: 1, Records: []string{dir}, Notice: func(s string) { notices = append(notices, s) }}
		if err := Run(t.Context(), other, o); err == nil || !strings.Contains(err.Error(), "what there is to outline in "+d.Pool[0]+" is not what slices.csv says") {
			t.Errorf("another mask: %v", err)
		}
		if left, err := os.ReadDir(run); err != nil || len(left) > 0 {
			t.Errorf("left in an empty folder: %v, %v", left, err)
		}
		if err := os.WriteFile(labels, whole, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Run(t.Context(), other, o); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{dir + " has no hashes of the files it was made of, so that it was not checked whether images and masks are the same; the number", "2 finished runs taken from"} {
			if !strings.Contains(strings.Join(notices, "\n"), want) {
				t.Errorf("told %q, want %s", notices, want)
			}
		}
	})

	t.Run("unfinished runs are left", func(t *testing.T) {
		half := content
		half.Runs = append([]record.Run(nil), content.Runs...)
		half.Runs[1].Cycles = half.Runs[1].Cycles[:1]
		out := filepath.Join(t.TempDir(), "half")
		if err := half.Write(out); err != nil {
			t.Fatal(err)
		}
		var notices []string
		run := filepath.Join(t.TempDir(), "run")
		if err := Run(t.Context(), c, Options{Out: run, Threads: 1, Records: []string{out}, Notice: func(s string) { notices = append(notices, s) }}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(notices, "\n"), "1 finished runs taken from") {
			t.Errorf("%v", notices)
		}
		folder, _, _ := record.OpenFolder(run)
		cycles, err := folder.Cycles(c.Units()[1])
		if err != nil || !active.Finished(cycles, c.Cycles) || cycles[1].Measures.PerCase == nil {
			t.Errorf("the unfinished run was not run here: %v", err)
		}
	})
}

// Every recipe is trained as if it stood alone, from the same initial sets.
func TestRunGrid(t *testing.T) {
	c := smallConfig(t, 5)
	c.Train.Steps, c.Cycles, c.Strategies = 2, 1, []string{"random"}
	c.Grid = parse(t, "grid: [{name: wide, width: 4}, {name: narrow, width: 2}]").Grid
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if n := finished(t, dir); n != 2 {
		t.Errorf("%d runs are finished, want 2", n)
	}
	got := records(t, dir)
	alone := c
	alone.Grid, alone.Train.Width = nil, 4
	other := filepath.Join(t.TempDir(), "alone")
	if err := Run(t.Context(), alone, Options{Out: other, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	want := records(t, other)
	if got["initial/wide-1.json"] != want["initial/1.json"] || got["initial/narrow-1.json"] == want["initial/1.json"] {
		t.Error("a recipe is not trained as it is alone")
	}
	for _, name := range []string{"units/wide-1-random/cycles.jsonl", "units/narrow-1-random/cycles.jsonl"} {
		if got[name] == "" {
			t.Errorf("no %s", name)
		}
	}

	// The record of the run is taken over recipe by recipe.
	folder, _ := makeRecord(t, dir)
	more := c
	more.Grid = append(parse(t, "grid: [{name: third, width: 6}]").Grid, c.Grid...)
	taken := filepath.Join(t.TempDir(), "taken")
	var notices []string
	if err := Run(t.Context(), more, Options{Out: taken, Threads: 1, Records: []string{folder}, Notice: func(s string) { notices = append(notices, s) }}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(notices, "\n"), "2 finished runs taken") {
		t.Errorf("notices: %q", notices)
	}
	if _, err := os.Stat(filepath.Join(taken, "units", "third-1-random", "timings.jsonl")); err != nil {
		t.Errorf("the new recipe was not run: %v", err)
	}
	more.Grid[1].Set[0].Value = 6
	if err := Run(t.Context(), more, Options{Out: filepath.Join(t.TempDir(), "x"), Threads: 1, Records: []string{folder}}); err == nil ||
		!strings.Contains(err.Error(), "its recipe wide differs") {
		t.Errorf("a recipe that changed: %v", err)
	}
}

// Only runs that are taken over have to have started from the initial sets of here: others may be of sets that are not chosen here, and would take an
// autoencoder.
func TestTakeOverLooksAtWhatItTakes(t *testing.T) {
	c := parse(t, "strategies: [random]\ninitial: typiclust(features=vae)\ninitial-sets: 1\ninitial-size: 2\ncycles: 0\n")
	recorded := c
	recorded.InitialSets, recorded.Strategies = 2, []string{"random", "entropy"}
	run := func(strategy string, set int, initial ...string) record.Run {
		return record.Run{Unit: record.Unit{Strategy: strategy, Set: set}, Cycles: []record.Cycle{{Initial: initial}}}
	}
	d := &data{pool: &dataset.Slices{Names: []string{"a/0", "a/1", "b/0"}}}
	d.initial.sets = map[int][]int{1: {0, 2}}
	s := source{record.Export{Runs: []record.Run{run("random", 1, "a/0", "b/0"), run("random", 2, "a/1", "b/0"), run("entropy", 1, "a/0", "a/1")}}, "record", recorded, record.Data{}}
	if err := s.check(t.Context(), c, d, func(string) {}); err != nil {
		t.Error(err)
	}
	s.Runs[0].Cycles[0].Initial = []string{"a/0", "a/1"}
	if err := s.check(t.Context(), c, d, func(string) {}); err == nil || !strings.Contains(err.Error(), "random, set 1 started from other slices") {
		t.Errorf("other slices: %v", err)
	}
}

// What is hashed is what was read: a file that somebody replaces meanwhile is told, whether its case was read before or after.
func TestFilesChangeWhileTheyAreRead(t *testing.T) {
	c := smallConfig(t, 4)
	files, err := filepath.Glob(filepath.Join(c.Data, "*", "*.nii.gz"))
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	for _, path := range []string{files[0], files[7], ""} {
		d, err := loadData(t.Context(), c, newTracker(nil), false, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if path != "" {
			if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		err = d.sum(&record.Folder{Dir: t.TempDir()})
		if told := err != nil && strings.Contains(err.Error(), path+" changed while it was being read: give the command again"); path != "" && !told || path == "" && (err != nil || len(d.record.Files) != 4) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
