package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/record"
)

// makeRecord makes the record of a run folder, as the report command does.
func makeRecord(t *testing.T, dir string) (string, record.Folder) {
	t.Helper()
	folder, c, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	initial, err := folder.Initial()
	if err != nil {
		t.Fatal(err)
	}
	var f record.Folder
	for name, content := range map[string]*[]byte{record.ConfigFile: &f.Config, record.DataFile: &f.Data, record.EnvFile: &f.Env} {
		if *content, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range c.Units() {
		cycles, err := folder.Cycles(u)
		if err != nil {
			t.Fatal(err)
		}
		f.Runs = append(f.Runs, record.FromCycles(u.Key(), initial[u.Set], cycles))
	}
	out := filepath.Join(t.TempDir(), "record")
	if err := record.WriteFolder(out, f); err != nil {
		t.Fatal(err)
	}
	return out, f
}

func TestTakeOver(t *testing.T) {
	c := smallConfig(t, 5)
	c.Train.Steps, c.Cycles = 4, 1
	first := filepath.Join(t.TempDir(), "first")
	if _, err := Run(t.Context(), c, Options{Out: first, Threads: 1}); err != nil {
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
		report, err := Run(t.Context(), more, Options{Out: out, Threads: 1, Records: []string{dir}, Progress: func(e Event) {
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
		if report.Finished != 3 {
			t.Errorf("%d runs are finished, want 3", report.Finished)
		}
		from, _, _ := OpenFolder(first)
		to, _, _ := OpenFolder(out)
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
			if _, err := os.Stat(to.path("units", u.Name(), "record.json")); err != nil {
				t.Errorf("%s does not say that it was taken over: %v", u, err)
			}
		}
		// Cycle 0 is trained here again for the new strategy, and is that of the record.
		entropy, _ := to.Cycles(Unit{Set: 1, Strategy: "entropy"})
		random, _ := to.Cycles(Unit{Set: 1, Strategy: "random"})
		if entropy[0].Measures.Mean.Dice3D != random[0].Measures.Mean.Dice3D {
			t.Errorf("cycle 0: %v here, %v in the record", entropy[0].Measures.Mean.Dice3D, random[0].Measures.Mean.Dice3D)
		}
	})

	t.Run("fewer cycles, as a recipe of a grid", func(t *testing.T) {
		fewer := c
		fewer.Cycles = 0
		fewer.Grid = parse(t, "grid: [{name: same}, {name: wide, width: 4}]").Grid
		straight, taken := filepath.Join(t.TempDir(), "straight"), filepath.Join(t.TempDir(), "taken")
		if _, err := Run(t.Context(), fewer, Options{Out: straight, Threads: 1}); err != nil {
			t.Fatal(err)
		}
		var notices []string
		if _, err := Run(t.Context(), fewer, Options{Out: taken, Threads: 1, Records: []string{dir}, Notice: func(s string) { notices = append(notices, s) }}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(notices, "\n"); !strings.Contains(got, "2 finished runs taken from") {
			t.Errorf("%s", got)
		}
		from, _, _ := OpenFolder(straight)
		to, _, _ := OpenFolder(taken)
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

	refused := func(name, want string, c Config, dir string) {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, err := Run(t.Context(), c, Options{Out: out, Threads: 1, Records: []string{dir}})
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
	refused("other cases", "its data are others", other, dir)
	strange := content
	strange.Runs = append([]record.Run(nil), content.Runs...)
	strange.Runs[0].Cycles = append([]record.Cycle(nil), content.Runs[0].Cycles...)
	strange.Runs[0].Cycles[0].Initial = []string{"phantom_000/000"}
	out := filepath.Join(t.TempDir(), "strange")
	if err := record.WriteFolder(out, strange); err != nil {
		t.Fatal(err)
	}
	refused("other initial set", "random, set 1 started from other slices", c, out)
	refused("no record", "no such file", c, filepath.Join(out, "nothing"))

	t.Run("unfinished runs are left", func(t *testing.T) {
		half := content
		half.Runs = append([]record.Run(nil), content.Runs...)
		half.Runs[1].Cycles = half.Runs[1].Cycles[:1]
		out := filepath.Join(t.TempDir(), "half")
		if err := record.WriteFolder(out, half); err != nil {
			t.Fatal(err)
		}
		var notices []string
		run := filepath.Join(t.TempDir(), "run")
		if _, err := Run(t.Context(), c, Options{Out: run, Threads: 1, Records: []string{out}, Notice: func(s string) { notices = append(notices, s) }}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(notices, "\n"), "1 finished runs taken from") {
			t.Errorf("%v", notices)
		}
		folder, _, _ := OpenFolder(run)
		cycles, err := folder.Cycles(c.Units()[1])
		if err != nil || !active.Finished(cycles, c.Cycles) || cycles[1].Measures.PerCase == nil {
			t.Errorf("the unfinished run was not run here: %v", err)
		}
	})
}
