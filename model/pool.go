package model

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nextslice/nextslice/query"
)

// Candidates are the unlabelled items that a query chooses from, and what is known of them beside their images. What the
// strategy does not need may be nil.
type Candidates struct {
	Images    [][]float32 // on the canvas
	Labelled  [][]float32 // images of the items that are labelled
	Names     []string    // of the unlabelled items, for errors; nil for their numbers
	Positions []query.Position

	HiddenForeground []bool // in simulations only
	Query, Queries   int    // the number of this query and how many there will be, see query.Pool

	// Random is the stream of dropout masks and augmentations.
	Random *rand.Rand
	// Members, which may be nil, trains the further networks of an ensemble and returns their states. It is called when
	// the strategy asks for scores and these have Members; without it Network.Members are taken.
	Members func(ctx context.Context) ([][]float32, error)
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
	if needs.Scores {
		p.Score = func(items []int) ([]float64, error) { return n.poolScores(ctx, s, c, items) }
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

func (n Network) poolScores(ctx context.Context, s query.Spec, c Candidates, items []int) (scores []float64, err error) {
	if s.Score.Members > 0 && c.Members != nil {
		if n.Members, err = c.Members(ctx); err != nil {
			return nil, fmt.Errorf("train the ensemble: %w", err)
		}
	}
	defer c.spent(time.Now(), len(items), s.Score.ForwardPasses())
	images := make([][]float32, len(items))
	for i, item := range items {
		images[i] = c.Images[item]
	}
	scores, err = n.Score(ctx, images, s.Score, c.Random)
	if fault, ok := errors.AsType[*ItemError](err); ok {
		fault.Item = items[fault.Item]
		if c.Names != nil {
			return nil, fmt.Errorf("%s: %w", c.Names[fault.Item], fault.Err)
		}
	}
	return scores, err
}

func (n Network) poolFeatures(ctx context.Context, f query.Features, c Candidates, images [][]float32) ([][]float32, error) {
	defer c.spent(time.Now(), len(images), 1)
	return n.Features(ctx, images, f)
}

func (c Candidates) spent(begin time.Time, slices, passes int) {
	if c.Spent != nil {
		c.Spent(slices, slices*passes, time.Since(begin))
	}
}
