package bench

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"github.com/nextslice/nextslice/internal/peak"
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
	PeakMB   float64 `json:"peak_mb"` // largest memory of the process meanwhile; 0 where the system does not tell
	// Training is what an autoencoder and a discriminator of the strategy's steps take, by those of a few; 0 without.
	Training float64 `json:"training_seconds,omitempty"`
}

// strategies returns those that read no hidden masks: what stands alone, each score, and each score with stochastic batches.
func strategies() (names []string) {
	for _, s := range query.List() {
		switch s.Kind {
		case query.KindStrategy:
			names = append(names, s.Name)
			if s.Name == "batchbald" || s.Name == "clasp" { // their own forms of stochastic batches
				names = append(names, s.Name+map[string]string{"batchbald": "(draw=sb)", "clasp": "(noise=sb)"}[s.Name])
			}
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
			var k *train.Critic
			seconds, err := median(ctx, 1, func() (err error) {
				k, err = train.RunVAAL(ctx, e, train.VAAL{Steps: criticSteps, Ranks: ranks(spec, n)}, c.Labelled, images, o.Height, o.Width, 1, nil)
				return err
			})
			if err != nil {
				return nil, err
			}
			q.Training = seconds / criticSteps * float64(spec.Score.Critic.Steps)
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
		debug.FreeOSMemory() // what the strategy before has left
		peak.Reset()
		if q.Seconds, err = median(ctx, min(o.Rounds, 3), run); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		q.PeakMB = peak.Memory() / 1e6
		result = append(result, q)
	}
	return result, nil
}

// criticSteps are those by which the training of a critic is estimated.
const criticSteps = 20

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
	fmt.Fprintf(t, "\nquery of %d of %d slices\tms\tscored\tpasses\tpeak MB\ttraining of its own, s\t\n", queries[0].Size, queries[0].Pool)
	for _, q := range queries {
		own := ""
		if q.Training > 0 {
			own = fmt.Sprintf("%.0f", q.Training)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%d\t%d\t%.0f\t%s\t\n", q.Strategy, 1e3*q.Seconds, q.Scored, q.Passes, q.PeakMB, own)
	}
	return t.Flush()
}
