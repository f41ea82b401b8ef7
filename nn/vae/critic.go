package vae

import (
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
)

// hidden is the length of the discriminator's inner vectors.
const hidden = 128

// Discriminator tells labelled images from unlabelled ones by μ and, with More, further numbers of each image.
type Discriminator struct {
	params  nn.Params
	layer   [3]*nn.Linear
	a, b    []float32
	da, db  []float32
	logits  []float32
	dlogits []float32
	dx      []float32
}

// NewDiscriminator returns one with random weights for vectors of d numbers.
func NewDiscriminator(d int, rng *rand.Rand) *Discriminator {
	c := &Discriminator{}
	c.layer[0] = nn.NewLinear(&c.params, "linear1", d, hidden, true)
	c.layer[1] = nn.NewLinear(&c.params, "linear2", hidden, hidden, true)
	c.layer[2] = nn.NewLinear(&c.params, "linear3", hidden, 1, false)
	c.params.Alloc(rng)
	return c
}

// Params returns the weights and their gradients.
func (c *Discriminator) Params() *nn.Params { return &c.params }

// Forward returns a logit for each vector of x [N d], valid until the next call. x must stay as it is until Loss.
func (c *Discriminator) Forward(x []float32) []float32 {
	n := len(x) / c.layer[0].In
	c.a, c.b, c.logits = grow(c.a, n*hidden), grow(c.b, n*hidden), grow(c.logits, n)
	c.layer[0].Forward(c.a, x)
	c.layer[1].Forward(c.b, c.a)
	c.layer[2].Forward(c.logits, c.b)
	return c.logits
}

// Loss returns Σ weights·BCE(logit, target) of the last Forward, and computes its gradients by the discriminator's weights.
func (c *Discriminator) Loss(weights, targets []float32) (loss float64) {
	loss = c.begin(weights, targets)
	c.layer[2].Backward(c.db, c.dlogits)
	c.layer[1].Backward(c.da, c.db)
	c.layer[0].Backward(nil, c.da)
	return loss
}

// LossOfInput is Loss with its gradient by x [N d], valid until the next call, in place of those by the weights, which stay as they are.
func (c *Discriminator) LossOfInput(weights, targets []float32) (loss float64, dx []float32) {
	loss = c.begin(weights, targets)
	c.dx = grow(c.dx, len(c.logits)*c.layer[0].In)
	c.layer[2].BackwardData(c.db, c.dlogits)
	c.layer[1].BackwardData(c.da, c.db)
	c.layer[0].BackwardData(c.dx, c.da)
	return loss, c.dx
}

// begin returns the loss, and computes its gradient by the logits.
func (c *Discriminator) begin(weights, targets []float32) (loss float64) {
	n := len(c.logits)
	c.dlogits, c.da, c.db = grow(c.dlogits, n), grow(c.da, n*hidden), grow(c.db, n*hidden)
	for i, x := range c.logits {
		l, d := BCE(float64(x), float64(targets[i]))
		loss += float64(weights[i]) * l
		c.dlogits[i] = weights[i] * float32(d)
	}
	return loss
}

// BCE returns the binary cross-entropy of a logit, max(x, 0) - x·t + ln(1 + e^-|x|), and its derivative.
func BCE(x, t float64) (loss, derivative float64) {
	return max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x))), 1/(1+math.Exp(-x)) - t
}
