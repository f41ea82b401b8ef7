package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train/recipe"
)

// Config is how a network is trained.
type Config = recipe.Config

// Set is what one training sees: slices on the canvas, with their masks.
type Set struct {
	H, W    int
	Classes int
	Images  [][]float32 // [C H W] each, normalised; one channel in the paper
	Labels  [][]uint8   // [H W] each, class indices below Classes, or tensor.Ignore
	// Unannotated tells of each slice the classes, [Classes], that nobody has looked for in it: see tensor.Loss. nil for a slice, or
	// for all, is none.
	Unannotated [][]bool

	// Pseudo is how many slices at the end have pseudo-labels: every mini-batch is made of two halves, the larger one of the other slices, each
	// half of an endless chain of its own. With 0 there is one chain.
	Pseudo int
}

// Progress is the state of a training after a step.
type Progress struct {
	Step, Of int
	Loss     float64       // of the mini-batch
	Left     time.Duration // estimated from the steps so far
}

// Result is a trained network.
type Result struct {
	Net    *unet.Net
	Losses []float64 // of each step: the mean over its mini-batch

	// What RunLearningLoss trains beside the network.
	Module       *unet.LossModule
	ModuleLosses []float64 // of each step
}

// Run trains a network from scratch on data. Everything random comes from the named streams "init", "order", "augment"
// and "dropout" (and "pseudo-order") under seed: the same seed, engine and thread count give the same weights, bit for bit.
//
// progress may be nil; it is called after every step, from Run's goroutine. Run ends with ctx's error at the next step
// after ctx is done. A loss that is not finite is an error. It panics if data is empty or its slices differ in size.
func Run(ctx context.Context, e tensor.Engine, c Config, data Set, seed uint64, progress func(Progress)) (*Result, error) {
	return run(ctx, e, c, data, seed, nil, progress)
}

// RunLearningLoss is Run with a module that learns to predict the loss of a slice, from the network's features, by
// comparing the slices of each mini-batch in pairs: Batch must be 2 or more. The network is not that of Run: in the
// first part of the training the module's gradient reaches its encoder. The module starts from the stream "module".
func RunLearningLoss(ctx context.Context, e tensor.Engine, c Config, data Set, seed uint64, progress func(Progress)) (*Result, error) {
	if c.Batch < 2 {
		return nil, fmt.Errorf("learning loss compares the slices of a mini-batch: want batch 2 or more, got %d", c.Batch)
	}
	return run(ctx, e, c, data, seed, newModuleTraining(c, recipe.Hinge, 20./75, random.Stream(seed, "module")), progress)
}

// RunRanker is RunLearningLoss with a module that learns which of a pair has the larger loss, by unet.RankLoss, unless c.LearningLoss.Loss says another.
func RunRanker(ctx context.Context, e tensor.Engine, c Config, data Set, seed uint64, progress func(Progress)) (*Result, error) {
	if c.Batch < 2 {
		return nil, fmt.Errorf("a ranker compares the slices of a mini-batch: want batch 2 or more, got %d", c.Batch)
	}
	return run(ctx, e, c, data, seed, newModuleTraining(c, recipe.RankNet, 120./200, random.Stream(seed, "module")), progress)
}

func run(ctx context.Context, e tensor.Engine, c Config, data Set, seed uint64, m *moduleTraining, progress func(Progress)) (r *Result, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil { // what computes was ended because of it
			err = ctx.Err()
		}
	}()
	defer tensor.Catch(&err)
	data.demandShape("Run")
	defer unet.Watch(ctx, e)()
	net := unet.New(e, unet.Config{Classes: data.Classes, Width: c.Width, Dropout: c.Dropout, Sigmoid: c.Loss.Kind == recipe.Sigmoid, Channels: data.channels()}, random.Stream(seed, "init"))
	if c.Deep {
		net.NewDeep(random.Stream(seed, "deep"))
	}
	trainer := unet.NewTrainer(net, lossOp(c.Loss), c.WeightDecay)
	dropout := random.Stream(seed, "dropout")
	feed := newFeed(c, data, seed, e.Threads())
	next, stop := feed.next, func() {}
	if net.Remote() { // what computes is not this processor, which is free to prepare
		next, stop = feed.ahead(c.Steps)
	}
	defer stop()

	items := make([]float32, c.Batch)
	r = &Result{Net: net, Losses: make([]float64, 0, c.Steps)}
	var through func(unet.Features) (unet.Features, error)
	if m != nil {
		r.Module = m.module
		through = func(f unet.Features) (unet.Features, error) {
			step := len(r.Losses)
			loss, df, err := m.gradient(f, items, step, c.Steps)
			if err == nil {
				r.ModuleLosses = append(r.ModuleLosses, loss)
				m.sgd.Step(c.LearningLoss.LearningRate)
			}
			return df, err
		}
	}
	begin := time.Now()
	for step := range c.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := next()
		batch.Seed, batch.LR = dropout.Uint64(), c.LearningRate.At(step, c.Steps)
		if err := trainer.Step(items, batch, through); err != nil {
			return nil, err
		}

		mean := mean(items)
		if math.IsNaN(mean) || math.IsInf(mean, 0) {
			return nil, fmt.Errorf("the loss became %v in step %d of %d: lower learning-rate.peak (now %v)", mean, step+1, c.Steps, c.LearningRate.Peak)
		}
		r.Losses = append(r.Losses, mean)
		if progress != nil {
			perStep := time.Since(begin) / time.Duration(step+1)
			progress(Progress{Step: step + 1, Of: c.Steps, Loss: mean, Left: perStep * time.Duration(c.Steps-step-1)})
		}
	}
	for _, v := range net.State() { // here, where a failure is caught; no loss has told of the last step
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("a weight became %v in the last of %d steps: lower learning-rate.peak (now %v)", v, c.Steps, c.LearningRate.Peak)
		}
	}
	return r, nil
}

// lossOp returns the engine's operation for a loss.
func lossOp(l recipe.Loss) tensor.Loss {
	op := tensor.Loss{CE: float32(l.CrossEntropy), Dice: float32(l.Dice), Smooth: float32(l.Smooth), Sigmoid: l.Kind == recipe.Sigmoid}
	for _, w := range l.ClassWeights {
		op.Classes = append(op.Classes, float32(w))
	}
	return op
}

func mean(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(len(values))
}
