package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Params holds all weights of a network in one slice and their gradients in another, so that an optimiser's step
// is one loop.
//
// Layers declare their weights with add while the network is built; [Params.Alloc] then makes the slices.
type Params struct {
	Weights []float32
	Grad    []float32
	List    []*Param // the weights by name, in order of declaration, one after the other in Weights
	Buffers []*Param // what training changes but no optimiser sees: running statistics; Grad is nil

	version uint64 // counts changes of Weights and Buffers
}

// Param is a named part of a network's weights.
type Param struct {
	Name  string // as PyTorch names it, e.g. "enc1.conv1.weight"
	Shape []int  // as PyTorch shapes it
	Order Order  // how Data differs from PyTorch's order

	Data []float32
	Grad []float32

	fanIn int // 0: constant
	value float32
}

// Len returns the number of elements.
func (p *Param) Len() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// uniform declares weights drawn from ±1/√fanIn.
func (p *Params) uniform(name string, order Order, fanIn int, shape ...int) *Param {
	w := &Param{Name: name, Shape: shape, Order: order, fanIn: fanIn}
	p.List = append(p.List, w)
	return w
}

// constant declares weights that start at a value.
func (p *Params) constant(name string, value float32, shape ...int) *Param {
	w := &Param{Name: name, Shape: shape, value: value}
	p.List = append(p.List, w)
	return w
}

// buffer declares a buffer that starts at a value.
func (p *Params) buffer(name string, value float32, shape ...int) *Param {
	b := &Param{Name: name, Shape: shape, value: value}
	p.Buffers = append(p.Buffers, b)
	return b
}

// Len returns the number of weights, allocated or not.
func (p *Params) Len() int {
	n := 0
	for _, w := range p.List {
		n += w.Len()
	}
	return n
}

// Alloc makes the slices and sets every weight and buffer to PyTorch's default initial value: for convolutions
// Kaiming-uniform with a = √5, that is uniform in ±1/√fan_in, for biases too; for batch norm 1 and 0. It draws from
// rng in order of declaration. Fan-in is that of PyTorch: I·kh·kw, and for a transposed convolution O·kh·kw.
func (p *Params) Alloc(rng *rand.Rand) {
	if rng == nil {
		panic("nn: Alloc: no random stream")
	}
	n := p.Len()
	p.Weights, p.Grad = make([]float32, n), make([]float32, n)
	from := 0
	for _, w := range p.List {
		to := from + w.Len()
		w.Data, w.Grad = p.Weights[from:to:to], p.Grad[from:to:to]
		w.init(rng)
		from = to
	}
	for _, b := range p.Buffers {
		b.Data = make([]float32, b.Len())
		b.init(rng)
	}
	p.Changed()
}

func (p *Param) init(rng *rand.Rand) {
	for i := range p.Data {
		p.Data[i] = p.value
		if p.fanIn > 0 {
			p.Data[i] = float32((2*rng.Float64() - 1) / math.Sqrt(float64(p.fanIn)))
		}
	}
}

// Changed tells the layers that weights or buffers are no longer those of the last pass, so that what they derived
// from them is stale. Whoever writes to Weights, Data or Buffers calls it; optimisers do.
func (p *Params) Changed() { p.version++ }

// Version changes with every call of Changed.
func (p *Params) Version() uint64 { return p.version }

// StateLen returns the number of weights and buffered values.
func (p *Params) StateLen() int {
	n := len(p.Weights)
	for _, b := range p.Buffers {
		n += b.Len()
	}
	return n
}

// Export writes all weights, and then all buffers, in PyTorch's order of elements to state, of [Params.StateLen] elements.
func (p *Params) Export(state []float32) {
	for _, list := range [][]*Param{p.List, p.Buffers} {
		for _, w := range list {
			state = state[copy(state, w.Export()):]
		}
	}
}

// Import sets all weights and buffers to what Export wrote, and the gradients, unless grad is nil, to theirs in the same order.
func (p *Params) Import(state, grad []float32) {
	for _, list := range [][]*Param{p.List, p.Buffers} {
		for _, w := range list {
			w.Import(state[:w.Len()])
			state = state[w.Len():]
		}
	}
	for _, w := range p.List {
		if grad != nil {
			w.each(func(engine, pytorch int) { w.Grad[engine] = grad[pytorch] })
			grad = grad[w.Len():]
		}
	}
	p.Changed()
}

// Named returns the weights and buffers by name.
func (p *Params) Named() map[string]*Param {
	m := make(map[string]*Param, len(p.List)+len(p.Buffers))
	for _, list := range [][]*Param{p.List, p.Buffers} {
		for _, w := range list {
			if m[w.Name] != nil {
				panic(fmt.Sprintf("nn: two weights have the name %q", w.Name))
			}
			m[w.Name] = w
		}
	}
	return m
}
