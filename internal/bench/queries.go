package bench

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/scoring"
	"github.com/nextslice/nextslice/nn/unet"
)

// Query is one question of a strategy: which slices of a pool to label next. Trainings are no part of it.
type Query struct {
	Strategy string  `json:"strategy"`
	Pool     int     `json:"pool"`    // slices
	Size     int     `json:"size"`    // picks
	Scored   int     `json:"scored"`  // slices that went through a network
	Passes   int     `json:"passes"`  // of one slice each
	Seconds  float64 `json:"seconds"` // median
}

// strategies returns those that read no hidden masks: what stands alone, each score, and each score with stochastic batches.
func strategies() (names []string) {
	for _, s := range query.List() {
		switch s.Kind {
		case query.KindStrategy:
			names = append(names, s.Name)
		case query.KindScore:
			names = append(names, s.Name, s.Name+"+sb")
		}
	}
	return names
}

// queries measures a query by each strategy: a tenth of the images, at most 10.
func queries(ctx context.Context, net *unet.Net, o Options, images [][]float32) ([]Query, error) {
	var result []Query
	for _, name := range strategies() {
		spec, err := query.Parse(name)
		if err != nil {
			return nil, err
		}
		if spec.UsesHiddenMasks() {
			continue
		}
		o.begin("query by " + name)
		n := scoring.Network{Net: net, H: o.Height, W: o.Width}
		if spec.Score.PredictedLoss {
			n.Module = unet.NewLossModule(o.NetWidth, random.Stream(1, "module"))
		}
		for range spec.Score.Members - 1 {
			n.Members = append(n.Members, net.State())
		}
		q := Query{Strategy: name, Pool: len(images), Size: min(10, (len(images)+9)/10)}
		run := func() error {
			q.Scored, q.Passes = 0, 0
			_, err := spec.Strategy.Select(poolOf(ctx, n, spec, images, &q), q.Size, random.Stream(1, "query"))
			return err
		}
		if q.Seconds, err = median(ctx, min(o.Rounds, 3), run); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		result = append(result, q)
	}
	return result, nil
}

// poolOf is what a strategy may ask of images, none of them labelled, by a network. It counts in q what is asked.
func poolOf(ctx context.Context, n scoring.Network, spec query.Spec, images [][]float32, q *Query) query.Pool {
	p := query.Pool{N: len(images), Positions: make([]query.Position, len(images))}
	for i := range p.Positions {
		p.Positions[i] = query.Position{Slice: i}
	}
	p.Score = func(items []int) ([]float64, error) {
		chosen, scores := make([][]float32, len(items)), make([]float64, len(items))
		for i, item := range items {
			chosen[i] = images[item]
		}
		q.Scored += len(items)
		q.Passes += len(items) * spec.Score.ForwardPasses()
		err := n.Score(ctx, spec.Score, chosen, random.Stream(1, "score"), func(i int, score float64) error {
			scores[i] = score
			return nil
		})
		return scores, err
	}
	p.Features = func() (of, labelled [][]float32, err error) {
		of = make([][]float32, len(images))
		q.Scored += len(images)
		q.Passes += len(images)
		err = n.Features(ctx, spec.Features(), images, func(i int, vector []float32) error {
			of[i] = vector
			return nil
		})
		return of, nil, err
	}
	return p
}

func writeQueries(w io.Writer, queries []Query) error {
	if len(queries) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nquery of %d of %d slices\tms\tscored\tpasses\t\n", queries[0].Size, queries[0].Pool)
	for _, q := range queries {
		fmt.Fprintf(t, "%s\t%.1f\t%d\t%d\t\n", q.Strategy, 1e3*q.Seconds, q.Scored, q.Passes)
	}
	return t.Flush()
}
