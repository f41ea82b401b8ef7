package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/uncertainty"
)

// Candidates are the unlabelled items that a query chooses from, and what is known of them beside their images. What the
// strategy does not need may be nil.
type Candidates struct {
	Images    [][]float32 // on the canvas
	Labelled  [][]float32 // images of the items that are labelled
	Masks     [][]uint8   // of the items that are labelled, on the canvas; scores with ClassWeights need them
	Names     []string    // of the unlabelled items, for errors; nil for their numbers
	Positions []query.Position

	HiddenForeground []bool // in simulations only
	Query, Queries   int    // the number of this query and how many there will be, see query.Pool

	// Random is the stream of dropout masks and augmentations.
	Random *rand.Rand
	// Members, which may be nil, trains the further networks of an ensemble and returns their states. It is called when
	// the strategy asks for scores and these have Members; without it Network.Members are taken.
	Members func(ctx context.Context) ([][]float32, error)
	// Critic trains what scores with Critic are computed by, and returns it.
	Critic func(ctx context.Context) (func(ctx context.Context, images [][]float32) ([]float64, error), error)
	// Latent trains the autoencoder of query.Latent features, unless it is trained already, and returns what gives the latent mean of images.
	Latent func(ctx context.Context) (func(ctx context.Context, images [][]float32) ([][]float32, error), error)
	// Spent, which may be nil, is told of each piece of work: how many slices went through the network, in how many
	// forward passes of one slice each, and how long that took.
	Spent func(slices, passes int, took time.Duration)
	// Progress, if not nil, takes the place of Network.Progress.
	Progress func(done, of int)
}

// Pool offers the candidates to a strategy: of what the strategy needs everything, and nothing else. The network computes
// when it is asked; ctx ends that.
func (n Network) Pool(ctx context.Context, s query.Spec, c Candidates) query.Pool {
	needs := s.Strategy.Needs()
	p := query.Pool{N: len(c.Images)}
	if c.Progress != nil {
		n.Progress = c.Progress
	}
	if s.Score.ClassWeights {
		n.Weights = classWeights(c.Masks, n.Classes())
	}
	if needs.Scores {
		p.Score = func(items []int) ([]float64, error) { return poolOf(ctx, n, s, c, items, Network.Score) }
		if s.Score.Critic.Steps > 0 {
			p.Score = func(items []int) ([]float64, error) { return c.criticised(ctx, items) }
		}
		if s.Score.Alpha > 0 {
			p.Score = func(items []int) ([]float64, error) { return c.diminishing(ctx, n, s, items) }
		}
	}
	if needs.ClassScores {
		p.ClassScores = func(items []int) ([][]float64, error) { return poolOf(ctx, n, s, c, items, Network.ClassScores) }
	}
	if needs.Networks {
		c.offerNetworks(ctx, n, s, &p)
	}
	if needs.Features != query.NoFeatures {
		p.Features = func() ([][]float32, error) { return n.poolFeatures(ctx, needs.Features, c, c.Images) }
	}
	if needs.LabelledFeatures {
		p.LabelledFeatures = func() ([][]float32, error) { return n.poolFeatures(ctx, needs.Features, c, c.Labelled) }
	}
	if needs.Positions {
		p.Positions = c.Positions
	}
	if needs.HiddenForeground {
		p.HiddenForeground = c.HiddenForeground
	}
	if needs.QueryNumber {
		p.Query, p.Queries = c.Query, c.Queries
	}
	return p
}

// poolOf returns what compute makes of some of the candidates: Network.Score or ClassScores.
func poolOf[T any](ctx context.Context, n Network, s query.Spec, c Candidates, items []int,
	compute func(Network, context.Context, [][]float32, uncertainty.Score, *rand.Rand) ([]T, error)) (scores []T, err error) {
	if s.Score.Members > 0 && c.Members != nil {
		if n.Members, err = c.Members(ctx); err != nil {
			return nil, fmt.Errorf("train the ensemble: %w", err)
		}
	}
	defer c.spent(time.Now(), len(items), s.Score.ForwardPasses())
	scores, err = compute(n, ctx, c.images(items), s.Score, c.Random)
	return scores, c.fault(items, err)
}

// criticised returns the scores of some candidates by the critic.
func (c Candidates) criticised(ctx context.Context, items []int) ([]float64, error) {
	if c.Critic == nil {
		return nil, errors.New("model: the score is a discriminator's, and nobody trains one")
	}
	scores, err := c.Critic(ctx)
	if err != nil {
		return nil, err
	}
	defer c.spent(time.Now(), len(items), 0)
	return scores(ctx, c.images(items))
}

// diminishing returns the scores of some candidates with Score.Alpha, which go by the uncertainty of all.
func (c Candidates) diminishing(ctx context.Context, n Network, s query.Spec, items []int) ([]float64, error) {
	all := make([]int, len(c.Images))
	for i := range all {
		all[i] = i
	}
	u, err := poolOf(ctx, n, s, c, all, Network.Score)
	if err != nil {
		return nil, err
	}
	scores := uncertainty.Diminishing(u, uncertainty.MutualInformation(c.Images, c.Labelled), s.Score.Alpha)
	out := make([]float64, len(items))
	for i, item := range items {
		out[i] = scores[item]
	}
	return out, nil
}

// offerNetworks offers what several networks predict, by masks of dropout that are drawn when the first is asked.
func (c Candidates) offerNetworks(ctx context.Context, n Network, s query.Spec, p *query.Pool) {
	all := sync.OnceValues(func() (networks, error) { return n.networks(s.Score, c.Random) })
	p.Disagreement = func(items []int) (query.Disagreement, error) {
		n, err := all()
		if err != nil {
			return query.Disagreement{}, err
		}
		defer c.spent(time.Now(), len(items), len(n.seeds))
		d, err := n.disagreement(ctx, c.images(items))
		return d, c.fault(items, err)
	}
	p.Probabilities = func(items, pixels []int) ([][]float32, error) {
		n, err := all()
		if err != nil {
			return nil, err
		}
		defer c.spent(time.Now(), len(items), len(n.seeds))
		return n.probabilities(ctx, c.images(items), pixels)
	}
}

// images returns those of some candidates.
func (c Candidates) images(items []int) [][]float32 {
	images := make([][]float32, len(items))
	for i, item := range items {
		images[i] = c.Images[item]
	}
	return images
}

// fault returns err; where it is about one of these candidates it says which.
func (c Candidates) fault(items []int, err error) error {
	if fault, ok := errors.AsType[*ItemError](err); ok {
		fault.Item = items[fault.Item]
		if c.Names != nil {
			return fmt.Errorf("%s: %w", c.Names[fault.Item], fault.Err)
		}
	}
	return err
}

func (n Network) poolFeatures(ctx context.Context, f query.Features, c Candidates, images [][]float32) ([][]float32, error) {
	if f == query.Appearance || f == query.Latent {
		return c.appearance(ctx, f, images, n.Preprocess.Height, n.Preprocess.Width)
	}
	defer c.spent(time.Now(), len(images), 1)
	return n.Features(ctx, images, f)
}

func (c Candidates) spent(begin time.Time, slices, passes int) {
	if c.Spent != nil {
		c.Spent(slices, slices*passes, time.Since(begin))
	}
}
