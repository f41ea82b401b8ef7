package annotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/train"
)

// judge scores images, [C H W] each; higher, the less they look like those that are labelled.
type judge = func(ctx context.Context, images [][]float32) ([]float64, error)

// critical is a Learner that also trains what strategies by a critic (VAAL, TA-VAAL) or a module of the network (learning loss) ask.
type critical interface {
	// TrainRanked is Train with a module that learns which of two slices is the harder one.
	TrainRanked(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error)
	// TrainLearningLoss is Train with a module that predicts the loss of a slice.
	TrainLearningLoss(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error)
	// Critic trains an autoencoder and a discriminator of labelled and unlabelled slices. With ranked, n is a network of TrainRanked.
	Critic(ctx context.Context, n Network, ranked bool, c train.VAAL, p preprocess.Config, labelled, unlabelled [][]float32, seed uint64, progress func(train.Progress)) (judge, error)
}

func (n networks) TrainRanked(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error) {
	return withModule(p)(train.RunRanker(ctx, n.Engine, c, data, seed, progress))
}

func (n networks) TrainLearningLoss(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) (Network, error) {
	return withModule(p)(train.RunLearningLoss(ctx, n.Engine, c, data, seed, progress))
}

// withModule returns what makes a network of a training's result.
func withModule(p preprocess.Config) func(*train.Result, error) (Network, error) {
	return func(r *train.Result, err error) (Network, error) {
		if err != nil {
			return nil, err
		}
		return model.Network{Net: r.Net, Module: r.Module, Preprocess: p}, nil
	}
}

func (n networks) Critic(ctx context.Context, of Network, ranked bool, c train.VAAL, p preprocess.Config, labelled, unlabelled [][]float32, seed uint64, progress func(train.Progress)) (judge, error) {
	if ranked {
		network, ok := of.(model.Network)
		if !ok || network.Module == nil {
			return nil, errors.New("the network ranks nothing: it was trained without the module")
		}
		c.Ranks = network.Ranks
	}
	k, err := train.RunVAAL(ctx, n.Engine, c, labelled, unlabelled, p.Height, p.Width, seed, progress)
	if err != nil {
		return nil, err
	}
	return k.Scores, nil
}

// critic returns what trains the critic of a cycle's query for a network, nil where the strategy has none. It is trained anew for each query, on all slices that are labelled
// and all that could be asked for, and is not kept.
func (t *trainer) critic(learner Learner, n Network, cycle int, progress func(Training, bool)) func(ctx context.Context, unlabelled [][]float32) (judge, error) {
	how := t.config.spec().Score.Critic
	if how.Steps == 0 {
		return nil
	}
	return func(ctx context.Context, unlabelled [][]float32) (judge, error) {
		c, ok := learner.(critical)
		if !ok {
			return nil, fmt.Errorf("annotation cannot train what the strategy %s asks here", t.config.Strategy)
		}
		labelled, _, err := t.queue.labels(ctx)
		if err != nil {
			return nil, err
		}
		last := time.Time{}
		scores, err := c.Critic(ctx, n, how.Ranked, train.VAAL{Steps: how.Steps, Adversarial: how.Adversarial, RawRank: how.RawRank, Augment: t.config.Train.Augment}, t.config.Preprocess,
			labelled, unlabelled, t.config.streams().Training(cycle), func(p train.Progress) {
				if p.Step == p.Of || time.Since(last) > 250*time.Millisecond {
					last = time.Now()
					progress(Training{Phase: "train", Step: p.Step, Steps: p.Of, Loss: p.Loss, SecondsLeft: p.Left.Seconds()}, true)
				}
			})
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, images [][]float32) ([]float64, error) {
			s, err := scores(ctx, images)
			if _, blind := train.Spread(s); err == nil && blind {
				t.events.log.Warn(fmt.Sprintf("cycle %d: %s", cycle, train.Blind))
			}
			return s, err
		}, nil
	}
}
