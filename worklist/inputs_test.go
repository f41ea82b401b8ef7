package worklist

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	dir, _ := partly(t, 3, 1)
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
	one := c
	one.Labelled = []string{list}
	q, err := Open(t.Context(), engine(t), one, func(Progress) {}, func(string) {})
	must(t, err)
	for path, want := range map[string]string{list: "is an input of this query", filepath.Join(c.Work, scoresFile): "what the query itself keeps"} {
		if err := q.CheckOutput(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", path, want, err)
		}
	}
	if err := q.CheckOutput(filepath.Join(t.TempDir(), "scores.csv")); err != nil {
		t.Error(err)
	}
	// The folder of a run has a lock too.
	work = c
	work.Work = t.TempDir()
	for _, name := range []string{lockFile, "config.yaml"} {
		must(t, os.WriteFile(filepath.Join(work.Work, name), nil, 0o666))
	}
	refused(work, "holds no query")
}

// Neither scores nor proposals are written where the data set has its images and masks, or looks for such.
func TestDataSetIsNotWritten(t *testing.T) {
	layouts, sequences := unzipped(t, "layouts.zip"), unzipped(t, "sequences.zip")
	dir, _ := partly(t, 3, 1)
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	must(t, os.Mkdir(at("results"), 0o777))
	must(t, os.WriteFile(at("dataset.json"), []byte("{}"), 0o666))
	must(t, os.WriteFile(at("images", "notes.csv"), nil, 0o666))
	must(t, os.Symlink(at("images"), at("link")))
	must(t, os.Link(at("labels", "phantom_000.nii.gz"), at("results", "same.csv")))
	t.Chdir(dir)
	opened := func(data, proposals string) (*Query, error) {
		c := small(t, data, "random", 2)
		c.Proposals = proposals
		return Open(t.Context(), engine(t), c, func(Progress) {}, func(string) {})
	}
	scores := func(data string, files map[string]string) {
		t.Helper()
		q, err := opened(data, "")
		must(t, err)
		for path, want := range files {
			if err := q.CheckOutput(path); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("scores of %s in %s: want %q, got %v", data, path, want, err)
			}
		}
	}
	const ours, taken = "is a file of the data set", "would be taken for"
	scores(".", map[string]string{
		"images/phantom_000.nii.gz": ours, at("link", "phantom_002.nii.gz"): ours, "labels/phantom_000.nii.gz": ours, "results/same.csv": ours, "dataset.json": ours,
		"images/new.nii.gz": taken, "link/new.nrrd": taken, at("labels", "final", "x.dcm"): taken, "scores.png": taken,
		"images/notes.csv": "", "scores.csv": "", "results/scores.csv": "", "results/scores.nii.gz": "", "../scores.nii.gz": "",
	})
	proposals := func(data string, folders map[string]bool) {
		t.Helper()
		for folder, refused := range folders {
			if _, err := opened(data, folder); refused != (err != nil && strings.Contains(err.Error(), "would take the proposals for such")) || !refused && err != nil {
				t.Errorf("proposals of %s in %s: %v", data, folder, err)
			}
		}
	}
	proposals(".", map[string]bool{
		".": true, dir: true, "images": true, "labels/": true, "link": true, "labels/final": true, "labelsTr": true, "imagesTr": true,
		"results": false, "results/new": false, "new": false, "labels/round1": false, "../proposals": false,
	})

	// Voxels in a file of their own; folders of sequences, and of DICOM series.
	must(t, os.Remove(filepath.Join(layouts, "promise", "b2_segmentation.mhd")))
	scores(filepath.Join(layouts, "promise"), map[string]string{filepath.Join(layouts, "promise", "a1.zraw"): ours, filepath.Join(layouts, "promise", "a1_segmentation.zraw"): ours})
	decathlon := filepath.Join(layouts, "decathlon", "imagesTr")
	files := t.TempDir()
	for _, name := range []string{"T2", "ADC"} {
		must(t, os.CopyFS(filepath.Join(files, name), os.DirFS(decathlon)))
	}
	proposals(files, map[string]bool{filepath.Join(files, "T2"): true, filepath.Join(files, "new"): true, filepath.Join(files, "new", "inner"): false})
	series := t.TempDir()
	for _, name := range []string{"a", "b"} {
		must(t, os.CopyFS(filepath.Join(series, name), os.DirFS(filepath.Join(sequences, "p2", "T2"))))
	}
	must(t, os.WriteFile(filepath.Join(series, "a", "notes.csv"), nil, 0o666))
	proposals(series, map[string]bool{filepath.Join(series, "a"): true, filepath.Join(series, "b", "new"): true, filepath.Join(series, "new"): false})
	scores(series, map[string]string{filepath.Join(series, "a", "3-1.dcm"): ours, filepath.Join(series, "a", "notes.csv"): "", filepath.Join(series, "a", "3-9.dcm"): taken})
}

// unzipped unpacks an archive of package dataset.
func unzipped(t *testing.T, name string) string {
	t.Helper()
	files, err := zip.OpenReader(filepath.Join("..", "dataset", "testdata", name))
	must(t, err)
	defer files.Close()
	dir := t.TempDir()
	must(t, os.CopyFS(dir, files))
	return dir
}
