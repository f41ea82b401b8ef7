package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// The masks that a run folder keeps are those that its last measures were taken of.
func TestLastPredictions(t *testing.T) {
	c := smallConfig(t, 5)
	c.Strategies, c.Cycles, c.Train.Steps = []string{"random"}, 1, 40
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	folder, c, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	unit := c.Units()[0]
	cycles, err := folder.Cycles(unit)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range cycles[1].Measures.PerCase {
		pred, err := folder.Prediction(unit, one.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i, candidate := range set.Cases {
			if candidate.ID != one.ID {
				continue
			}
			ref, err := set.Reference(i)
			if err != nil {
				t.Fatal(err)
			}
			if !pred.Same(ref.Grid, 1e-3) {
				t.Errorf("%s: the prediction lies on another grid", one.ID)
			}
			if dice, _ := metrics.Dice(pred.Data, ref.Data, 1); dice != one.Classes[0].Dice3D.Value {
				t.Errorf("%s: Dice %v of the mask, %v in the record", one.ID, dice, one.Classes[0].Dice3D.Value)
			}
		}
	}
	bins, err := folder.Calibration(unit)
	if err != nil || len(bins) != metrics.DefaultBins {
		t.Fatalf("%d bins, %v", len(bins), err)
	}
	pixels := 0
	for _, b := range bins {
		pixels += b.Pixels
	}
	if pixels == 0 {
		t.Error("no pixel was counted")
	}

	unknown := record.Unit{Set: 9, Strategy: "random"}
	if _, err := folder.Prediction(unknown, "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("prediction of an unknown unit: %v", err)
	}
	if bins, err := folder.Calibration(unknown); bins != nil || err != nil {
		t.Errorf("calibration of an unknown unit: %v, %v", bins, err)
	}
}

// A run that ends before its last cycle, because nothing is left to ask for, keeps the model of its end like any other.
func TestLastOfAnEmptyPool(t *testing.T) {
	c := smallConfig(t, 5)
	c.Strategies, c.QuerySize, c.Cycles, c.Train.Steps = []string{"random"}, 1000, 5, 2
	dir := filepath.Join(t.TempDir(), "run")
	if err := Run(t.Context(), c, Options{Out: dir, Threads: 1, SaveModels: true}); err != nil {
		t.Fatal(err)
	}
	folder, c, err := record.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	unit := c.Units()[0]
	cycles, err := folder.Cycles(unit)
	if err != nil || len(cycles) != 2 {
		t.Fatal(len(cycles), err)
	}
	if _, err := os.Stat(folder.LastModel(unit)); err != nil {
		t.Error(err)
	}
	if bins, err := folder.Calibration(unit); err != nil || bins == nil {
		t.Errorf("calibration: %v, %v", bins, err)
	}
	if _, err := folder.Prediction(unit, cycles[1].Measures.PerCase[0].ID); err != nil {
		t.Error(err)
	}
}

// A case of 40 × 40 pixels and three slices, with foreground at rows 18 … 20 and columns 2 … 4 of the middle one.
func TestCalibratorCountsTheBox(t *testing.T) {
	grid := volume.Grid{Size: [3]int{40, 40, 3}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}, Unit: "mm"}
	ref := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	for y := 18; y <= 20; y++ {
		for x := 2; x <= 4; x++ {
			ref.Data[x+40*(y+40)] = 1
		}
	}
	d := &data{preprocess: preprocess.Config{Axis: 2, Height: 40, Width: 40, Fit: preprocess.Pad}, classes: []string{"background", "gland"}}
	k := calibrator{metrics.NewCalibration(2, 2), d, box{}, ""}
	probs := make([]float32, 2*40*40)
	for i := range 40 * 40 {
		probs[2*i], probs[2*i+1] = 0.75, 0.25
	}
	for slice := range 3 {
		k.add(model.Case{ID: "a", Grid: grid, Ref: ref}, slice, probs)
	}
	if want := (box{8, 31, 0, 15}); k.box != want {
		t.Errorf("box %v, want %v", k.box, want)
	}
	// 23 rows and 15 columns of one slice, all with confidence 0.75; the 9 pixels of foreground are wrong.
	bins := k.into.Bins()
	if bins[0].Pixels != 0 || bins[1].Pixels != 23*15 || bins[1].Accuracy != float64(23*15-9)/(23*15) {
		t.Errorf("%+v", bins)
	}
}
