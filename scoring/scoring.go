// Package scoring computes, with a trained network, what a strategy of package query asks for: the scores of items, and
// their features.
package scoring

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/nn/unet"
)

// Network is a trained network, and what some scores need beside it.
type Network struct {
	Net  *unet.Net
	H, W int // of the images, which are H·W long

	Module  *unet.LossModule // predicted losses: the module that was trained along
	Members [][]float32      // ensembles: the states (unet.Net.State) of the further networks
}

// Score calls each with the score of each image, in the order of images: higher = label sooner. Dropout masks and
// augmentations come from rng. It ends with ctx's error between two mini-batches, with the first error of each, and with a
// *train.ItemError where a score is not finite.
func (n Network) Score(ctx context.Context, s query.Score, images [][]float32, rng *rand.Rand, each func(i int, score float64) error) error {
	if s.PredictedLoss {
		return train.PredictedLosses(ctx, n.Net, n.Module, n.H, n.W, images, each)
	}
	c := config(s)
	c.Members = n.Members
	return train.Score(ctx, n.Net, n.H, n.W, images, c, rng, each)
}

// Features calls each with the vector of each image, in the order of images; errors are as those of Score. The vectors are
// the caller's.
func (n Network) Features(ctx context.Context, f query.Features, images [][]float32, each func(i int, vector []float32) error) error {
	switch f {
	case query.Gradient:
		return train.Gradients(ctx, n.Net, n.H, n.W, images, each)
	case query.Bottleneck:
		return train.Bottlenecks(ctx, n.Net, n.H, n.W, images, each)
	}
	return fmt.Errorf("scoring: no features %q", f)
}

// config returns how a network scores items by s: by which passes, and how they become a number. It leaves out the states of
// an ensemble's members and says nothing of predicted losses.
func config(s query.Score) train.Scoring {
	c := train.Scoring{
		Config: uncertainty.Config{
			Map:         uncertainty.Map(s.Map),
			Aggregation: uncertainty.Aggregation(s.Aggregation),
			Fraction:    s.Fraction,
			Band:        s.Band,
		},
		Passes:  s.Passes,
		Dropout: s.Dropout,
	}
	if s.Augment {
		c.TTA = train.StandardTTA
	}
	return c
}
