package report

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
)

// copyRecord copies the phantom's record to DIR/NAME with some text of its configuration replaced.
func copyRecord(t *testing.T, dir, name string, replace ...string) string {
	t.Helper()
	out := filepath.Join(dir, name)
	if err := os.CopyFS(out, os.DirFS(filepath.Join("testdata", "phantom"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(out, record.ConfigFile)
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		changed := bytes.Replace(config, []byte(replace[i]), []byte(replace[i+1]), 1)
		if bytes.Equal(changed, config) {
			t.Fatalf("no %q in %s", replace[i], config)
		}
		config = changed
	}
	if err := os.WriteFile(path, config, 0o666); err != nil {
		t.Fatal(err)
	}
	return out
}

// Two experiments in folders of one name keep their tables apart, and a report that is made again leaves none of an older one behind, nor touches
// what others have put there.
func TestReportFolder(t *testing.T) {
	dir := t.TempDir()
	a := copyRecord(t, dir, filepath.Join("seed0", "prostate"))
	b := copyRecord(t, dir, filepath.Join("seed1", "prostate"), "seed: 5", "seed: 6")
	out := filepath.Join(dir, "out")
	write := func(dirs ...string) (names []string) {
		t.Helper()
		sources, err := Read(dirs)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Analyse(sources, Options{Draws: 50})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(out); err != nil {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(filepath.Join(out, "tables", "*table.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			names = append(names, filepath.Base(path))
		}
		return names
	}
	both := write(a, b)
	for _, name := range []string{"seed0-prostate-table.csv", "seed1-prostate-table.csv"} {
		if !slices.Contains(both, name) {
			t.Errorf("no %s: %q", name, both)
		}
	}
	own := filepath.Join(out, "figures", "mine.txt")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range write(a) {
		if bytes.HasPrefix([]byte(name), []byte("seed")) {
			t.Errorf("%s is of the older report", name)
		}
	}
	if _, err := os.Stat(own); err != nil {
		t.Error(err)
	}
}

// A folder without a grid has the runs of the recipe that changes nothing.
func TestJoinGrid(t *testing.T) {
	plain := source(1, 1, []string{"random"}, makeRun("", "random", 1, 0.5, 0.6))
	grid := source(1, 1, []string{"random"}, makeRun("same", "random", 1, 0.5, 0.6), makeRun("wide", "random", 1, 0.5, 0.7))
	grid.Settings.Grid = []Recipe{{"name": "same"}, {"name": "wide", "width": 4}}
	for _, order := range [][2]Source{{plain, grid}, {grid, plain}} {
		s := order[0]
		if err := s.join(order[1]); err != nil {
			t.Fatal(err)
		}
		if names, _ := s.recipes(); !slices.Equal(names, []string{"same", "wide"}) || len(s.Runs) != 2 {
			t.Errorf("recipes %q, %d runs", names, len(s.Runs))
		}
	}
	other := plain
	other.Runs = []record.Run{makeRun("", "random", 1, 0.5, 0.61)}
	if err := grid.join(other); err == nil {
		t.Error("the base recipe's run has other numbers, and nobody was told")
	}
}

// The record of joined folders has a configuration that names all of their runs.
func TestExportJoined(t *testing.T) {
	dir := t.TempDir()
	all := copyRecord(t, dir, "all")
	c, err := record.ReadConfig(filepath.Join(all, record.ConfigFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	fewer := c
	fewer.Strategies, fewer.InitialSets = c.Strategies[:1], 1
	if err := os.WriteFile(filepath.Join(all, record.ConfigFile), c.YAML(), 0o600); err != nil {
		t.Fatal(err)
	}
	few := filepath.Join(dir, "few")
	x, err := record.ReadExport(all)
	if err != nil {
		t.Fatal(err)
	}
	x.Config, x.Slices = fewer.YAML(), nil
	x.Runs = slices.DeleteFunc(x.Runs, func(r record.Run) bool { return r.Strategy != c.Strategies[0] || r.Set != 1 })
	if err := x.Write(few); err != nil {
		t.Fatal(err)
	}
	sources, err := Read([]string{few, all})
	if err != nil || len(sources) != 1 {
		t.Fatal(len(sources), err)
	}
	out := filepath.Join(dir, "joined")
	if err := sources[0].Export(out); err != nil {
		t.Fatal(err)
	}
	joined, err := record.ReadConfig(filepath.Join(out, record.ConfigFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(joined.Strategies, c.Strategies) || joined.InitialSets != c.InitialSets {
		t.Errorf("strategies %q, %d initial sets", joined.Strategies, joined.InitialSets)
	}
}

// A mean over sets is one of all sets that reach so far, also where their cycles have other label counts.
func TestByLabels(t *testing.T) {
	curves := []stats.Run{
		{Set: 1, Labels: []int{10, 20, 30}, Values: []float64{0, 1, 2}},
		{Set: 2, Labels: []int{10, 16}, Values: []float64{1, 4}},
	}
	got := byLabels(curves)
	for labelled, want := range map[int][]float64{10: {0, 1}, 16: {0.6, 4}, 20: {1}, 30: {2}} {
		if !slices.EqualFunc(got[labelled], want, func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }) {
			t.Errorf("with %d labels: %v, want %v", labelled, got[labelled], want)
		}
	}
}

// An exported record tells nobody where the data lay, however the path is written.
func TestExportTellsNoFolder(t *testing.T) {
	for data, want := range map[string]string{
		`/home/ana/prostate`:         "prostate",
		`"/home/ana/Prostate - MRI"`: "Prostate - MRI",
		`'/home/ana/a: b #1 '`:       "a: b #1 ",
		`"C:\\Users\\ana\\scans"`:    "scans",
		`\\server\ana\scans`:         "scans",
		`../shared/data/promise12`:   "../shared/data/promise12",
		`phantom`:                    "phantom",
		`C:/Users/ana/scans`:         "scans",
		`"..\\shared\\data"`:         `..\shared\data`,
	} {
		var c struct {
			Data string
			Seed int
		}
		out := withoutFolder([]byte("data: " + data + "\nseed: 3\n"))
		if err := yaml.Unmarshal(out, &c); err != nil || c.Data != want || c.Seed != 3 {
			t.Errorf("%s becomes %q, want %q (%v)", data, out, want, err)
		}
	}
}

// Runs of one set number are pairs where they began from the same slices: folders, or runs of one record, that did not are refused.
func TestInitialSetsDiffer(t *testing.T) {
	dir := t.TempDir()
	change := func(name string, edit func(*record.Run), replace ...string) string {
		t.Helper()
		out := copyRecord(t, dir, name, replace...)
		x, err := record.ReadExport(out)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Runs {
			x.Runs[i].Cycles = slices.Clone(x.Runs[i].Cycles)
			edit(&x.Runs[i])
		}
		if err := x.Write(out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	items := func(r *record.Run, names ...string) { r.Cycles[0].Initial = names }
	keep := func(r *record.Run) { items(r, "c0/001", "c1/002", "c2/003", "c3/004") }
	usual := change("usual", keep)
	others := func(r *record.Run) {
		keep(r)
		if r.Set == 2 {
			items(r, "c0/001", "c1/002", "c2/003", "c3/005")
		}
	}
	other := change("other", others, "- random\n", "- bald\n")
	for i, dirs := range [][]string{{usual, other}, {usual, change("alike", keep, "- random\n", "- badge\n"), other}} {
		if _, err := Read(dirs); err == nil || !strings.Contains(err.Error(), "initial set 2 of "+other) || !strings.Contains(err.Error(), "than that of "+usual) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for name, dirs := range map[string][]string{
		"another choice":      {usual, change("typiclust", others, "initial-size:", "initial: typiclust\ninitial-size:")},
		"not recorded":        {usual, change("unknown", func(r *record.Run) { items(r) })},
		"the usual, by name":  {usual, change("named", keep, "initial-size:", "initial: random\ninitial-size:")},
		"a set of one folder": {usual, change("one", func(r *record.Run) { r.Set += 8; items(r, "c0/009") })},
	} {
		sources, err := Read(dirs)
		if err != nil || len(sources) != 1 {
			t.Errorf("%s: %d experiments, %v", name, len(sources), err)
			continue
		}
		if many := slices.ContainsFunc(sources[0].strategies(), func(s string) bool { return strings.Contains(s, from) }); many != (name == "another choice") {
			t.Errorf("%s: %q", name, sources[0].strategies())
		}
	}
	one := change("itself", func(r *record.Run) {
		keep(r)
		if r.Set == 3 && r.Strategy == "entropy" {
			items(r, "c0/001")
		}
	})
	if _, err := Read([]string{one}); err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), "initial set 3") {
		t.Errorf("one folder: %v", err)
	}
}
