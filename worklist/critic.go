package worklist

import (
	"context"
	"errors"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
)

// mostSeen is how many candidates a critic is trained on at most: those are in memory together. Of more a random choice is taken; all are scored.
const mostSeen = 4000

// critic trains a discriminator of labelled slices and candidates, once.
func (q *run) critic(ctx context.Context) (func(context.Context, [][]float32) ([]float64, error), error) {
	if q.judge != nil {
		return q.judge.Scores, nil
	}
	set, err := q.trainingSet(ctx)
	if err != nil {
		return nil, err
	}
	unlabelled, err := q.someImages(ctx, "critic")
	if err != nil {
		return nil, err
	}
	how, p := q.spec.Score.Critic, q.preprocess
	c := train.VAAL{Steps: how.Steps, Adversarial: how.Adversarial, RawRank: how.RawRank, Augment: q.Experiment.Train.Augment}
	if how.Ranked {
		c.Ranks = q.net.network.Ranks
	}
	q.judge, err = train.RunVAAL(ctx, q.engine, c, set.Images, unlabelled, p.Height, p.Width, q.streams().training("critic").Uint64(), q.training)
	if err != nil {
		return nil, err
	}
	return q.judge.Scores, nil
}

// latent trains an autoencoder of labelled slices and candidates, of these mostSeen at most, once.
func (q *run) latent(ctx context.Context) (func(context.Context, [][]float32) ([][]float32, error), error) {
	if q.coder != nil {
		return q.coder.Means, nil
	}
	images, err := q.someImages(ctx, "autoencoder")
	if err != nil {
		return nil, err
	}
	set, err := q.trainingSet(ctx)
	if err != nil && !errors.Is(err, errNoLabels) {
		return nil, err
	}
	p, seed := q.preprocess, q.streams().training("autoencoder").Uint64()
	q.coder, err = train.RunAutoencoder(ctx, q.engine, q.spec.Strategy.Needs().Steps, q.Experiment.Train.Augment, append(images, set.Images...), p.Height, p.Width, seed, q.training)
	if err != nil {
		return nil, err
	}
	return q.coder.Means, nil
}

// watched returns p, whose scores are a critic's where the strategy has one: it tells when these are next to the same.
func (q *run) watched(p query.Pool) query.Pool {
	score := p.Score
	if q.spec.Score.Critic.Steps == 0 || score == nil {
		return p
	}
	p.Score = func(items []int) ([]float64, error) {
		scores, err := score(items)
		if _, blind := train.Spread(scores); err == nil && blind {
			q.notice(train.Blind)
		}
		return scores, err
	}
	return p
}
