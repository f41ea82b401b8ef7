package vae

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// double is the pass of an autoencoder and its discriminator in float64, by the kernels of the plain engine, for differences so
// small that hardly any window or rectifier changes sides.
type double struct {
	kernels ref.Kernels[float64]
	weights map[string][]float64 // of both, by name
}

func newDouble(params ...*nn.Params) double {
	d := double{ref.Kernels[float64]{}, map[string][]float64{}}
	for _, p := range params {
		for _, w := range p.List {
			d.weights[w.Name] = wide(w.Data)
		}
	}
	return d
}

func wide(s []float32) []float64 {
	w := make([]float64, len(s))
	for i, v := range s {
		w[i] = float64(v)
	}
	return w
}

// block is convolution, normalisation by the batch's statistics and LeakyReLU.
func (d double) block(prefix string, x ref.Tensor[float64]) ref.Tensor[float64] {
	conv, norm := prefix+".conv1", prefix+".norm1"
	out := len(d.weights[conv+".bias"])
	s := x.Shape
	s.C = out
	y := ref.New64(s)
	d.kernels.Conv(tensor.Conv{K: 3}, y, x, d.weights[conv+".weight"], d.weights[conv+".bias"])
	op := ref.Norm[float64]{
		Eps: nn.Eps, Slope: nn.Slope, Gamma: d.weights[norm+".weight"], Beta: d.weights[norm+".bias"],
		Mean: make([]float64, out), Variance: make([]float64, out),
	}
	d.kernels.Norm(op, y, y)
	return y
}

// dense maps vectors [N 1 1 I] to vectors [N 1 1 O].
func (d double) dense(name string, x ref.Tensor[float64]) ref.Tensor[float64] {
	y := ref.New64(tensor.Shape{N: x.N, H: x.H, W: x.W, C: len(d.weights[name+".bias"])})
	d.kernels.Conv(tensor.Conv{K: 1}, y, x, d.weights[name+".weight"], d.weights[name+".bias"])
	return y
}

// critic returns the logits of x, linear layers having their weights as outputs by inputs.
func (d double) critic(x ref.Tensor[float64]) []float64 {
	in := x.Data
	for _, name := range []string{"linear1", "linear2", "linear3"} {
		w, b := d.weights[name+".weight"], d.weights[name+".bias"]
		width := len(w) / len(b)
		var out []float64
		for ; len(in) > 0; in = in[width:] {
			for o, sum := range b {
				for j, v := range in[:width] {
					sum += w[o*width+j] * v
				}
				if name != "linear3" {
					sum = max(sum, 0)
				}
				out = append(out, sum)
			}
		}
		in = out
	}
	return in
}

// loss is Σ weights·(R + β·KL/P + λ·the discriminator's loss with every image called labelled).
func (d double) loss(x ref.Tensor[float64], noise []float64, weights []float32, beta, lambda float64) (loss float64) {
	flat := func(t ref.Tensor[float64]) ref.Tensor[float64] {
		size := t.H * t.W * t.C
		return ref.Tensor[float64]{Shape: tensor.Shape{N: t.N, H: 1, W: 1, C: size}, Stride: size, Data: t.Data}
	}
	in := x
	for _, name := range []string{"enc1", "enc2", "enc3", "enc4"} {
		full := d.block(name, in)
		in = ref.New64(tensor.Shape{N: full.N, H: full.H / 2, W: full.W / 2, C: full.C})
		d.kernels.MaxPool(tensor.Pool{}, in, make([]uint8, in.Len()), full)
	}
	shape := in.Shape
	mean, logs := d.dense("mean", flat(in)), d.dense("logs", flat(in))
	z := ref.New64(mean.Shape)
	for i, m := range mean.Data {
		z.Data[i] = m + math.Exp(logs.Data[i]/2)*noise[i]
	}
	y := ref.Tensor[float64]{Shape: shape, Stride: shape.C, Data: d.dense("first", z).Data}
	for _, n := range []string{"1", "2", "3", "4"} {
		up := ref.New64(tensor.Shape{N: y.N, H: 2 * y.H, W: 2 * y.W, C: y.C / 2})
		d.kernels.Up(up, y, d.weights["up"+n+".weight"], d.weights["up"+n+".bias"])
		y = d.block("dec"+n, up)
	}
	y = d.dense("out", y)
	pixels := float64(x.H * x.W * x.C)
	for i, v := range y.Data {
		loss += float64(weights[i/int(pixels)]) * (v - x.Data[i]) * (v - x.Data[i]) / pixels
	}
	for i, m := range mean.Data {
		l := logs.Data[i]
		loss += float64(weights[i/mean.C]) * beta / pixels * (m*m + math.Exp(l) - l - 1) / 2
	}
	for i, logit := range d.critic(mean) {
		loss += float64(weights[i]) * lambda * math.Log1p(math.Exp(-logit))
	}
	return loss
}

// The gradients of the whole loss by some twenty weights of each layer of the autoencoder, through the discriminator, against central differences in float64. The
// discriminator's gradients stay as they are.
func TestGradient(t *testing.T) {
	for _, channels := range []int{1, 2} {
		const batch, beta, lambda = 8, 40, 0.7 // so that each term counts
		n := New(ref.New(1), Config{H: 16, W: 16, Channels: channels, Width: 2, Latent: 2}, random.Stream(1))
		critic := NewDiscriminator(2, random.Stream(2))
		x := images(batch, 16, 16, channels)
		noise, weights, ones := make([]float32, 2*batch), make([]float32, batch), slices.Repeat([]float32{1}, batch)
		for i := range noise {
			noise[i] = float32(random.Stream(3, i).NormFloat64())
			weights[i/2] = []float32{0.2, 0.05}[i%4/2]
		}
		n.Forward(x, noise, nil)
		critic.Forward(n.Mean())
		fooled, dmean := critic.LossOfInput(weights, ones)
		for i := range dmean {
			dmean[i] *= lambda
		}
		r, kl := n.Loss(weights, beta, dmean)
		if slices.ContainsFunc(critic.Params().Grad, func(g float32) bool { return g != 0 }) {
			t.Error("a gradient of the discriminator's weights was touched")
		}

		d := newDouble(n.Params(), critic.Params())
		x64 := ref.Tensor[float64]{Shape: x.Shape, Stride: x.C, Data: wide(x.Data)}
		loss := func() float64 { return d.loss(x64, wide(noise), weights, beta, lambda) }
		if got, want := r+beta*kl/float64(256*channels)+lambda*fooled, loss(); math.Abs(got-want) > 1e-6*want {
			t.Errorf("%d channels: loss %v, in float64 %v", channels, got, want)
		}
		for _, p := range n.Params().List {
			if strings.Contains(p.Name, ".conv") && strings.HasSuffix(p.Name, ".bias") {
				continue // which batch normalisation takes away
			}
			w, wrong, all := d.weights[p.Name], 0.0, 0.0
			for i := 0; i < len(w); i += 1 + len(w)/20 {
				const step = 1e-5
				old := w[i]
				w[i] = old + step
				up := loss()
				w[i] = old - step
				down := loss()
				w[i] = old
				slope := (up - down) / (2 * step)
				wrong, all = wrong+math.Abs(slope-float64(p.Grad[i])), all+math.Abs(slope)
			}
			if wrong > 1e-5*all {
				t.Errorf("%d channels, %s: gradients and slopes differ by %.3g of %.3g", channels, p.Name, wrong, all)
			}
		}
	}
}
