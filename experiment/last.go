package experiment

import (
	"context"
	"slices"

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
	calibration := calibrator{metrics.NewCalibration(len(d.classes), metrics.DefaultBins), d, box{}, ""}
	e.Slice = calibration.add
	e.Case = func(c model.Case, pred *volume.Mask) error {
		return l.folder.RecordPrediction(l.unit, c.ID, pred)
	}
	measures, err := n.Evaluate(ctx, d.test, e)
	if err != nil {
		return measures, err
	}
	return measures, l.folder.RecordCalibration(l.unit, calibration.into.Bins())
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

// add counts the pixels of a slice inside the box of its case. A slice without foreground counts nothing, nor does a case in which some
// classes are not annotated: what is right there is not known.
func (k *calibrator) add(c model.Case, slice int, probs []float32) {
	if c.Unannotated != nil {
		return
	}
	p, classes := k.data.preprocess, len(k.data.classes)
	if c.ID != k.id {
		k.id, k.box = c.ID, k.around(c)
	}
	ref := c.Ref.Slice(p.Axis, slice)
	if !slices.ContainsFunc(ref, func(class uint8) bool { return class != 0 && int(class) < classes }) {
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
			if class != 0 && int(class) < len(k.data.classes) {
				b.top, b.bottom, b.left, b.right = min(b.top, i/w), max(b.bottom, i/w+1), min(b.left, i%w), max(b.right, i%w+1)
			}
		}
	}
	const m = calibrationMargin
	return box{max(0, b.top-m), min(h, b.bottom+m), max(0, b.left-m), min(w, b.right+m)}
}
