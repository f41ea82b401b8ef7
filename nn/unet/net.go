package unet

import (
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/tensor"
)

// Levels is the number of max poolings. Images have at least 2^Levels rows and columns.
const Levels = 3

// Net is a network with its weights and the buffers of its last pass. It is used by one goroutine at a time.
type Net struct {
	config Config
	engine tensor.Engine
	params nn.Params

	enc    [Levels]double // enc1, enc2, enc3
	center double
	up     [Levels]*nn.Up     // [0] is up3: as enc, indexed by level from full resolution down
	dec    [Levels]double     // [0] is dec3
	merged [Levels]*nn.Merged // up and the first block of dec
	out    *nn.Head

	deep *Deep // heads on the coarser levels; nil without deep supervision

	remote Remote // where the network computes; nil: here
	mirror mirror // of its weights there

	pass        Pass         // the last one
	last        tensor.Shape // of its images
	overwritten bool         // by Backward: act
	act         activations
}

// activations are a pass's intermediate results, kept for Backward, which puts the gradient of each in its place: it is in
// the cache then, having just been read for the gradient of the weights, and half of the memory suffices.
type activations struct {
	cat    [Levels]tensor.Tensor // [up, enc], the input of dec; enc alone where up and dec are merged
	pooled [Levels]tensor.Tensor
	argmax [Levels][]uint8
	center tensor.Tensor
	dec    [Levels]tensor.Tensor
	logits tensor.Tensor

	features Features
}

// double is two blocks in a row.
type double struct {
	first, second *nn.Block
	mid           tensor.Tensor
	channels      int // between the two
}

func newDouble(p *nn.Params, name string, in, mid, out int) double {
	return double{first: nn.NewBlock(p, name, "1", in, mid), second: nn.NewBlock(p, name, "2", mid, out), channels: mid}
}

func (d *double) forward(e tensor.Engine, y, x tensor.Tensor, dropout tensor.Dropout, train bool) {
	s := x.Shape
	s.C = d.channels
	d.mid.Resize(s)
	d.first.Forward(e, d.mid, x, dropout, train)
	d.second.Forward(e, y, d.mid, tensor.Dropout{}, train)
}

// backward overwrites dy. dx may be the x of forward.
func (d *double) backward(e tensor.Engine, dx, dy tensor.Tensor) {
	d.second.Backward(e, d.mid, dy)
	d.first.Backward(e, dx, d.mid)
}

// New returns a network with random weights (see nn.Params.Alloc) that computes on e, or where e opens it if e is a [Host]. It panics if c is
// not valid.
func New(e tensor.Engine, c Config, rng *rand.Rand) *Net {
	if err := c.Validate(); err != nil {
		panic("unet: New: " + err.Error())
	}
	n := declare(e, c)
	n.params.Alloc(rng)
	n.open()
	return n
}

// declare builds the layers without memory for their weights.
func declare(e tensor.Engine, c Config) *Net {
	n := &Net{config: c, engine: e}
	p := &n.params
	w := c.Width
	n.enc[0] = newDouble(p, "enc1", max(1, c.Channels), w/2, w)
	n.enc[1] = newDouble(p, "enc2", w, w, 2*w)
	n.enc[2] = newDouble(p, "enc3", 2*w, 2*w, 4*w)
	n.center = newDouble(p, "center", 4*w, 4*w, 8*w)
	for level := Levels - 1; level >= 0; level-- {
		// The encoder's output here has w·2^level channels, the map from below twice as many.
		here, below, name := w<<level, 2*w<<level, fmt.Sprint(Levels-level)
		n.up[level] = nn.NewUp(p, "up"+name, below, below)
		n.dec[level] = newDouble(p, "dec"+name, below+here, here, here)
		n.merged[level] = nn.NewMerged(n.up[level], n.dec[level].first)
	}
	n.out = nn.NewHead(p, "out", w, c.Classes)
	return n
}

// Config returns the network's architecture.
func (n *Net) Config() Config { return n.config }

// Threads returns how many threads its engine computes on.
func (n *Net) Threads() int { return n.engine.Threads() }

// Params returns the weights and their gradients. Of a network that computes elsewhere they are fetched, if it has been trained since: a
// failure is a panic with a *tensor.EngineError.
func (n *Net) Params() *nn.Params {
	n.pull()
	return &n.params
}

// channels returns the number of channels of the encoder's output at a level; the center is level 3.
func (n *Net) channels(level int) int { return n.config.Width << level }
