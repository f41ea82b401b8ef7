package unet_test

import (
	"fmt"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// A network learns to find a bright square.
func Example() {
	e := ref.New(1)
	net := unet.New(e, unet.Config{Classes: 2, Width: 4, Dropout: 0.1}, random.Stream(1, "init"))
	adam := nn.NewAdam(net.Params(), 1e-4)
	loss := tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1}

	x, target := tensor.New(tensor.Shape{N: 1, H: 16, W: 16, C: 1}), make([]uint8, 16*16)
	noise := random.Stream(1, "noise")
	for i := range target {
		x.Data[i] = float32(noise.NormFloat64()) / 2
		if h, w := i/16, i%16; h >= 4 && h < 10 && w >= 5 && w < 12 {
			x.Data[i]++
			target[i] = 1
		}
	}

	var dlogits tensor.Tensor
	item := make([]float32, 1)
	for step := range 100 {
		logits := net.Forward(x, unet.Pass{Train: true, Dropout: true, Seed: uint64(step)})
		dlogits.Resize(logits.Shape)
		e.Loss(loss, dlogits, item, logits, target)
		net.Backward(dlogits)
		adam.Step(e, 0.003)
	}

	logits := net.Forward(x, unet.Pass{})
	right := 0
	for i, t := range target {
		if (logits.Data[2*i+1] > logits.Data[2*i]) == (t == 1) {
			right++
		}
	}
	fmt.Println("more than 95 % of the pixels:", right > 243)
	// Output: more than 95 % of the pixels: true
}
