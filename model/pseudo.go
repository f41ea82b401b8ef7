package model

import (
	"context"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/uncertainty"
)

// PseudoMasks returns a mask for each image that the network is sure enough of, [H W] with uncertainty.Ignored where it is not, as p says
// after a cycle; nil for the others, and for all where the threshold is 0.
func (n Network) PseudoMasks(ctx context.Context, images [][]float32, p query.Pseudo, cycle int) ([][]uint8, error) {
	masks := make([][]uint8, len(images))
	threshold := p.Threshold(cycle)
	if threshold == 0 {
		return masks, nil
	}
	mask := make([]uint8, n.Preprocess.Height*n.Preprocess.Width)
	err := n.Predict(ctx, images, func(i int, probs []float32) error {
		if uncertainty.PseudoMask(mask, probs, n.Classes(), threshold, p.Of != query.PseudoPixel, p.Of != query.PseudoItem) {
			masks[i] = append([]uint8(nil), mask...)
		}
		return nil
	})
	return masks, err
}
