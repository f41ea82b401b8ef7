package experiment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// A class that nobody has looked for in a case has no measure there, and the record says of which cases that is so.
func TestRunUnannotated(t *testing.T) {
	c := smallConfig(t, 4)
	c.Train.Steps, c.Cycles, c.Strategies = 2, 0, []string{"random"}
	c.Split.TestCases, c.Split.Validation = []string{"phantom_000", "phantom_001"}, 0
	path := filepath.Join(c.Data, "dataset.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The masks of both hold nothing of the class that was not looked for.
	for _, id := range []string{"phantom_000", "phantom_002"} {
		emptyMask(t, filepath.Join(c.Data, "labelsTr", id+".nii.gz"))
	}
	text = []byte(strings.Replace(string(text), "{", `{"annotated": {"phantom_000": [], "phantom_002": []},`, 1))
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	var told []string
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1, Notice: func(text string) { told = append(told, text) }}); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "in 2 of 4 cases some classes are not annotated") {
		t.Errorf("told: %s", all)
	}
	x, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m := x.Runs[0].Cycles[0].Measures.Classes[0].Dice3D; m.N != 1 || m.Undefined != 1 {
		t.Errorf("Dice %+v, want that of one case", m)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(x.Data)), ""), `"unannotated":{"phantom_000":["prostate"],"phantom_002":["prostate"]}`) {
		t.Errorf("recorded: %s", x.Data)
	}
	d, err := loadData(t.Context(), c, newTracker(nil), false, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, len(d.pool.Items))
	for i := range all {
		all[i] = i
	}
	for i, missing := range d.subset(all).Unannotated {
		if want := strings.HasPrefix(d.pool.Names[i], "phantom_002"); (missing != nil) != want || want && !slices.Equal(missing, []bool{false, true}) {
			t.Errorf("%s: %v", d.pool.Names[i], missing)
		}
	}
}

func emptyMask(t *testing.T, path string) {
	t.Helper()
	m, err := volume.ReadMask(path)
	if err == nil {
		clear(m.Data)
		err = volume.WriteMask(path, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}
