package train

import (
	"context"
	"slices"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/nn/unet"
)

// Bottlenecks calls each with the features of each image, in the order of images: the deepest output of the encoder,
// averaged over the image, [8·width]. It runs the encoder alone. The vectors are the caller's.
func Bottlenecks(ctx context.Context, n *unet.Net, h, w int, images [][]float32, each func(i int, features []float32) error) error {
	p := predictor{net: n, h: h, w: w}
	return p.batches(ctx, images, func(begin int) error {
		n.Forward(p.x, unet.Pass{Features: true, Encoder: true})
		return split(n.Features()[unet.Levels], p.x.N, begin, each)
	})
}

// Gradients calls each with the gradient embedding of each image, in the order of images: the gradient of the last
// layer's weights if the network's own prediction were the label, averaged over the image, [width·K]:
//
//	g_{c,k} = mean over pixels of (p_k - [k = argmax p]) · h_c
//
// with h the last layer's input. It is that of the cross-entropy, of softmax and of sigmoids alike. The vectors are the
// caller's.
//
// Source: Ash, Zhang, Krishnamurthy, Langford, Agarwal 2020, "Deep batch active learning by diverse, uncertain gradient
// lower bounds", ICLR; for segmentation as package query has it.
func Gradients(ctx context.Context, n *unet.Net, h, w int, images [][]float32, each func(i int, gradient []float32) error) error {
	p := predictor{net: n, h: h, w: w}
	size := n.Config().Width * n.Config().Classes
	gradients := make([]float32, predictBatch*size)
	return p.batches(ctx, images, func(begin int) error {
		probs := p.probabilities(unet.Pass{})
		towardArgmax(probs)
		batch := gradients[:probs.N*size]
		n.HeadGradients(batch, probs)
		return split(batch, probs.N, begin, each)
	})
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

// split calls each with copies of n vectors that lie one after the other.
func split(vectors []float32, n, begin int, each func(i int, vector []float32) error) error {
	size := len(vectors) / n
	for i := range n {
		if err := each(begin+i, slices.Clone(vectors[i*size:(i+1)*size])); err != nil {
			return err
		}
	}
	return nil
}
