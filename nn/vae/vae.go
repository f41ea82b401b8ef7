// Package vae has a variational autoencoder of images and the discriminator that VAAL trains beside it.
//
// Source: Sinha, Ebrahimi, Darrell 2019, "Variational adversarial active learning", ICCV, arXiv 1904.00370, and the code published with it.
// Differs from these: one channel or a few of up to 64×64 pixels in place of 32×32 colours, an eighth of the filters, convolution and pooling in
// place of strides, LeakyReLU 0.01.
//
//	encoder  4 × (block → max pool 2), of w, 2w, 4w, 8w channels
//	μ, ln σ² linear, d numbers each; ln σ² clamped to [-10, 10]
//	z        μ + e^(ln σ²/2)·noise
//	decoder  linear d → 8w channels; 4 × (up → block), of 4w, 2w, w, w/2 channels; a linear output
//	D        d → 128 → 128 → 1, ReLU between; a logit, above 0 for labelled
package vae

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/tensor"
)

// levels is the number of poolings; sides are multiples of 2^levels.
const levels = 4

// logBound bounds ln σ².
const logBound = 10

// Config is the architecture.
type Config struct {
	H, W     int // of the images; multiples of 16
	Channels int
	Width    int // channels after the first block, even; 16
	Latent   int // d; 32
	More     int // numbers beside z that the decoder gets of each image; 0, or 1 with a rank
}

// Net is an autoencoder with its weights and the buffers of its last pass. It is used by one goroutine at a time.
type Net struct {
	config Config
	engine tensor.Engine
	params nn.Params

	enc        [levels]*nn.Block
	mean, logs *nn.Head
	first      *nn.Head
	up         [levels]*nn.Up
	dec        [levels]*nn.Block
	out        *nn.Head

	x         tensor.Tensor
	p, de     [levels]tensor.Tensor // outputs of the encoder's poolings and of the decoder's blocks
	argmax    [levels][]uint8
	u         [levels]tensor.Tensor // outputs of the transposed convolutions
	mu, lg, z tensor.Tensor
	seed      tensor.Tensor // the decoder's input
	noise     []float32     // [N d]
	y, dy     tensor.Tensor
	dmu, dlg  tensor.Tensor
	dflat, dz tensor.Tensor
	rest      tensor.Tensor
}

// New returns a net with random weights (see nn.Params.Alloc). It panics if c does not fit.
func New(e tensor.Engine, c Config, rng *rand.Rand) *Net {
	if c.H < 16 || c.W < 16 || c.H%16 != 0 || c.W%16 != 0 || c.Channels < 1 || c.Width < 2 || c.Width%2 != 0 || c.Latent < 1 || c.More < 0 {
		panic(fmt.Sprintf("vae: New: %+v", c))
	}
	n := &Net{config: c, engine: e}
	p, in := &n.params, c.Channels
	for level := range levels {
		n.enc[level] = nn.NewBlock(p, fmt.Sprint("enc", level+1), "1", in, c.Width<<level)
		in = c.Width << level
	}
	flat := n.flat()
	n.mean, n.logs = nn.NewHead(p, "mean", flat, c.Latent), nn.NewHead(p, "logs", flat, c.Latent)
	n.first = nn.NewHead(p, "first", c.Latent+c.More, flat)
	for level := range levels {
		n.up[level] = nn.NewUp(p, fmt.Sprint("up", level+1), in, in/2)
		n.dec[level] = nn.NewBlock(p, fmt.Sprint("dec", level+1), "1", in/2, in/2)
		in /= 2
	}
	n.out = nn.NewHead(p, "out", in, c.Channels)
	p.Alloc(rng)
	return n
}

// flat returns the length of the vector between encoder and decoder.
func (n *Net) flat() int {
	return n.config.Width << (levels - 1) * (n.config.H >> levels) * (n.config.W >> levels)
}

// Config returns the architecture, Params the weights and their gradients.
func (n *Net) Config() Config     { return n.config }
func (n *Net) Params() *nn.Params { return &n.params }

// vector is t [N H W C], dense, as [N 1 1 H·W·C].
func vector(t tensor.Tensor) tensor.Tensor {
	size := t.H * t.W * t.C
	return tensor.Tensor{Shape: tensor.Shape{N: t.N, H: 1, W: 1, C: size}, Stride: size, Data: t.Data}
}

// Encode returns μ [N d] of images x [N H W C], valid until the next call. When train is set batch norm takes the batch's statistics, and x must stay as
// it is until Backward; else the running ones, so that an image's μ does not depend on the others.
func (n *Net) Encode(x tensor.Tensor, train bool) []float32 {
	n.x = x
	s := x.Shape
	for level := range levels {
		s.C = n.config.Width << level
		s.H, s.W = s.H/2, s.W/2
		n.p[level].Resize(s)
		n.argmax[level] = grow(n.argmax[level], s.Len())
		n.enc[level].ForwardPool(n.engine, n.p[level], n.argmax[level], x, train)
		x = n.p[level]
	}
	d := tensor.Shape{N: s.N, H: 1, W: 1, C: n.config.Latent}
	n.mu.Resize(d)
	n.mean.Forward(n.engine, n.mu, vector(x))
	return n.mu.Data
}

// Forward encodes images in training, and decodes z by noise [N d], with more [N More] behind it; it returns the reconstruction [N H W C].
func (n *Net) Forward(x tensor.Tensor, noise, more []float32) tensor.Tensor {
	n.Encode(x, true)
	n.lg.Resize(n.mu.Shape)
	n.logs.Forward(n.engine, n.lg, vector(n.p[levels-1]))
	n.noise = noise
	s := n.mu.Shape
	s.C += n.config.More
	n.z.Resize(s)
	for i, m := range n.mu.Data {
		n.z.Data[n.inZ(i)] = m + float32(math.Exp(float64(clamp(n.lg.Data[i]))/2))*noise[i]
	}
	for i, v := range more {
		n.z.Data[i/n.config.More*s.C+n.config.Latent+i%n.config.More] = v
	}
	n.seed.Resize(n.p[levels-1].Shape)
	n.first.Forward(n.engine, vector(n.seed), n.z)
	in := n.seed
	for level := range levels {
		s := tensor.Shape{N: in.N, H: 2 * in.H, W: 2 * in.W, C: in.C / 2}
		n.u[level].Resize(s)
		n.de[level].Resize(s)
		n.up[level].Forward(n.engine, n.u[level], in)
		n.dec[level].Forward(n.engine, n.de[level], n.u[level], tensor.Dropout{}, true)
		in = n.de[level]
	}
	n.y.Resize(x.Shape)
	n.out.Forward(n.engine, n.y, in)
	return n.y
}

// inZ returns the place in z of element i of μ.
func (n *Net) inZ(i int) int { return i + i/n.config.Latent*n.config.More }

// Mean returns μ [N d] of the last pass.
func (n *Net) Mean() []float32 { return n.mu.Data }

// Loss returns the sums over the images of weights·R and weights·KL of the last Forward,
//
//	R = mean over pixels of (x - x̂)²,  KL = ½ Σ_d (μ² + σ² - ln σ² - 1)
//
// and computes the gradients of Σ weights·(R + β·KL/P) + the loss of which dmean [N d] is the gradient by μ, P being H·W·C.
func (n *Net) Loss(weights []float32, beta float64, dmean []float32) (r, kl float64) {
	pixels := float64(n.config.H * n.config.W * n.config.Channels)
	n.dy.Resize(n.y.Shape)
	size := int(pixels)
	for i, w := range weights {
		x, y, d := n.x.Data[i*size:][:size], n.y.Data[i*size:][:size], n.dy.Data[i*size:][:size]
		sum := 0.0
		for at := range x {
			diff := y[at] - x[at]
			sum += float64(diff) * float64(diff)
			d[at] = w * 2 * diff / float32(pixels)
		}
		r += float64(w) * sum / pixels
	}
	n.dmu.Resize(n.mu.Shape)
	n.dlg.Resize(n.mu.Shape)
	latent := n.config.Latent
	for i := range n.mu.Data {
		w := float64(weights[i/latent])
		m, l := float64(n.mu.Data[i]), float64(clamp(n.lg.Data[i]))
		kl += w * KL(m, l)
		n.dmu.Data[i] = float32(w*beta*m/pixels) + dmean[i]
		n.dlg.Data[i] = float32(w * beta * (math.Exp(l) - 1) / 2 / pixels)
	}
	n.backward()
	return r, kl
}

// KL returns the divergence of a normal distribution from the standard one, of one dimension.
func KL(mean, logVariance float64) float64 {
	return (mean*mean + math.Exp(logVariance) - logVariance - 1) / 2
}

func (n *Net) backward() {
	e := n.engine
	// Gradients take the places of the outputs that nobody needs any more.
	n.out.Backward(e, n.de[levels-1], n.dy)
	for level := levels - 1; level >= 0; level-- {
		n.dec[level].Backward(e, n.u[level], n.de[level])
		below := n.seed
		if level > 0 {
			below = n.de[level-1]
		}
		n.up[level].Backward(e, below, n.u[level])
	}
	n.dz.Resize(n.z.Shape)
	n.first.Backward(e, n.dz, vector(n.seed))
	for i, l := range n.lg.Data {
		d := n.dz.Data[n.inZ(i)]
		n.dmu.Data[i] += d
		n.dlg.Data[i] += d * n.noise[i] * float32(math.Exp(float64(clamp(l))/2)) / 2
		if l != clamp(l) {
			n.dlg.Data[i] = 0
		}
	}
	n.dflat.Resize(vector(n.p[levels-1]).Shape)
	n.rest.Resize(n.dflat.Shape)
	n.mean.Backward(e, n.dflat, n.dmu)
	n.logs.Backward(e, n.rest, n.dlg)
	for i, d := range n.rest.Data {
		n.dflat.Data[i] += d
	}
	dp := tensor.Tensor{Shape: n.p[levels-1].Shape, Stride: n.p[levels-1].C, Data: n.dflat.Data}
	for level := levels - 1; level >= 0; level-- {
		var dx tensor.Tensor
		if level > 0 {
			dx = n.p[level-1]
		}
		n.enc[level].BackwardPool(e, dx, dp, n.argmax[level])
		dp = dx
	}
}

func clamp(l float32) float32 { return max(-logBound, min(logBound, l)) }

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
