package worklist

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// A model finds slices whichever way the axes of a case run, names them as they lie in the file, and says where they are in the patient.
func TestModelAndTurnedCases(t *testing.T) {
	dir, _ := partly(t, 3, 2)
	c := small(t, dir, "entropy", 6)
	ask(t, c)
	c.Model = filepath.Join(c.Work, modelFile)
	c.Work = filepath.Join(t.TempDir(), "model")
	want := ask(t, c)
	image := filepath.Join(dir, "images", "phantom_002.nii.gz")
	v, err := volume.Read(image)
	must(t, err)
	turned, err := v.Turned("IAR") // the slices along i, from the head down
	must(t, err)
	must(t, volume.WriteVolume(image, turned))
	got := ask(t, c)
	for i, p := range got.Picks {
		w := want.Picks[i]
		if p.Axis != "i" || w.Axis != "k" || p.Slice != v.Size[2]-1-w.Slice || math.Abs(float64(p.Position-w.Position)) > 1e-3 || p.Along != "S" || p.Score != w.Score {
			t.Errorf("pick %d: %+v of the turned image, %+v of the other", i, p, w)
		}
	}
	if at := v.Grid.Slices(2).Position(want.Picks[0].Slice); math.Abs(at-float64(want.Picks[0].Position)) > 1e-6 {
		t.Errorf("position %v, want %v", want.Picks[0].Position, at)
	}
	list := filepath.Join(t.TempDir(), "round1.csv")
	must(t, os.WriteFile(list, []byte("id,axis\nphantom_000/3,k\nphantom_002/3,k\n"), 0o666))
	wrong := c
	wrong.Labelled = []string{list}
	if _, err := Run(t.Context(), engine(t), wrong, func(Progress) {}, func(string) {}); err == nil ||
		!strings.Contains(err.Error(), "lists slices of phantom_002 along k, and the model "+c.Model+" cuts it along i") {
		t.Errorf("a list along the axis of before: %v", err)
	}
	// Proposals lie on the image, and files that are there stay.
	c.Proposals = filepath.Join(t.TempDir(), "proposals")
	ask(t, c)
	s, err := volume.ReadSegmentation(filepath.Join(c.Proposals, "phantom_002.seg.nrrd"))
	must(t, err)
	u, err := volume.Read(filepath.Join(c.Proposals, "phantom_002-uncertainty.nii.gz"))
	must(t, err)
	if m, _, err := s.Mask(); err != nil || !m.Same(turned.Grid, 1e-2) || !u.Same(turned.Grid, 1e-2) {
		t.Errorf("proposals lie elsewhere: %v", err)
	}
	file := filepath.Join(c.Proposals, "phantom_002.seg.nrrd")
	must(t, os.WriteFile(file, []byte("corrected by hand"), 0o666))
	ask(t, c)
	if text, _ := os.ReadFile(file); string(text) != "corrected by hand" {
		t.Error("a proposal that was there was overwritten")
	}
	c.Replace = true
	ask(t, c)
	if text, _ := os.ReadFile(file); string(text) == "corrected by hand" {
		t.Error("a proposal was not replaced")
	}
}

// Proposals hold the label values of the data, as predictions do.
func TestProposalsHoldTheValuesOfTheData(t *testing.T) {
	dir, masks := partly(t, 4, 3)
	for i := range 3 {
		name := fmt.Sprintf("phantom_%03d", i)
		m := masks[name]
		for n, v := range m.Data {
			m.Data[n] = 4 * v // all of the organ
		}
		m.Data[0] = 1
		must(t, volume.WriteMask(filepath.Join(dir, "labels", name+".nii.gz"), m))
	}
	c := small(t, dir, "entropy", 1)
	c.Proposals = filepath.Join(t.TempDir(), "proposals")
	ask(t, c)
	s, err := volume.ReadSegmentation(filepath.Join(c.Proposals, "phantom_003.seg.nrrd"))
	must(t, err)
	if len(s.Segments) != 2 || s.Segments[1].Name != "value 4" || s.Segments[1].Value != 4 || slices.Contains(s.Layers[0], 2) {
		t.Errorf("segments %+v", s.Segments)
	}
}

// Passes with dropout of a model without dropout are refused before anything is scored.
func TestModelWithoutDropout(t *testing.T) {
	dir, _ := partly(t, 4, 2)
	c := small(t, dir, "entropy", 2)
	c.Experiment.Train.Dropout = 0
	ask(t, c)
	c.Model, c.Work = filepath.Join(c.Work, modelFile), filepath.Join(t.TempDir(), "other")
	for _, strategy := range []string{"dropout+sb", "clasp(map=jsd)", "batchbald(passes=2)", "usim-u"} {
		c.Strategy = strategy
		if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "a dropout of 0") {
			t.Errorf("%s: %v", strategy, err)
		}
		if _, err := os.Stat(c.Work); err == nil {
			t.Errorf("%s: a work folder was begun", strategy)
		}
	}
	c.Strategy = "tta+sb"
	ask(t, c)
}
