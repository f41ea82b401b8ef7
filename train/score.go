package train

import (
	"context"
	"math/rand/v2"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/unet"
)

// Scoring says how a network scores items.
type Scoring struct {
	uncertainty.Config     // which map, and how it becomes a number
	Passes             int // forward passes with dropout active; 0 is one pass without (Monte Carlo dropout: Gal, Ghahramani 2016)
}

// Score calls each with the score of each image, in the order of images: higher = label sooner. The seeds of the
// dropout passes come from rng, which is not used without them. A probability that is not finite is an error. It ends
// with ctx's error between two batches, and with the first error of each.
func Score(ctx context.Context, e tensor.Engine, n *unet.Net, h, w int, images [][]float32, s Scoring, rng *rand.Rand, each func(i int, score float64) error) error {
	var scorers [predictBatch]*uncertainty.Scorer
	for i := range scorers {
		scorers[i] = uncertainty.NewScorer(s.Config, h, w, n.Config().Classes)
	}
	for begin := 0; begin < len(images); begin += predictBatch {
		batch := images[begin:min(begin+predictBatch, len(images))]
		for _, scorer := range scorers {
			scorer.Reset()
		}
		for range max(1, s.Passes) {
			var pass unet.Pass
			if s.Passes > 0 {
				pass = unet.Pass{Dropout: true, Seed: rng.Uint64()}
			}
			err := Predict(ctx, e, n, h, w, batch, pass, func(i int, probs []float32) error {
				scorers[i].Add(probs, nil)
				return nil
			})
			if err != nil {
				return err
			}
		}
		for i := range batch {
			score, err := scorers[i].Score(begin + i)
			if err != nil {
				return err
			}
			if err := each(begin+i, score); err != nil {
				return err
			}
		}
	}
	return nil
}
