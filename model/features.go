package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor"
)

// Features returns the vector of each image, in the order of images; the vectors are the caller's. It ends with ctx's error
// between two mini-batches.
//
// [query.Bottleneck]: the deepest output of the encoder, averaged over the image, [8·width]. Only the encoder is run.
//
// [query.Gradient]: the gradient of the last layer's weights if the network's own prediction were the label, averaged over
// the image, [width·K]:
//
//	g_{c,k} = mean over pixels of (p_k - [k = argmax p]) · h_c
//
// with h the last layer's input. It is that of the cross-entropy, of softmax and of sigmoids alike (Ash, Zhang,
// Krishnamurthy, Langford, Agarwal 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds", ICLR;
// for segmentation as [query.BADGE] has it).
func (n Network) Features(ctx context.Context, images [][]float32, f query.Features) ([][]float32, error) {
	if n.Foreign != nil {
		return nil, errInside
	}
	p := newPredictor(n)
	var vectors func() []float32 // of the mini-batch, one after the other
	switch f {
	case query.Bottleneck:
		vectors = func() []float32 {
			n.Net.Forward(p.x, unet.Pass{Features: true, Encoder: true})
			return n.Net.Features()[unet.Levels]
		}
	case query.Gradient:
		gradients := make([]float32, predictBatch*n.Net.Config().Width*n.Classes())
		vectors = func() []float32 {
			probs := p.probabilities(unet.Pass{})
			towardArgmax(probs)
			batch := gradients[:probs.N*n.Net.Config().Width*n.Classes()]
			n.Net.HeadGradients(batch, probs)
			return batch
		}
	default:
		return nil, fmt.Errorf("model: a network has no %q features", f)
	}
	all := make([][]float32, 0, len(images))
	err := p.batches(ctx, images, func(int) error {
		batch := vectors()
		for vector := range slices.Chunk(batch, len(batch)/p.x.N) {
			all = append(all, slices.Clone(vector))
			n.done(len(all), len(images))
		}
		return nil
	})
	return all, err
}

// towardArgmax turns probabilities [N H W K] into the gradient of the logits, averaged over each item's pixels, of the
// cross-entropy with the most probable class; the first one of equals.
func towardArgmax(probs tensor.Tensor) {
	scale := 1 / float32(probs.H*probs.W)
	for begin := 0; begin < len(probs.Data); begin += probs.C {
		pixel := probs.Data[begin : begin+probs.C]
		best := 0
		for k, p := range pixel {
			if p > pixel[best] {
				best = k
			}
		}
		pixel[best]--
		for k := range pixel {
			pixel[k] *= scale
		}
	}
}
