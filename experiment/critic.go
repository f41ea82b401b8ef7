package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/train"
)

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
			var blind bool
			if l.judged.Spread, blind = train.Spread(scores); blind && l.notice != nil {
				l.notice(fmt.Sprintf("%s, cycle %d: %s", l.unit, l.cycle, train.Blind))
			}
		}
		return scores, err
	}, nil
}
