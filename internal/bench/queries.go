package bench

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
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

// queries measures a query by each strategy: of a tenth of the images, at most 10, where as many are labelled.
func queries(ctx context.Context, e tensor.Engine, net *unet.Net, o Options, images [][]float32) ([]Query, error) {
	var result []Query
	for _, name := range strategies() {
		spec, err := query.Parse(name)
		if err != nil {
			return nil, err
		}
		if spec.Strategy.Needs().HiddenForeground {
			continue
		}
		o.begin("query by " + name)
		n := model.Network{Net: net, Preprocess: preprocess.Config{Height: o.Height, Width: o.Width}}
		if spec.Score.TrainsModule() {
			n.Module = unet.NewLossModule(o.NetWidth, random.Stream(1, "module"))
		}
		for range spec.Score.Members - 1 {
			n.Members = append(n.Members, net.State())
		}
		q := Query{Strategy: name, Pool: len(images), Size: min(10, (len(images)+9)/10)}
		c := model.Candidates{Images: images, Labelled: images[:q.Size], Masks: make([][]uint8, q.Size), Positions: make([]query.Position, len(images)), Queries: 1}
		for i := range c.Positions {
			c.Positions[i].Slice = i
		}
		if spec.Score.Critic.Steps > 0 {
			k, err := train.RunVAAL(ctx, e, train.VAAL{Steps: 1, Ranks: ranks(spec, n)}, c.Labelled, images, o.Height, o.Width, 1, nil)
			if err != nil {
				return nil, err
			}
			c.Critic = func(context.Context) (func(context.Context, [][]float32) ([]float64, error), error) {
				return k.Scores, nil
			}
		}
		c.Spent = func(slices, passes int, _ time.Duration) { q.Scored, q.Passes = q.Scored+slices, q.Passes+passes }
		run := func() error {
			q.Scored, q.Passes = 0, 0
			c.Random = random.Stream(1, "score")
			_, err := spec.Strategy.Select(n.Pool(ctx, spec, c), q.Size, random.Stream(1, "query"))
			return err
		}
		if q.Seconds, err = median(ctx, min(o.Rounds, 3), run); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		result = append(result, q)
	}
	return result, nil
}

// ranks returns what a critic knows beside the slice.
func ranks(s query.Spec, n model.Network) func(context.Context, [][]float32) ([]float64, error) {
	if !s.Score.Critic.Ranked {
		return nil
	}
	return n.Ranks
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
