package train

import (
	"context"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/unet"
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
// back from the canvas first, then every voxel gets its most probable class.
func Segment(ctx context.Context, n *unet.Net, p preprocess.Config, classes int, c Case) (*volume.Mask, error) {
	mask := &volume.Mask{Grid: c.Grid, Data: make([]uint8, c.Grid.Len())}
	h, w := p.SliceSize(c.Grid)
	probs, labels := make([]float32, h*w*classes), make([]uint8, h*w)
	err := Predict(ctx, n, p.Height, p.Width, c.Images, unet.Pass{}, func(k int, canvas []float32) error {
		p.Back(canvas, classes, c.Grid, k, probs)
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
	a := metrics.NewAccumulator(classes, rules)
	a.SliceAxis(p.Axis)
	for i, c := range cases {
		mask, err := Segment(ctx, n, p, len(classes), c)
		if err != nil {
			return metrics.Summary{}, err
		}
		a.Add(c.ID, mask, c.Ref)
		if progress != nil {
			progress(i+1, len(cases))
		}
	}
	return a.Summary(), nil
}
