package vae

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

func TestKL(t *testing.T) {
	for _, c := range []struct{ mean, logs, want float64 }{{1, 0, 0.5}, {0, math.Log(4), 0.806853}, {0, 0, 0}} {
		if got := KL(c.mean, c.logs); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("mean %v, ln variance %v: %v, want %v", c.mean, c.logs, got, c.want)
		}
	}
}

func images(n, h, w, channels int) tensor.Tensor {
	x, rng := tensor.New(tensor.Shape{N: n, H: h, W: w, C: channels}), random.Stream(4, "images")
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return x
}

// Discriminator: gradients by its input and weights, and 2 ln 2 where it says nothing.
func TestDiscriminator(t *testing.T) {
	d := NewDiscriminator(3, random.Stream(1))
	x, weights, targets := make([]float32, 12), []float32{0.5, 0.5, 0.5, 0.5}, []float32{1, 1, 0, 0}
	for i := range x {
		x[i] = float32(random.Stream(2, i).NormFloat64())
	}
	loss := func() float64 {
		d.Forward(x)
		return d.Loss(weights, targets)
	}
	loss0 := loss()
	dw := slices.Clone(d.params.Grad)
	clear(d.params.Grad)
	value, dx := d.LossOfInput(weights, targets)
	if dx = slices.Clone(dx); value != loss0 || slices.ContainsFunc(d.params.Grad, func(g float32) bool { return g != 0 }) {
		t.Errorf("by the input the loss is %v, want %v; or a gradient of the weights was touched", value, loss0)
	}
	for _, c := range []struct {
		values, gradient []float32
	}{{x, dx}, {d.params.Weights, dw}} {
		for i := 0; i < len(c.values); i += 1 + len(c.values)/40 {
			old := c.values[i]
			c.values[i] = old + 1e-2
			up := loss()
			c.values[i] = old - 1e-2
			down := loss()
			c.values[i] = old
			if slope := (up - down) / 2e-2; math.Abs(slope-float64(c.gradient[i])) > 2e-3 {
				t.Errorf("value %d: gradient %v, slope %v", i, c.gradient[i], slope)
			}
		}
	}
	last := d.params.Named()["linear3.weight"]
	clear(last.Data)
	clear(d.params.Named()["linear3.bias"].Data)
	if got := loss(); math.Abs(got-2*math.Ln2) > 1e-6 {
		t.Errorf("a blind discriminator has the loss %v, want 2 ln 2", got)
	}
	for _, x := range []float64{-800, 800} {
		if l, dl := BCE(x, 1); math.IsNaN(l) || math.IsInf(l, 0) || math.IsNaN(dl) {
			t.Errorf("logit %v: %v, %v", x, l, dl)
		}
	}
}

// At the query an image's μ does not depend on the others; with the batch's statistics it would.
func TestEncodeAlone(t *testing.T) {
	n := New(ref.New(1), Config{H: 16, W: 32, Channels: 1, Width: 4, Latent: 3}, random.Stream(1))
	x := images(5, 16, 32, 1)
	for _, train := range []bool{false, true} {
		all := slices.Clone(n.Encode(x, train))
		alone := n.Encode(x.Items(4, 5), train)
		if slices.Equal(all[12:], alone) == train {
			t.Errorf("train %v: the last of five has μ %v, alone %v", train, all[12:], alone)
		}
	}
}

func TestReduce(t *testing.T) {
	for _, c := range []struct{ h, w, rows, columns int }{{64, 64, 64, 64}, {128, 128, 64, 64}, {100, 60, 64, 32}, {17, 5, 32, 16}, {65, 64, 32, 32}} {
		if r, w := ReducedSize(c.h, c.w); r != c.rows || w != c.columns {
			t.Errorf("%d × %d becomes %d × %d, want %d × %d", c.h, c.w, r, w, c.rows, c.columns)
		}
	}
	image := make([]float32, 2*100*60) // two channels, averaged over 2×2
	for i := range image {
		image[i] = float32(i / 6000 * 1000)
		image[i] += float32(i % 6000 / 60)
	}
	dst := slices.Repeat([]float32{9}, 64*32*2)
	Reduce(dst, image, 2, 100, 60)
	if dst[0] != 0.5 || dst[1] != 1000.5 || dst[(3*32+7)*2] != 6.5 || dst[(49*32+29)*2+1] != 1098.5 || dst[30*2] != 0 || dst[50*32*2] != 0 {
		t.Errorf("reduced: %v %v %v %v, beyond %v %v", dst[0], dst[1], dst[(3*32+7)*2], dst[(49*32+29)*2+1], dst[30*2], dst[50*32*2])
	}
}

// Further numbers that the decoder gives no weight, and that are 0, change nothing; with a weight they reach the reconstruction, and no gradient comes back by them.
func TestMore(t *testing.T) {
	plain := New(ref.New(1), Config{H: 16, W: 16, Channels: 1, Width: 2, Latent: 3}, random.Stream(1))
	more := New(ref.New(1), Config{H: 16, W: 16, Channels: 1, Width: 2, Latent: 3, More: 1}, random.Stream(2))
	from, to := plain.Params().Named(), more.Params().Named()
	for name, p := range to {
		data := from[name].Data
		if name == "first.weight" { // inputs by outputs
			clear(p.Data)
			copy(p.Data, data)
			continue
		}
		copy(p.Data, data)
	}
	more.Params().Changed()
	x, noise, weights := images(4, 16, 16, 1), make([]float32, 12), []float32{0.5, 0.5, 0.5, 0.5}
	for i := range noise {
		noise[i] = float32(i%5) - 2
	}
	a := slices.Clone(plain.Forward(x, noise, nil).Data)
	ra, ka := plain.Loss(weights, 1, make([]float32, 12))
	gradient := slices.Clone(from["enc1.conv1.weight"].Grad)
	b := slices.Clone(more.Forward(x, noise, []float32{0, 0, 0, 0}).Data)
	rb, kb := more.Loss(weights, 1, make([]float32, 12))
	if !slices.Equal(a, b) || ra != rb || ka != kb || !slices.Equal(gradient, to["enc1.conv1.weight"].Grad) {
		t.Error("a number that is 0 and has no weight changes the autoencoder")
	}
	w := to["first.weight"].Data
	for i := len(from["first.weight"].Data); i < len(w); i++ {
		w[i] = 0.5
	}
	more.Params().Changed()
	c := slices.Clone(more.Forward(x, noise, []float32{0, 0, 3, 0}).Data)
	if slices.Equal(b, c) {
		t.Error("a number with a weight changes nothing")
	}
	if !slices.Equal(more.Mean(), plain.Mean()) {
		t.Error("the encoder sees the further numbers")
	}
}
