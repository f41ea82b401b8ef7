package model

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor"
)

// predictBatch is the number of slices that are predicted together. Batch norm stands on its running statistics, so
// the number has no influence on the result of a slice.
const predictBatch = 8

// Predict calls each with the class probabilities of each image, on the canvas [H W K], in the order of images. The
// probabilities are reused: they are valid until each returns. It ends with ctx's error between two mini-batches, and with
// the first error of each. It panics if an image has not C·H·W values.
func (n Network) Predict(ctx context.Context, images [][]float32, each func(i int, probs []float32) error) error {
	return n.Forward(ctx, images, unet.Pass{}, each)
}

// Forward is Predict by a forward pass of any kind, such as one with dropout.
func (n Network) Forward(ctx context.Context, images [][]float32, pass unet.Pass, each func(i int, probs []float32) error) error {
	p := newPredictor(n)
	return p.batches(ctx, images, func(begin int) error {
		probs := p.probabilities(pass)
		for i := range probs.N {
			if err := each(begin+i, probs.Items(i, i+1).Data); err != nil {
				return err
			}
			n.done(begin+i+1, len(images))
		}
		return nil
	})
}

// predictor runs mini-batches of slices through a network. What its methods return is valid until the next call.
type predictor struct {
	Network
	h, w  int
	x     tensor.Tensor // the mini-batch [N H W C]
	probs tensor.Tensor
}

func newPredictor(n Network) predictor {
	return predictor{Network: n, h: n.Preprocess.Height, w: n.Preprocess.Width}
}

// batches loads images, a mini-batch at a time, and calls do with the number of its first one. It returns the first
// error: of do, of the engine, or of ctx between two mini-batches.
func (p *predictor) batches(ctx context.Context, images [][]float32, do func(begin int) error) (err error) {
	defer func() {
		if err != nil && ctx.Err() != nil { // what computes was ended because of it
			err = ctx.Err()
		}
	}()
	defer catchForeign(&err)
	defer tensor.Catch(&err)
	if p.Net != nil {
		defer p.Net.Watch(ctx)()
	}
	channels := p.channels()
	want := channels * p.h * p.w
	for begin := 0; begin < len(images); begin += predictBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := images[begin:min(begin+predictBatch, len(images))]
		p.x.Resize(tensor.Shape{N: len(batch), H: p.h, W: p.w, C: channels})
		for i, image := range batch {
			if len(image) != want {
				panic(fmt.Sprintf("model: image %d: want %d values, got %d", begin+i, want, len(image)))
			}
			tensor.Interleave(p.image(i), image, channels)
		}
		if err := do(begin); err != nil {
			return err
		}
	}
	return nil
}

// image returns the i-th slice of the mini-batch.
func (p *predictor) image(i int) []float32 { return p.x.Items(i, i+1).Data }

// probabilities returns the class probabilities of the mini-batch, [N H W K].
func (p *predictor) probabilities(pass unet.Pass) tensor.Tensor {
	if p.Foreign != nil {
		p.Foreign.probabilities(&p.probs, p.x)
		return p.probs
	}
	logits := p.Net.Forward(p.x, pass)
	p.probs.Resize(logits.Shape)
	p.Net.Probabilities(p.probs, logits)
	return p.probs
}
