package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/volume"
)

// calibrationMargin is how far, in voxels, the box in which calibration is measured reaches beyond the reference's
// foreground. Over whole slices the background, which no model doubts, would hide every difference.
const calibrationMargin = 10

// evaluateLast is the evaluation of a unit's last model. It keeps the predicted masks of the test cases and how well the
// model's probabilities are calibrated, so that a report can show both.
func (l *learner) evaluateLast(ctx context.Context, n model.Network, e model.Evaluation) (metrics.Summary, error) {
	d := l.data
	dir := l.folder.lastFolder(l.unit)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return metrics.Summary{}, err
	}
	calibration := calibrator{metrics.NewCalibration(len(d.classes), metrics.DefaultBins), d, box{}, ""}
	e.Slice = calibration.add
	e.Case = func(c model.Case, pred *volume.Mask) error {
		return volume.WriteMask(filepath.Join(dir, lastMask(c.ID)), pred)
	}
	measures, err := n.Evaluate(ctx, d.test, e)
	if err != nil {
		return measures, err
	}
	return measures, writeJSON(filepath.Join(dir, calibrationFile), calibration.into.Bins())
}

// calibrator counts pixels for the calibration, case by case.
type calibrator struct {
	into *metrics.Calibration
	data *data
	box  box    // of the case
	id   string // of the case
}

// box is a part of a slice: rows and columns, the ends not included. It is empty where top and bottom are equal.
type box struct{ top, bottom, left, right int }

// add counts the pixels of a slice inside the box of its case. A slice without foreground counts nothing.
func (k *calibrator) add(c model.Case, slice int, probs []float32) {
	p, classes := k.data.preprocess, len(k.data.classes)
	if c.ID != k.id {
		k.id, k.box = c.ID, k.around(c)
	}
	ref := c.Ref.Slice(p.Axis, slice)
	if !slices.ContainsFunc(ref, func(class uint8) bool { return class != 0 }) {
		return
	}
	_, w := p.SliceSize(c.Grid)
	for y := k.box.top; y < k.box.bottom; y++ {
		left, right := y*w+k.box.left, y*w+k.box.right
		k.into.Add(probs[left*classes:right*classes], ref[left:right])
	}
}

// around returns the box around the foreground of all slices of a case, with its margin.
func (k *calibrator) around(c model.Case) box {
	p := k.data.preprocess
	h, w := p.SliceSize(c.Grid)
	b := box{top: h, left: w}
	for slice := range p.Slices(c.Grid) {
		for i, class := range c.Ref.Slice(p.Axis, slice) {
			if class != 0 {
				b.top, b.bottom, b.left, b.right = min(b.top, i/w), max(b.bottom, i/w+1), min(b.left, i%w), max(b.right, i%w+1)
			}
		}
	}
	const m = calibrationMargin
	return box{max(0, b.top-m), min(h, b.bottom+m), max(0, b.left-m), min(w, b.right+m)}
}

const calibrationFile = "calibration.json"

func (f *Folder) lastFolder(u Unit) string { return f.path("units", u.Name(), "last") }

// LastModel is the file of a unit's last model, which is there if Options.SaveModels was set; see package model.
func (f *Folder) LastModel(u Unit) string {
	return filepath.Join(f.lastFolder(u), "model.safetensors")
}

// lastMask is the file of a case's predicted mask.
func lastMask(id string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:`, c) {
			return '_'
		}
		return c
	}, id) + ".nii.gz"
}

// Prediction returns the mask that the last model of a unit predicted for a test case, on the case's own grid. The error
// is os.ErrNotExist for a unit that is not finished, or was taken from a record.
func (f *Folder) Prediction(u Unit, id string) (*volume.Mask, error) {
	return volume.ReadMask(filepath.Join(f.lastFolder(u), lastMask(id)))
}

// Calibration returns the reliability diagram of a unit's last model, nil where there is none. Its pixels are those of
// the slices with foreground in the reference, in the box around all foreground of the case and calibrationMargin voxels.
func (f *Folder) Calibration(u Unit) ([]metrics.Bin, error) {
	path := filepath.Join(f.lastFolder(u), calibrationFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var bins []metrics.Bin
	if err := json.Unmarshal(text, &bins); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return bins, nil
}
