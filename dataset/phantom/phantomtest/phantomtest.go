// Package phantomtest gives tests the data sets of package phantom, each case of which is computed once in a process.
package phantomtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing/fstest"

	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

// made are the cases so far, by seed.
var made = struct {
	sync.Mutex
	sets map[uint64]*set
}{sets: map[uint64]*set{}}

// set is a data set that grows: the first case as phantom.Write writes it, with its dataset.json, and the files of all cases.
type set struct {
	list  []byte
	cases []pair
}

// pair are the files of a case.
type pair struct{ image, label []byte }

// Write writes what phantom.Write does. The folder must be new or empty.
func Write(dir string, cases int, seed uint64) error {
	files, err := filesOf(cases, seed)
	if err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}

func filesOf(cases int, seed uint64) (fstest.MapFS, error) {
	made.Lock()
	defer made.Unlock()
	s := made.sets[seed]
	if s == nil {
		s = &set{}
		made.sets[seed] = s
	}
	if err := s.grow(cases, seed); err != nil {
		return nil, err
	}
	var list map[string]any
	if err := json.Unmarshal(s.list, &list); err != nil {
		return nil, err
	}
	files, training := fstest.MapFS{}, []any{}
	for n, c := range s.cases[:cases] {
		image, label := "imagesTr/"+name(n), "labelsTr/"+name(n)
		files[image], files[label] = &fstest.MapFile{Data: c.image, Mode: 0o644}, &fstest.MapFile{Data: c.label, Mode: 0o644}
		training = append(training, map[string]string{"image": "./" + image, "label": "./" + label})
	}
	list["numTraining"], list["training"] = cases, training
	text, err := json.MarshalIndent(list, "", " ")
	files["dataset.json"] = &fstest.MapFile{Data: append(text, '\n'), Mode: 0o644}
	return files, err
}

func name(n int) string { return fmt.Sprintf("phantom_%03d.nii.gz", n) }

// grow computes the cases that are missing.
func (s *set) grow(cases int, seed uint64) error {
	if len(s.cases) >= cases {
		return nil
	}
	dir, err := os.MkdirTemp("", "phantoms")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.list == nil {
		first := filepath.Join(dir, "first")
		if err := phantom.Write(context.Background(), first, 1, seed, nil); err != nil {
			return err
		}
		list, err := os.ReadFile(filepath.Join(first, "dataset.json"))
		image, err2 := os.ReadFile(filepath.Join(first, "imagesTr", name(0)))
		label, err3 := os.ReadFile(filepath.Join(first, "labelsTr", name(0)))
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		s.list, s.cases = list, []pair{{image, label}}
	}
	more := make([]pair, max(0, cases-len(s.cases)))
	var all errgroup.Group
	for i := range more {
		all.Go(func() error {
			n := len(s.cases) + i
			image, mask := phantom.Generate(random.Stream(seed, "phantom", n))
			at := filepath.Join(dir, name(n))
			err := volume.WriteVolume(at, image)
			if err == nil {
				more[i].image, err = os.ReadFile(at)
			}
			if err == nil {
				err = volume.WriteMask(at, mask)
			}
			if err == nil {
				more[i].label, err = os.ReadFile(at)
			}
			return err
		})
	}
	err = all.Wait()
	if err == nil {
		s.cases = append(s.cases, more...)
	}
	return err
}
