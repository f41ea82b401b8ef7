package worklist

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// The network that a query has trained can be asked by the next ones in the same work folder, and stays, with whatever else a query has not made.
func TestModelOfTheWorkFolder(t *testing.T) {
	dir, _ := partly(t, 5, 2)
	c := small(t, dir, "entropy", 4)
	ask(t, c)
	list := filepath.Join(c.Work, "round1.csv")
	must(t, os.WriteFile(list, []byte("phantom_000/3\nphantom_001/4\n"), 0o666))
	kept := map[string]string{}
	keep := func(name string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(c.Work, name))
		must(t, err)
		kept[name] = string(text)
	}
	must(t, os.WriteFile(filepath.Join(c.Work, "prostate.safetensors"), []byte("trained elsewhere"), 0o666))
	keep(modelFile)
	keep("prostate.safetensors")
	keep("round1.csv")
	stay := func(after string) {
		t.Helper()
		for name, want := range kept {
			if text, err := os.ReadFile(filepath.Join(c.Work, name)); err != nil || string(text) != want {
				t.Errorf("after %s: %s: %v", after, name, err)
			}
		}
	}
	trained := c
	c.Model, c.PerCase = filepath.Join(c.Work, modelFile), 2
	first := ask(t, c)
	stay("a query with --model")
	elsewhere := c
	elsewhere.Work = filepath.Join(t.TempDir(), "elsewhere")
	if want := ids(ask(t, elsewhere)); !slices.Equal(ids(first), want) || !slices.Equal(ids(ask(t, c)), want) {
		t.Errorf("picks %v, and %v in a folder of their own", ids(first), want)
	}
	c.Labelled = []string{list}
	ask(t, c)
	stay("one with other labels")
	before := kept[modelFile]
	delete(kept, modelFile) // not an input of the next
	trained.Labelled = []string{list}
	ask(t, trained)
	stay("one that trains")
	if text, err := os.ReadFile(filepath.Join(trained.Work, modelFile)); err != nil || string(text) == before {
		t.Errorf("other labels do not train another network: %v", err)
	}
}

func TestInputsAreNotWritten(t *testing.T) {
	dir, masks := partly(t, 3, 1)
	c := small(t, dir, "entropy", 4)
	ask(t, c)
	refused := func(c Config, want string) {
		t.Helper()
		if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	// A list that is called as the query's own scores are, by another name.
	work := c
	work.Work = t.TempDir()
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("phantom_000/3\n"), 0o666))
	must(t, os.Link(list, filepath.Join(work.Work, scoresFile)))
	must(t, os.WriteFile(filepath.Join(work.Work, stateFile), nil, 0o666))
	work.Labelled = []string{list}
	refused(work, "is an input, and the query writes a file of its own there")
	if text, err := os.ReadFile(list); err != nil || string(text) != "phantom_000/3\n" {
		t.Errorf("the list is %q, %v", text, err)
	}
	for path, want := range map[string]string{list: "is an input of this query", filepath.Join(c.Work, scoresFile): "what the query itself keeps"} {
		one := c
		one.Labelled = []string{list}
		if err := one.CheckOutput(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", path, want, err)
		}
	}
	if err := c.CheckOutput(filepath.Join(t.TempDir(), "scores.csv")); err != nil {
		t.Error(err)
	}
	// The folder of a run has a lock too.
	work = c
	work.Work = t.TempDir()
	for _, name := range []string{lockFile, "config.yaml"} {
		must(t, os.WriteFile(filepath.Join(work.Work, name), nil, 0o666))
	}
	refused(work, "holds no query")
	// A mask of the data set lies where proposals go: a case that is partly labelled.
	id := "phantom_000"
	label := filepath.Join(dir, "labels", id+".seg.nrrd")
	must(t, os.Remove(filepath.Join(dir, "labels", id+".nii.gz")))
	must(t, volume.WriteSegmentation(label, volume.NewSegmentation(masks[id], []string{"background", "prostate"})))
	before, err := os.ReadFile(label)
	must(t, err)
	c.Labelled, c.Proposals, c.Replace, c.Size = []string{list}, filepath.Join(dir, "labels"), true, 40
	told := ""
	r, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(text string) { told += text + "\n" })
	must(t, err)
	if !slices.ContainsFunc(r.Picks, func(p Pick) bool { return p.Case == id }) {
		t.Fatalf("no slice of %s is picked: %v\n%s", id, ids(r), told)
	}
	after, err := os.ReadFile(label)
	if err != nil || string(after) != string(before) || !strings.Contains(told, "no proposal of "+id) {
		t.Errorf("a mask of the data set was replaced by a proposal (%v); told %q", err, told)
	}
}
