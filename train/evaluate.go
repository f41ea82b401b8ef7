package train

import (
	"context"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/volume"
)

// Case is a case to be segmented: all its slices on the canvas, and the grid that they come from.
type Case struct {
	ID     string
	Grid   volume.Grid
	Images [][]float32  // of each slice along the axis of the preprocess.Config, [H W], normalised
	Ref    *volume.Mask // reference mask on Grid; only Evaluate needs it
}

// Segment returns the predicted mask of a case on the case's own grid. The class probabilities of each slice are brought
// back from the canvas first, then every voxel gets its most probable class. look, which may be nil, gets the
// probabilities as Look.Slice does.
func Segment(ctx context.Context, n *unet.Net, p preprocess.Config, classes int, c Case, look func(c Case, k int, probs []float32)) (*volume.Mask, error) {
	mask := &volume.Mask{Grid: c.Grid, Data: make([]uint8, c.Grid.Len())}
	h, w := p.SliceSize(c.Grid)
	probs, labels := make([]float32, h*w*classes), make([]uint8, h*w)
	err := Predict(ctx, n, p.Height, p.Width, c.Images, unet.Pass{}, func(k int, canvas []float32) error {
		p.Back(canvas, classes, c.Grid, k, probs)
		if look != nil {
			look(c, k, probs)
		}
		preprocess.Argmax(labels, probs, classes)
		p.Place(labels, mask, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return mask, nil
}

// Evaluate segments cases one after the other and compares them with their reference masks. classes are the names of
// the label values, background first. progress may be nil.
func Evaluate(ctx context.Context, n *unet.Net, p preprocess.Config, classes []string, rules metrics.Rules, cases []Case, progress func(done, of int)) (metrics.Summary, error) {
	return EvaluateLooking(ctx, n, p, classes, rules, cases, Look{}, progress)
}

// Look is what an evaluation hands out beside its measures. Either function may be nil.
type Look struct {
	// Slice gets the class probabilities of slice k of a case, [h w K] on the case's own grid; they are reused.
	Slice func(c Case, k int, probs []float32)
	// Case gets the predicted mask of a case. Its error ends the evaluation.
	Case func(c Case, pred *volume.Mask) error
}

// EvaluateLooking is Evaluate, and hands out what it predicts.
func EvaluateLooking(ctx context.Context, n *unet.Net, p preprocess.Config, classes []string, rules metrics.Rules, cases []Case, look Look, progress func(done, of int)) (metrics.Summary, error) {
	a := metrics.NewAccumulator(classes, rules)
	a.SliceAxis(p.Axis)
	for i, c := range cases {
		mask, err := Segment(ctx, n, p, len(classes), c, look.Slice)
		if err != nil {
			return metrics.Summary{}, err
		}
		if look.Case != nil {
			if err := look.Case(c, mask); err != nil {
				return metrics.Summary{}, err
			}
		}
		a.Add(c.ID, mask, c.Ref)
		if progress != nil {
			progress(i+1, len(cases))
		}
	}
	return a.Summary(), nil
}
