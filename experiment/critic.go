package experiment

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/train"
)

// blind is the spread of a critic's logits below which it tells nothing.
const blind = 1e-3

// critic trains the autoencoder and the discriminator of the cycle, and returns the scores of images by it.
func (l *learner) critic(ctx context.Context) (func(context.Context, [][]float32) ([]float64, error), error) {
	begin := time.Now()
	defer func() { l.timing.Members += time.Since(begin).Seconds() }()
	how := l.spec.Score.Critic
	pool, p := l.data.pool.Images, l.data.preprocess
	c := train.VAAL{Steps: how.Steps, Adversarial: how.Adversarial, RawRank: how.RawRank, Augment: l.config.Train.Augment}
	if how.Ranked {
		c.Ranks = l.net.Ranks
	}
	k, err := train.RunVAAL(ctx, l.engine, c,
		active.At(pool, l.labelled), active.At(pool, l.unlabelled), p.Height, p.Width, l.streams().Training(l.cycle), func(p train.Progress) {
			l.report(phaseTrain, p.Step, p.Of, p.Loss)
		})
	if err != nil {
		return nil, err
	}
	l.judged = &active.Critic{Reconstruction: k.R, Divergence: k.KL, Discriminator: k.D}
	return func(ctx context.Context, images [][]float32) ([]float64, error) {
		scores, err := k.Scores(ctx, images)
		if err == nil {
			l.judged.Spread = deviation(scores)
			if l.judged.Spread < blind && l.notice != nil {
				l.notice(fmt.Sprintf("%s, cycle %d: the discriminator tells labelled slices from unlabelled ones by nothing: the query is as good as random", l.unit, l.cycle))
			}
		}
		return scores, err
	}, nil
}

func deviation(values []float64) float64 {
	sum, squares, n := 0.0, 0.0, float64(len(values))
	for _, v := range values {
		sum, squares = sum+v, squares+v*v
	}
	return math.Sqrt(max(0, squares/n-sum*sum/n/n))
}
