package worklist

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/volume"
)

// partly writes a phantom data set of so many cases of which the first ones have masks.
func partly(t *testing.T, cases, labelled int) (dir string, masks map[string]*volume.Mask) {
	t.Helper()
	dir, masks = filepath.Join(t.TempDir(), "data"), map[string]*volume.Mask{}
	if err := phantomtest.Write(dir, cases, 1); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range set.Cases {
		if masks[c.ID], err = set.Reference(i); err != nil {
			t.Fatal(err)
		}
		if i >= labelled {
			must(t, os.Remove(c.Label))
		}
	}
	must(t, os.Remove(filepath.Join(dir, "dataset.json")))
	must(t, os.Rename(filepath.Join(dir, "imagesTr"), filepath.Join(dir, "images")))
	must(t, os.Rename(filepath.Join(dir, "labelsTr"), filepath.Join(dir, "labels")))
	return dir, masks
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// small is a query with a training of a second.
func small(t *testing.T, dir, strategy string, size int) Config {
	t.Helper()
	e, err := record.ReadConfig("", func(c *record.Config) { c.Data, c.Preset, c.Canvas = dir, "demo", []int{16, 16} })
	must(t, err)
	e.Train.Width, e.Train.Steps, e.Train.Dropout = 4, 10, 0.2
	return Config{Experiment: e, Strategy: strategy, Size: size, Work: filepath.Join(t.TempDir(), "work")}
}

// engine returns the fastest engine of this build.
func engine(t *testing.T) tensor.Engine {
	t.Helper()
	e, err := engines.New("", 1)
	must(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

func ask(t *testing.T, c Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ids(r *Result) (ids []string) {
	for _, p := range r.Picks {
		ids = append(ids, p.ID)
	}
	return ids
}

// What has a mask, stands in a list or is not ignored is labelled, and never asked for.
func TestWhatIsLabelled(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "entropy", 500)
	r := ask(t, c)
	all := 0
	for _, m := range masks {
		all += m.Size[2]
	}
	done := masks["phantom_000"].Size[2] + masks["phantom_001"].Size[2]
	if r.Labelled != done || r.Candidates != all-done || len(r.Picks) != all-done || r.Scored != all-done {
		t.Errorf("%d labelled, %d candidates, %d picks of %d slices, %d of which have a mask", r.Labelled, r.Candidates, len(r.Picks), all, done)
	}
	for _, p := range r.Picks {
		if p.Case < "phantom_002" {
			t.Errorf("%s is labelled and asked for", p.ID)
		}
	}

	// A list: of phantom_000 two slices count, the others are asked for; the columns are those of picks, or none.
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("rank,id,case,slice\n1,phantom_000/003,phantom_000,3\n2,phantom_000/004,phantom_000,4\n"), 0o666))
	c.Labelled = []string{list}
	told := ""
	r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
	must(t, err)
	if want := "cases with masks that are in no list: 1 (phantom_001): they count as labelled throughout"; strings.Count(told, want) != 1 || strings.Contains(told, "phantom_000") {
		t.Errorf("told %q, want %q", told, want)
	}
	if r.Labelled != 2+masks["phantom_001"].Size[2] || slices.Contains(ids(r), "phantom_000/003") || !slices.Contains(ids(r), "phantom_000/005") {
		t.Errorf("with a list %d slices are labelled", r.Labelled)
	}
	// What a reviewer has rejected is no label, also where all of a case is, or another list has it.
	must(t, os.WriteFile(list, []byte("case,slice,review\nphantom_000,3,rejected\nphantom_000,4,accepted\nphantom_001,2,rejected\n"), 0o666))
	again := filepath.Join(t.TempDir(), "picks.csv")
	must(t, os.WriteFile(again, []byte("phantom_000/003\nphantom_000/004\n"), 0o666))
	for _, c.Labelled = range [][]string{{list, again}, {again, list}} {
		told = ""
		r, err = Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
		must(t, err)
		if r.Labelled != 1 || slices.Contains(ids(r), "phantom_000/004") || !slices.Contains(ids(r), "phantom_000/003") || !slices.Contains(ids(r), "phantom_001/002") || !strings.Contains(told, "rejected, by the lists: 2;") {
			t.Errorf("with rejected labels %d slices are labelled; told %q", r.Labelled, told)
		}
	}
	must(t, os.WriteFile(list, []byte("phantom_000/999\n"), 0o666))
	c.Labelled = []string{list}
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "phantom_000/999") {
		t.Errorf("a slice that does not exist: %v", err)
	}
	c.Labelled = nil

	// A value of what nobody has labelled: all slices of phantom_001 but two.
	m := masks["phantom_001"]
	for k := range m.Size[2] {
		if k != 5 && k != 6 {
			m.SetSlice(2, k, slices.Repeat([]uint8{9}, m.Size[0]*m.Size[1]))
		}
	}
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_001.nii.gz"), m))
	c.Experiment.Ignore = 9
	r = ask(t, c)
	if r.Labelled != masks["phantom_000"].Size[2]+2 || slices.Contains(ids(r), "phantom_001/005") || !slices.Contains(ids(r), "phantom_001/007") {
		t.Errorf("with an ignored value %d slices are labelled", r.Labelled)
	}
}

// Slices of a list are those along the axis that the list has, or the query does not begin; slices that are empty where others are not are told of.
func TestListedAxis(t *testing.T) {
	dir, masks := partly(t, 3, 2)
	c := small(t, dir, "strided", 3)
	c.Experiment.Axis = "i"
	first := ask(t, c)
	list := filepath.Join(t.TempDir(), "round1.csv")
	file, err := os.Create(list)
	must(t, err)
	must(t, errors.Join(first.WriteCSV(file), file.Close()))
	for i := range first.Picks { // labelled, so that they are in a list
		name := first.Picks[i].Case
		must(t, volume.WriteMask(filepath.Join(dir, "labels", name+".nii.gz"), masks[name]))
	}
	c.Labelled = []string{list}
	c.Experiment.Axis = "auto"
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil ||
		!strings.Contains(err.Error(), "round1.csv lists slices of phantom_002 along i, and this query cuts it along k: give --axis i") {
		t.Errorf("slices along i in a query along k: %v", err)
	}
	c.Experiment.Axis = "i"
	if r := ask(t, c); r.Labelled == 0 {
		t.Error("no slice along i is labelled")
	}

	m := masks["phantom_000"]
	m.SetSlice(2, 0, make([]uint8, m.Size[0]*m.Size[1]))
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_000.nii.gz"), m))
	c.Experiment.Axis = "auto"
	for text, want := range map[string]int{"phantom_000/0\nphantom_000/9\n": 1, "phantom_000/9\n": 0} {
		must(t, os.WriteFile(list, []byte(text), 0o666))
		told := 0
		_, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) {
			if strings.Contains(text, "nothing is outlined on 1 listed slices (phantom_000/000)") {
				told++
			}
		})
		if err != nil || told != want {
			t.Errorf("%q: told %d times, want %d, %v", text, told, want, err)
		}
	}
}

// The first slices are chosen without a network; without labels nothing else can be.
func TestFirstSlices(t *testing.T) {
	dir, _ := partly(t, 3, 0)
	must(t, os.RemoveAll(filepath.Join(dir, "labels")))
	for _, strategy := range []string{"typiclust", "typiclust(features=vae,steps=3)", "strided", "random"} {
		c := small(t, dir, strategy, 5)
		if r := ask(t, c); len(r.Picks) != 5 || r.Scored != 0 || r.Labelled != 0 || !math.IsNaN(float64(r.Picks[0].Score)) {
			t.Errorf("%s: %+v", strategy, r)
		}
	}
	if _, err := Run(t.Context(), engine(t), small(t, dir, "entropy", 5), func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "typiclust") {
		t.Errorf("entropy without a label: %v", err)
	}
}

// A case whose mask cannot be read is named and left out, one whose image cannot be read too where it is labelled; elsewhere the error says how to go on.
func TestBrokenCases(t *testing.T) {
	dir, _ := partly(t, 5, 3)
	c := small(t, dir, "entropy", 4)
	spoil := func(name string) { // the header stays whole
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		must(t, err)
		info, err := file.Stat()
		must(t, err)
		must(t, file.Truncate(info.Size()*2/3))
		must(t, file.Close())
	}
	spoil("labels/phantom_001.nii.gz")
	spoil("images/phantom_002.nii.gz")
	var notices []string
	run := func() (*Result, error) {
		return Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { notices = append(notices, text) })
	}
	r, err := run()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(notices, "\n")
	if !strings.Contains(text, "phantom_001") || !strings.Contains(text, "phantom_002") || strings.Count(text, "(left out)") != 2 {
		t.Errorf("notices:\n%s", text)
	}
	for _, p := range r.Picks {
		if p.Case < "phantom_003" {
			t.Errorf("%s is picked", p.ID)
		}
	}
	spoil("images/phantom_004.nii.gz")
	if _, err := run(); err == nil || !strings.Contains(err.Error(), `--exclude "phantom_004"`) {
		t.Errorf("an unreadable candidate: %v", err)
	}
	c.Exclude = []string{"phantom_004"}
	if r, err := run(); err != nil || len(r.Picks) != 4 {
		t.Errorf("without it: %v", err)
	}
}

// CEAL learns along what the network of the query before is sure of, none in the first query, and no label takes part twice. Run again, it goes on.
func TestQueryLearnsPseudoLabels(t *testing.T) {
	dir, masks := partly(t, 4, 2)
	c := small(t, dir, "ceal(delta=0.69,decay=0.2)+sb", 4)
	query := func() (r *Result, told string) {
		t.Helper()
		r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
		must(t, err)
		return r, told
	}
	model := func() string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(c.Work, modelFile))
		must(t, err)
		return string(text)
	}
	first, told := query()
	if !strings.Contains(told, "no network of a query before") {
		t.Errorf("first: %s", told)
	}
	teacher := model()
	must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_002.nii.gz"), masks["phantom_002"]))
	second, told := query()
	kept, err := os.ReadFile(filepath.Join(c.Work, "teacher-0000.safetensors"))
	must(t, err)
	want := fmt.Sprintf("%d slices are learnt along", second.Candidates)
	if string(kept) != teacher || !strings.Contains(told, want) || second.Labelled <= first.Labelled || len(second.Picks) != 4 {
		t.Errorf("second: teacher kept %v, %s want %s", string(kept) == teacher, told, want)
	}
	student := model()
	if again, told := query(); strings.Contains(told, "learnt along") || !slices.Equal(ids(again), ids(second)) || model() != student {
		t.Errorf("again: %v, then %v: %s", ids(second), ids(again), told)
	}
	plain := c
	plain.Work = filepath.Join(t.TempDir(), "work")
	if ask(t, plain); model() != student {
		t.Error("asking elsewhere changes the model")
	}
	alone, err := os.ReadFile(filepath.Join(plain.Work, modelFile))
	must(t, err)
	if string(alone) == student {
		t.Error("the pseudo-labels change nothing")
	}
	// Another query of the same labels takes the place of this one, with the same teacher, and leaves no trace.
	larger := c
	larger.Size = 5
	if five := ask(t, larger); len(five.Picks) != 5 {
		t.Errorf("a larger query: %v", ids(five))
	}
	if again, told := query(); !strings.Contains(told, want) || !slices.Equal(ids(again), ids(second)) || model() != student {
		t.Errorf("after a larger query: %v, before it %v: %s", ids(again), ids(second), told)
	}
	// The threshold falls from query to query: after three it is 0.69 - 0.2·3, and later nothing is sure enough.
	for n := 1; n <= 4; n++ {
		m := masks["phantom_002"]
		at := slices.Index(m.Data, 1)
		size := m.Size[0] * m.Size[1]
		clear(m.Data[at/size*size : (at/size+1)*size]) // a correction: nothing on this slice
		must(t, volume.WriteMask(filepath.Join(dir, "labels", "phantom_002.nii.gz"), m))
		_, told = query()
		if found, _ := filepath.Glob(filepath.Join(c.Work, "teacher-*")); len(found) != 1 || filepath.Base(found[0]) != fmt.Sprintf("teacher-%04d.safetensors", n) {
			t.Errorf("teachers %v after %d more queries", found, n)
		}
	}
	if !strings.Contains(told, "\n0 slices") && !strings.HasPrefix(told, "0 slices") {
		t.Errorf("last: %s", told)
	}
}
