package bench

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
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
	"github.com/nextslice/nextslice/train/recipe"
)

// Query is one question of a strategy: which slices of a pool to label next. Trainings are no part of it.
type Query struct {
	Strategy string  `json:"strategy"`
	Pool     int     `json:"pool"`            // slices
	Size     int     `json:"size"`            // picks
	Scored   int     `json:"scored"`          // slices that went through a network, for pseudo-labels and copies once more
	Passes   int     `json:"passes"`          // of one slice each
	Seconds  float64 `json:"seconds"`         // median
	Picking  float64 `json:"picking_seconds"` // of these, what the network has no part in: the strategy's own work
	PeakMB   float64 `json:"peak_mb"`         // largest memory of the process meanwhile, a training of the strategy's own included; 0 where the system does not tell
	// Training is what an autoencoder, and a discriminator, of the strategy's steps take, by the median of a few; 0 without.
	Training float64 `json:"training_seconds,omitempty"`
}

// Training is what a training of a network takes, by the median of a few of its steps.
type Training struct {
	Preset  string  `json:"preset"`
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"`
}

// strategies returns all: what stands alone, with further forms whose cost is another, each selector that brings no score with the entropy, each score, and each score with
// stochastic batches.
func strategies() (names []string) {
	forms := map[string]string{"batchbald": "(draw=sb)", "clasp": "(noise=sb)", "typiclust": "(features=vae)"}
	for _, s := range query.List() {
		switch s.Kind {
		case query.KindStrategy:
			names = append(names, s.Name)
			if form := forms[s.Name]; form != "" {
				names = append(names, s.Name+form)
			}
		case query.KindSelector:
			name := s.Name
			if _, err := query.Parse(name); err != nil {
				name = "entropy+" + name
			}
			if name != "entropy+sb" && name != "entropy+top" { // which the scores have
				names = append(names, name)
			}
		case query.KindScore:
			names = append(names, s.Name, s.Name+"+sb")
		}
	}
	return names
}

// measuredSteps are those by which a training is estimated.
const measuredSteps = 30

// estimate returns how long so many steps take: by the median of a few, which run carries out and tells of.
func estimate(steps int, run func(few int, progress func(train.Progress)) error) (float64, error) {
	var took []float64
	var last time.Time
	err := run(measuredSteps, func(p train.Progress) {
		if now := time.Now(); p.Step > 1 { // the first one makes buffers
			took, last = append(took, now.Sub(last).Seconds()), now
		} else {
			last = now
		}
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(took)
	return took[len(took)/2] * float64(steps), nil
}

// training measures one of the preset quick, on slices of the bench's size and one channel.
func training(ctx context.Context, e tensor.Engine, o Options) (t Training, err error) {
	preset, err := recipe.FindPreset("quick")
	if err != nil {
		return t, err
	}
	o.begin("training of preset " + preset.Name)
	image := tensor.Shape{N: 1, H: o.Height, W: o.Width, C: 1}
	set, rng := train.Set{H: o.Height, W: o.Width, Classes: 2}, random.Stream(1, "training")
	for range 10 {
		mask := make([]uint8, o.Height*o.Width)
		for i := range mask {
			mask[i] = uint8(rng.IntN(2))
		}
		set.Images, set.Labels = append(set.Images, noise(image, rng).Data), append(set.Labels, mask)
	}
	t.Preset, t.Steps = preset.Name, preset.Train.Steps
	t.Seconds, err = estimate(t.Steps, func(few int, progress func(train.Progress)) error {
		c := preset.Train
		c.Steps = few
		_, err := train.Run(ctx, e, c, set, 1, progress)
		return err
	})
	return t, err
}

// queries measures a query by each strategy: of a tenth of the images, at most 10, where as many are labelled.
func queries(ctx context.Context, e tensor.Engine, net *unet.Net, o Options, images [][]float32) ([]Query, error) {
	var result []Query
	preset, err := recipe.FindPreset("quick")
	if err != nil {
		return nil, err
	}
	for _, name := range strategies() {
		spec, err := query.Parse(name)
		if err != nil {
			return nil, err
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
			c.HiddenForeground = append(c.HiddenForeground, i%3 > 0)
		}
		debug.FreeOSMemory() // what the strategy before has left
		peak.Reset()
		if how := spec.Score.Critic; how.Steps > 0 {
			var k *train.Critic
			q.Training, err = estimate(how.Steps, func(few int, progress func(train.Progress)) (err error) {
				v := train.VAAL{Steps: few, Adversarial: how.Adversarial, Augment: preset.Train.Augment, Ranks: ranks(spec, n)}
				k, err = train.RunVAAL(ctx, e, v, c.Labelled, images, o.Height, o.Width, 1, progress)
				return err
			})
			if err != nil {
				return nil, err
			}
			c.Critic = func(context.Context) (func(context.Context, [][]float32) ([]float64, error), error) {
				return k.Scores, nil
			}
		}
		if needs := spec.Strategy.Needs(); needs.Features == query.Latent {
			var k *train.Autoencoder
			q.Training, err = estimate(needs.Steps, func(few int, progress func(train.Progress)) (err error) {
				k, err = train.RunAutoencoder(ctx, e, few, preset.Train.Augment, images, o.Height, o.Width, 1, progress)
				return err
			})
			if err != nil {
				return nil, err
			}
			c.Latent = func(context.Context) (func(context.Context, [][]float32) ([][]float32, error), error) {
				return k.Means, nil
			}
		}
		var inside time.Duration // the network
		c.Spent = func(slices, passes int, took time.Duration) {
			q.Scored, q.Passes, inside = q.Scored+slices, q.Passes+passes, inside+took
		}
		var picking []float64
		run := func() error {
			q.Scored, q.Passes, inside = 0, 0, 0
			c.Random = random.Stream(1, "score")
			begin := time.Now()
			picks, err := spec.Strategy.Select(n.Pool(ctx, spec, c), q.Size, random.Stream(1, "query"))
			if err == nil {
				err = review(ctx, n, spec, c, picks.Items)
			}
			picking = append(picking, (time.Since(begin) - inside).Seconds())
			return err
		}
		if q.Seconds, err = median(ctx, min(o.Rounds, 3), run); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		slices.Sort(picking)
		q.Picking, q.PeakMB = picking[len(picking)/2], peak.Memory()/1e6
		result = append(result, q)
	}
	return result, nil
}

// review lets the network see slices again behind the picks, as far as the next training asks for that: all others for pseudo-labels, picks and labelled ones for copies.
func review(ctx context.Context, n model.Network, s query.Spec, c model.Candidates, picks []int) (err error) {
	begin := time.Now()
	var some [][]float32
	passes := 1
	switch {
	case s.Training.Pseudo.Of != "":
		for i, image := range c.Images {
			if !slices.Contains(picks, i) {
				some = append(some, image)
			}
		}
		_, err = n.PseudoMasks(ctx, some, s.Training.Pseudo, 0)
	case s.Training.Copies != "":
		for _, i := range picks {
			some = append(some, c.Images[i])
		}
		some, passes = append(some, c.Labelled...), s.Score.ForwardPasses()
		var u []float64
		if u, err = n.Score(ctx, some, s.Score, c.Random); err == nil {
			query.CopiesOf(s, len(picks), u)
		}
	default:
		return nil
	}
	c.Spent(len(some), passes*len(some), time.Since(begin))
	return err
}

// ranks returns what a critic knows beside the slice.
func ranks(s query.Spec, n model.Network) func(context.Context, [][]float32) ([]float64, error) {
	if !s.Score.Critic.Ranked {
		return nil
	}
	return n.Ranks
}

func writeQueries(w io.Writer, queries []Query, other Training) error {
	if len(queries) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nquery of %d of %d slices\tms\tpicking, ms\tscored\tpasses\tpeak MB\ttraining of its own, s\tof %s\t\n", queries[0].Size, queries[0].Pool, other.Preset)
	for _, q := range queries {
		own, share := "", ""
		if q.Training > 0 {
			own, share = fmt.Sprintf("%.1f", q.Training), fmt.Sprintf("%.2f", q.Training/other.Seconds)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%d\t%d\t%.0f\t%s\t%s\t\n", q.Strategy, 1e3*q.Seconds, 1e3*q.Picking, q.Scored, q.Passes, q.PeakMB, own, share)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\na training of preset %s, %d steps: %.1f s\n", other.Preset, other.Steps, other.Seconds)
	return err
}
