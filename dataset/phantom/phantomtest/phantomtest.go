// Package phantomtest gives tests the data sets of package phantom, each case of which is computed once in a process.
package phantomtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/nextslice/nextslice/dataset/phantom"
)

// usual is how many cases are made at first: most tests want fewer.
var usual = 6

// made are the largest data sets so far, by seed.
var made = struct {
	sync.Mutex
	sets map[uint64]set
}{sets: map[uint64]set{}}

type set struct {
	cases int
	files fstest.MapFS
}

// Write writes what phantom.Write does. The folder must be new or empty.
func Write(dir string, cases int, seed uint64) error {
	files, err := filesOf(cases, seed)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}

// filesOf returns the files of a data set: the first cases of a larger one, and the list of them.
func filesOf(cases int, seed uint64) (fstest.MapFS, error) {
	made.Lock()
	defer made.Unlock()
	if made.sets[seed].cases < cases {
		all := set{cases: max(cases, usual)}
		var err error
		if all.files, err = compute(all.cases, seed); err != nil {
			return nil, err
		}
		made.sets[seed] = all
	}
	all := made.sets[seed]
	files := maps.Clone(all.files)
	for n := cases; n < all.cases; n++ {
		maps.DeleteFunc(files, func(name string, _ *fstest.MapFile) bool { return strings.HasSuffix(name, fmt.Sprintf("_%03d.nii.gz", n)) })
	}
	var list map[string]any
	if err := json.Unmarshal(files["dataset.json"].Data, &list); err != nil {
		return nil, err
	}
	list["numTraining"], list["training"] = cases, list["training"].([]any)[:cases]
	text, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, err
	}
	files["dataset.json"] = &fstest.MapFile{Data: append(text, '\n'), Mode: 0o644}
	return files, nil
}

func compute(cases int, seed uint64) (fstest.MapFS, error) {
	dir, err := os.MkdirTemp("", "phantoms")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := phantom.Write(context.Background(), dir, cases, seed, nil); err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = &fstest.MapFile{Data: text, Mode: 0o644}
		return err
	})
	return files, err
}
