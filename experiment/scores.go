package experiment

import (
	"context"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/internal/peak"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train"
)

// Pool offers the unlabelled items to the strategy, and counts what its questions cost.
func (l *learner) Pool(ctx context.Context, unlabelled []int) query.Pool {
	peak.Reset()
	l.asked, l.unlabelled = time.Now(), unlabelled
	c := model.Candidates{
		Images: active.At(l.data.pool.Images, unlabelled), Labelled: active.At(l.data.pool.Images, l.labelled),
		Masks: active.At(l.data.pool.Labels, l.labelled),
		Names: active.At(l.data.pool.Names, unlabelled), Positions: active.At(l.data.positions, unlabelled),
		HiddenForeground: active.At(l.data.foreground, unlabelled),
		Query:            l.cycle, Queries: l.config.Cycles,
		Random:  l.streams().Score(l.cycle),
		Members: l.members, Critic: l.critic, Latent: l.latent,
		Spent: func(_, passes int, took time.Duration) {
			l.timing.Score += took.Seconds()
			l.timing.Passes += passes
		},
	}
	return l.network(phaseScore).Pool(ctx, l.spec, c)
}

// members trains the further networks of an ensemble, each from a seed of its own, and returns their states; none for
// other scores. The first member is the network that the cycle evaluates, which has seen all labelled items; with
// Bootstrap each of the others sees as many, drawn with replacement.
func (l *learner) members(ctx context.Context) (states [][]float32, err error) {
	if l.states != nil {
		return l.states, nil
	}
	defer func() {
		if err == nil {
			l.states = states
		}
	}()
	begin := time.Now()
	defer func() { l.timing.Members = time.Since(begin).Seconds() }()
	more := l.spec.Score.Members - 1
	for member := 1; member <= more; member++ {
		items := l.items
		if l.spec.Score.Bootstrap {
			rng := l.streams().Bootstrap(l.cycle, member)
			items = make([]int, len(l.items))
			for i := range items {
				items[i] = l.items[rng.IntN(len(items))]
			}
		}
		seed := l.streams().Member(l.cycle, member)
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

// costs returns what the cycle has cost. It is called when the query is done.
func (l *learner) costs() record.Timing {
	t := l.timing
	if !l.asked.IsZero() {
		t.Query = max(0, time.Since(l.asked).Seconds()-t.Members-t.Score)
		t.PeakMB = peak.Memory() / 1e6
	}
	return t
}
