package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/unet"
)

// Set is what one training sees: slices on the canvas, with their masks.
type Set struct {
	H, W    int
	Classes int
	Images  [][]float32 // [H W] each, normalised
	Labels  [][]uint8   // [H W] each, class indices below Classes
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
}

// Run trains a network from scratch on data. Everything random comes from the named streams "init", "order", "augment"
// and "dropout" under seed: the same seed, engine and thread count give the same weights, bit for bit.
//
// progress may be nil; it is called after every step, from Run's goroutine. Run ends with ctx's error at the next step
// after ctx is done. A loss that is not finite is an error. It panics if data is empty or its slices differ in size.
func Run(ctx context.Context, e tensor.Engine, c Config, data Set, seed uint64, progress func(Progress)) (r *Result, err error) {
	defer tensor.Catch(&err)
	data.demandShape("Run")
	net := unet.New(e, unet.Config{Classes: data.Classes, Width: c.Width, Dropout: c.Dropout}, random.Stream(seed, "init"))
	adam := nn.NewAdam(net.Params(), c.WeightDecay)
	loss := c.Loss.op()
	dropout := random.Stream(seed, "dropout")
	feed := newFeed(c, data, seed)

	var dlogits tensor.Tensor
	items := make([]float32, c.Batch)
	r = &Result{Net: net, Losses: make([]float64, 0, c.Steps)}
	begin := time.Now()
	for step := range c.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, target := feed.next()
		logits := net.Forward(x, unet.Pass{Train: true, Dropout: true, Seed: dropout.Uint64()})
		dlogits.Resize(logits.Shape)
		e.Loss(loss, dlogits, items, logits, target)
		net.Backward(dlogits)
		adam.Step(e, c.LearningRate.At(step, c.Steps))

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
	return r, nil
}

func (l Loss) op() tensor.Loss {
	op := tensor.Loss{CE: float32(l.CrossEntropy), Dice: float32(l.Dice), Smooth: float32(l.Smooth), Sigmoid: l.Kind == Sigmoid}
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
