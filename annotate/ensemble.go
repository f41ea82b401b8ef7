package annotate

import (
	"context"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/uncertainty"

	"github.com/nextslice/nextslice/annotate/store"
)

// beside is what the query of a new network may need of the trainer; what the strategy does not need is nil.
type beside struct {
	critic  func(ctx context.Context, unlabelled [][]float32) (judge, error)
	members func(ctx context.Context) ([][]float32, error)
	// review sees the picks, and returns those that people are asked for.
	review func(ctx context.Context, picks active.Picks[Item]) (active.Picks[Item], error)
}

// trainsMore reports whether a score needs more than the network that is stored: it can be computed behind a training alone.
func trainsMore(s uncertainty.Score) bool {
	return s.Critic.Steps > 0 || s.Members > 0 || s.PredictedLoss
}

// joint is a Learner that also trains the further networks of an ensemble.
type joint interface {
	// Member trains a network and returns its state, see model.Network.Members.
	Member(ctx context.Context, c train.Config, p preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) ([]float32, error)
}

func (n networks) Member(ctx context.Context, c train.Config, _ preprocess.Config, data train.Set, seed uint64, progress func(train.Progress)) ([]float32, error) {
	r, err := train.Run(ctx, n.Engine, c, data, seed, progress)
	if err != nil {
		return nil, err
	}
	return r.Net.State(), nil
}

// members returns what trains the further networks of a cycle's ensemble, once, on what the first one has seen; nil where the strategy has none. They are not kept: a query that
// is interrupted is asked anew, with its training.
func (t *trainer) members(learner Learner, set trainingSet, cycle int, progress func(Training, bool)) func(context.Context) ([][]float32, error) {
	score := t.config.spec().Score
	if score.Members == 0 || t.fixed {
		return nil
	}
	var states [][]float32
	return func(ctx context.Context) ([][]float32, error) {
		if states != nil {
			return states, nil
		}
		j, ok := learner.(joint)
		if !ok {
			return nil, fmt.Errorf("annotation cannot train what the strategy %s asks here", t.config.Strategy)
		}
		c, more := t.config.Train, score.Members-1
		c.Steps = t.steps(cycle)
		all := make([][]float32, 0, more)
		begin, last := time.Now(), time.Time{}
		for member := 1; member <= more; member++ {
			some := set.Set
			if score.Bootstrap {
				some = set.resampled(t.config.streams().Bootstrap(cycle, member).IntN)
			}
			state, err := j.Member(ctx, c, t.config.Preprocess, some, t.config.streams().Member(cycle, member), func(p train.Progress) {
				if p.Step == p.Of || time.Since(last) > 250*time.Millisecond {
					last = time.Now()
					done, of := (member-1)*p.Of+p.Step, more*p.Of
					left := last.Sub(begin).Seconds() / float64(done) * float64(of-done)
					progress(Training{Phase: "train", Step: done, Steps: of, Loss: p.Loss, SecondsLeft: left}, true)
				}
			})
			if err != nil {
				return nil, err
			}
			all = append(all, state)
		}
		states = all
		return states, nil
	}
}

// resampled returns as many items, drawn with replacement.
func (s trainingSet) resampled(draw func(n int) int) train.Set {
	some := s.Set
	some.Images, some.Labels = nil, nil
	for range s.Images {
		i := draw(len(s.Images))
		some.Images, some.Labels = append(some.Images, s.Images[i]), append(some.Labels, s.Labels[i])
	}
	return some
}

// addCopies adds the copies that earlier queries have made of labels, as far as these are there still.
func (t *trainer) addCopies(ctx context.Context, set *trainingSet) error {
	if t.config.spec().Training.Copies == "" {
		return nil
	}
	models, err := t.store.Models(ctx)
	if err != nil {
		return err
	}
	at := map[Item]int{}
	for i, item := range set.labels {
		at[item] = i
	}
	for _, m := range models {
		for _, item := range m.Copies {
			if i, there := at[item]; there {
				set.Images, set.Labels = append(set.Images, set.Images[i]), append(set.Labels, set.Labels[i])
			}
		}
	}
	return nil
}

// review returns what decides which labelled items count once more from the query of model m on, and notes them in m; nil where the strategy makes no copies. They are
// stored with the model and the query.
func (t *trainer) review(n Network, set trainingSet, members func(context.Context) ([][]float32, error), m *store.Model) func(context.Context, active.Picks[Item]) (active.Picks[Item], error) {
	spec := t.config.spec()
	if spec.Training.Copies == "" {
		return nil
	}
	return func(ctx context.Context, picks active.Picks[Item]) (active.Picks[Item], error) {
		alone := spec
		alone.Score.Alpha = 0 // how unsure the networks are of an item
		c := model.Candidates{Members: members}
		for _, item := range picks.Items {
			c.Images = append(c.Images, t.cases.slice(item))
		}
		c.Images = append(c.Images, set.Images[:len(set.labels)]...)
		all := make([]int, len(c.Images))
		for i := range all {
			all[i] = i
		}
		u, err := n.Pool(ctx, alone, c).Score(all)
		if err != nil {
			return picks, err
		}
		keep, copies := query.CopiesOf(spec, len(picks.Items), u)
		picks.Items = active.At(picks.Items, keep)
		if picks.Scores != nil {
			picks.Scores = active.At(picks.Scores, keep)
		}
		m.Copies = active.At(set.labels, copies)
		return picks, nil
	}
}
