package bench

import (
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
)

// network returns a network of two classes, a width and a number of input channels.
func network(e tensor.Engine, width, channels int) *unet.Net {
	return unet.New(e, unet.Config{Classes: 2, Width: width, Channels: channels, Dropout: 0.5}, random.Stream(1, "init"))
}

func noise(s tensor.Shape, rng *rand.Rand) tensor.Tensor {
	x := tensor.New(s)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return x
}

// TrainingStep returns a function that carries out a training step, with dropout and Adam, of a network of a width on
// random images [N H W C]; with deep supervision if asked for.
func TrainingStep(e tensor.Engine, width int, s tensor.Shape, deep bool) func() {
	net, rng := network(e, width, s.C), random.Stream(1, "input")
	if deep {
		net.NewDeep(random.Stream(1, "deep"))
	}
	x, target := noise(s, rng), make([]uint8, s.Pixels())
	for i := range target {
		target[i] = uint8(rng.IntN(2))
	}
	trainer := unet.NewTrainer(net, tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1e-9}, 1e-4)
	items := make([]float32, s.N)
	seed := uint64(0)
	return func() {
		seed++
		_ = trainer.Step(items, unet.Batch{X: x, Target: target, Seed: seed, LR: 1e-4}, nil) // without a module there is no error
	}
}

// Inference returns a function that computes the class probabilities of random images [N H W C] by a network of a width.
func Inference(e tensor.Engine, width int, s tensor.Shape) func() {
	net, x := network(e, width, s.C), noise(s, random.Stream(1, "input"))
	var p tensor.Tensor
	return func() {
		logits := net.Forward(x, unet.Pass{})
		p.Resize(logits.Shape)
		e.Softmax(p, logits)
	}
}
