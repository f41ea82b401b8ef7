package model

import (
	"context"
	"slices"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// Case is a case to be segmented: all its slices on the canvas, and the grid that they come from.
type Case struct {
	ID     string
	Grid   volume.Grid
	Images [][]float32  // of each slice along the axis of the network's Preprocess, [C H W], normalised
	Ref    *volume.Mask // reference mask on Grid; only Evaluate needs it
	// Unannotated are the classes that nobody has looked for in Ref, [K]; nil for none.
	Unannotated []bool
}

// Segment returns the predicted mask of a case on the case's own grid, by a [Restorer]. each, which may be nil, gets the
// class probabilities of each slice k on that grid, [h w K]; they are valid until it returns.
func (n Network) Segment(ctx context.Context, c Case, each func(k int, probs []float32)) (*volume.Mask, error) {
	mask := &volume.Mask{Grid: c.Grid, Data: make([]uint8, c.Grid.Len())}
	r := Restorer{Preprocess: n.Preprocess, Classes: n.Classes()}
	var images [][]float32 // mirrored
	var others [][]float32 // their probabilities, mirrored back
	if n.Mirror {
		for _, image := range c.Images {
			images = append(images, mirrored(image, n.Preprocess.Width))
		}
		quiet := n
		quiet.Progress = nil
		if err := quiet.Predict(ctx, images, func(_ int, canvas []float32) error {
			other := slices.Clone(canvas)
			mirror(other, n.Preprocess.Width, n.Classes())
			others = append(others, other)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	err := n.Predict(ctx, c.Images, func(k int, canvas []float32) error {
		if n.Mirror {
			for i, p := range others[k] {
				canvas[i] = (canvas[i] + p) / 2
			}
		}
		probs, slice := r.Slice(canvas, c.Grid, k)
		if each != nil {
			each(k, probs)
		}
		mask.SetSlice(n.Preprocess.Axis, k, slice)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n.Largest {
		keepLargest(mask, n.Classes())
	}
	return mask, nil
}

// Restorer takes predictions from the canvas back to the grid of the case that they are of.
type Restorer struct {
	Preprocess preprocess.Config
	Classes    int // K

	probs []float32
	mask  []uint8
}

// Slice returns what class probabilities on the canvas, [H W K], say of slice k of a case of grid g, on that grid: the
// probabilities, [h w K], and the class that is most probable by them, [h w]. The probabilities are brought back first and
// compared then, so that masks have no steps of the canvas' pixels. Both are valid until the next call.
func (r *Restorer) Slice(canvas []float32, g volume.Grid, k int) (probs []float32, mask []uint8) {
	h, w := r.Preprocess.SliceSize(g)
	if len(r.mask) != h*w {
		r.probs, r.mask = make([]float32, h*w*r.Classes), make([]uint8, h*w)
	}
	r.Preprocess.Back(canvas, r.Classes, g, k, r.probs)
	preprocess.Argmax(r.mask, r.probs, r.Classes)
	return r.probs, r.mask
}

// Evaluation says how cases are evaluated.
type Evaluation struct {
	Classes []string // names of the label values, background first
	Rules   metrics.Rules

	// What the evaluation hands out beside the measures; each may be nil.

	Slice func(c Case, k int, probs []float32)  // the class probabilities of slice k, as in Segment
	Case  func(c Case, pred *volume.Mask) error // the predicted mask of a case; its error ends the evaluation
}

// Evaluate segments cases one after the other and compares them with their reference masks.
func (n Network) Evaluate(ctx context.Context, cases []Case, e Evaluation) (metrics.Summary, error) {
	a := metrics.NewAccumulator(e.Classes, e.Rules)
	a.SliceAxis(n.Preprocess.Axis)
	done := n.done
	n.Progress = nil // counts cases here, not slices
	for i, c := range cases {
		var each func(k int, probs []float32)
		if e.Slice != nil {
			each = func(k int, probs []float32) { e.Slice(c, k, probs) }
		}
		mask, err := n.Segment(ctx, c, each)
		if err != nil {
			return metrics.Summary{}, err
		}
		if e.Case != nil {
			if err := e.Case(c, mask); err != nil {
				return metrics.Summary{}, err
			}
		}
		a.AddPartly(c.ID, mask, c.Ref, c.Unannotated)
		done(i+1, len(cases))
	}
	return a.Summary(), nil
}
