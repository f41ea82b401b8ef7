package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/scoring"
	"github.com/nextslice/nextslice/train"
)

// Pool offers the scores and features of the unlabelled items, and where they lie.
func (l *learner) Pool(ctx context.Context, unlabelled []int) query.Pool {
	resetPeakMemory()
	l.asked = time.Now()
	p := query.Pool{N: len(unlabelled), Positions: make([]query.Position, len(unlabelled)), HiddenForeground: make([]bool, len(unlabelled))}
	for i, item := range unlabelled {
		p.Positions[i] = l.data.positions[item]
		p.HiddenForeground[i] = l.data.foreground[item]
	}
	if l.spec.Score.Name != "" {
		p.Score = func(items []int) ([]float64, error) {
			chosen := make([]int, len(items))
			for i, item := range items {
				chosen[i] = unlabelled[item]
			}
			return l.scores(ctx, chosen)
		}
	}
	if l.spec.Features() != query.NoFeatures {
		p.Features = func() (of, labelled [][]float32, err error) {
			_, centers := l.spec.Strategy.(query.CoreSet) // no other strategy looks at labelled items
			if of, err = l.features(ctx, unlabelled); err == nil && centers {
				labelled, err = l.features(ctx, l.labelled)
			}
			return of, labelled, err
		}
	}
	return p
}

// scores returns the scores of items of the pool.
func (l *learner) scores(ctx context.Context, items []int) ([]float64, error) {
	members, err := l.members(ctx)
	if err != nil {
		return nil, fmt.Errorf("train the ensemble: %w", err)
	}
	defer l.scored(time.Now(), len(items)*l.spec.Score.ForwardPasses())
	scores := make([]float64, len(items))
	images := l.images(items)
	rng := random.Stream(l.config.Seed, "score", l.start.Set, l.cycle)
	err = l.network(members).Score(ctx, l.spec.Score, images, rng, func(i int, score float64) error {
		scores[i] = score
		l.report(phaseScore, i+1, len(items), 0)
		return nil
	})
	var fault *train.ItemError
	if errors.As(err, &fault) {
		return nil, fmt.Errorf("%s: %w", l.data.pool.Names[items[fault.Item]], fault.Err)
	}
	return scores, err
}

// members trains the further networks of an ensemble, each from a seed of its own, and returns their states; none for
// other scores. The first member is the network that the cycle evaluates, which has seen all labelled items; with
// Bootstrap each of the others sees as many, drawn with replacement.
func (l *learner) members(ctx context.Context) (states [][]float32, err error) {
	begin := time.Now()
	defer func() { l.timing.Members = time.Since(begin).Seconds() }()
	more := l.spec.Score.Members - 1
	for member := 1; member <= more; member++ {
		items := l.labelled
		if l.spec.Score.Bootstrap {
			rng := l.config.bootstrapStream(l.start.Set, l.cycle, member)
			items = make([]int, len(l.labelled))
			for i := range items {
				items[i] = l.labelled[rng.IntN(len(items))]
			}
		}
		seed := l.config.memberSeed(l.start.Set, l.cycle, member)
		r, err := train.Run(ctx, l.engine, l.config.Train, l.data.subset(items), seed, func(p train.Progress) {
			l.report(phaseTrain, (member-1)*p.Of+p.Step, more*p.Of, p.Loss)
		})
		if err != nil {
			return nil, err
		}
		states = append(states, r.Net.State())
	}
	return states, nil
}

// features returns the vectors of items of the pool that the strategy compares.
func (l *learner) features(ctx context.Context, items []int) ([][]float32, error) {
	defer l.scored(time.Now(), len(items))
	vectors := make([][]float32, len(items))
	put := func(i int, vector []float32) error {
		vectors[i] = vector
		l.report(phaseScore, i+1, len(items), 0)
		return nil
	}
	return vectors, l.network(nil).Features(ctx, l.spec.Features(), l.images(items), put)
}

// network returns the network of the cycle for scoring, with those of an ensemble's further members.
func (l *learner) network(members [][]float32) scoring.Network {
	p := l.data.preprocess
	return scoring.Network{Net: l.net, Module: l.module, Members: members, H: p.Height, W: p.Width}
}

// images returns items of the pool on the canvas.
func (l *learner) images(items []int) [][]float32 {
	images := make([][]float32, len(items))
	for i, item := range items {
		images[i] = l.data.pool.Images[item]
	}
	return images
}

// scored counts what forward passes for the query cost.
func (l *learner) scored(begin time.Time, passes int) {
	l.timing.Score += time.Since(begin).Seconds()
	l.timing.Passes += passes
}

// costs returns what the cycle has cost. It is called when the query is done.
func (l *learner) costs() Timing {
	t := l.timing
	if !l.asked.IsZero() {
		t.Query = max(0, time.Since(l.asked).Seconds()-t.Members-t.Score)
		t.PeakMB = peakMemory() / 1e6
	}
	return t
}

// checkStrategy refuses strategies that cannot work with networks that are trained as c has it.
func checkStrategy(s query.Spec, c train.Config) error {
	_, power := s.Strategy.(query.Power)
	switch {
	case s.Score.Dropout && c.Dropout == 0:
		return fmt.Errorf("%s: with train.dropout 0 all passes are the same: choose a larger one", s)
	case s.Score.PredictedLoss && c.Batch < 2:
		return fmt.Errorf("%s: the slices of a mini-batch are compared in pairs: choose a train.batch of 2 or more", s)
	case s.Score.PredictedLoss && power:
		return fmt.Errorf("%s: power takes no negative scores, and a predicted loss can be: choose softmax or softrank", s)
	}
	return nil
}
