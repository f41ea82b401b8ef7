// Package meter measures what each operation of a network costs: an Engine around another one that keeps time, floating
// point operations and bytes by operation and shape.
package meter

import (
	"fmt"
	"time"

	"github.com/nextslice/nextslice/tensor"
)

// Cost is what the calls of one operation on one shape took together.
type Cost struct {
	Op      string        `json:"op"`    // the engine's method
	Shape   string        `json:"shape"` // of the larger side, and the channels in and out of a convolution
	Calls   int           `json:"calls"`
	Time    time.Duration `json:"nanoseconds"`
	FLOP    float64       `json:"flop"`  // of the convolutions by definition (2 per multiply-add); 0 elsewhere
	Bytes   float64       `json:"bytes"` // read and written if each operand crosses the memory bus once
	Product bool          `json:"product"`
}

// Meter is an Engine that counts. The zero value is not usable; see New.
type Meter struct {
	tensor.Engine
	costs map[string]*Cost
	order []string
}

// New returns a Meter around e. Closing it closes e.
func New(e tensor.Engine) *Meter { return &Meter{Engine: e, costs: map[string]*Cost{}} }

// Reset forgets what was measured.
func (m *Meter) Reset() { m.costs, m.order = map[string]*Cost{}, nil }

// Costs returns what was measured since the last Reset, in the order of the first calls.
func (m *Meter) Costs() []Cost {
	costs := make([]Cost, len(m.order))
	for i, key := range m.order {
		costs[i] = *m.costs[key]
	}
	return costs
}

// measure times f as one call of op.
func (m *Meter) measure(op, shape string, flop, floats float64, f func()) {
	begin := time.Now()
	f()
	took := time.Since(begin)
	key := op + " " + shape
	c := m.costs[key]
	if c == nil {
		c = &Cost{Op: op, Shape: shape, Product: flop > 0}
		m.costs[key] = c
		m.order = append(m.order, key)
	}
	c.Calls++
	c.Time += took
	c.FLOP += flop
	c.Bytes += 4 * floats
}

// product measures an operation that multiplies pixels × in × out once per tap.
func (m *Meter) product(op string, x tensor.Shape, out, taps int, y tensor.Shape, f func()) {
	weights := float64(taps * x.C * out)
	shape := fmt.Sprintf("%d×%d×%d %d→%d", x.N, x.H, x.W, x.C, out)
	m.measure(op, shape, 2*weights*float64(x.Pixels()), float64(x.Len()+y.Len())+weights, f)
}

// pass measures an operation that goes over n tensors of shape s.
func (m *Meter) pass(op string, s tensor.Shape, n float64, f func()) {
	m.measure(op, fmt.Sprintf("%d×%d×%d %d", s.N, s.H, s.W, s.C), 0, n*float64(s.Len()), f)
}

func (m *Meter) Conv(op tensor.Conv, y, x tensor.Tensor, w, b []float32) {
	m.product("Conv", x.Shape, op.Outputs(y.C), op.K*op.K, y.Shape, func() { m.Engine.Conv(op, y, x, w, b) })
}

func (m *Meter) ConvBackwardData(op tensor.Conv, dx, dy tensor.Tensor, w []float32) {
	m.product("ConvBackwardData", dx.Shape, dy.C, op.K*op.K, dy.Shape, func() { m.Engine.ConvBackwardData(op, dx, dy, w) })
}

func (m *Meter) ConvBackwardWeights(op tensor.Conv, dw, db []float32, dy, x tensor.Tensor) {
	m.product("ConvBackwardWeights", x.Shape, dy.C, op.K*op.K, dy.Shape, func() { m.Engine.ConvBackwardWeights(op, dw, db, dy, x) })
}

func (m *Meter) Up(y, x tensor.Tensor, w, bias []float32) {
	m.product("Up", x.Shape, y.C, 4, y.Shape, func() { m.Engine.Up(y, x, w, bias) })
}

func (m *Meter) UpBackwardData(dx, dy tensor.Tensor, w []float32) {
	m.product("UpBackwardData", dx.Shape, dy.C, 4, dy.Shape, func() { m.Engine.UpBackwardData(dx, dy, w) })
}

func (m *Meter) UpBackwardWeights(dw, dbias []float32, dy, x tensor.Tensor) {
	m.product("UpBackwardWeights", x.Shape, dy.C, 4, dy.Shape, func() { m.Engine.UpBackwardWeights(dw, dbias, dy, x) })
}

func (m *Meter) Norm(op tensor.Norm, y, x tensor.Tensor) {
	m.pass("Norm", x.Shape, 3, func() { m.Engine.Norm(op, y, x) })
}

func (m *Meter) NormBackward(op tensor.Norm, dx, dy, x tensor.Tensor) {
	m.pass("NormBackward", x.Shape, 5, func() { m.Engine.NormBackward(op, dx, dy, x) })
}

func (m *Meter) NormPool(op tensor.Norm, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	m.pass("NormPool", x.Shape, 2.3125, func() { m.Engine.NormPool(op, y, argmax, x) })
}

func (m *Meter) NormPoolBackward(op tensor.Norm, dx, dy tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	m.pass("NormPoolBackward", x.Shape, 3.625, func() { m.Engine.NormPoolBackward(op, dx, dy, argmax, x) })
}

func (m *Meter) MaxPool(op tensor.Pool, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	m.pass("MaxPool", x.Shape, 1.3125, func() { m.Engine.MaxPool(op, y, argmax, x) })
}

func (m *Meter) MaxPoolBackward(op tensor.Pool, dx, dy tensor.Tensor, argmax []uint8, skip tensor.Tensor) {
	m.pass("MaxPoolBackward", dx.Shape, 2.3125, func() { m.Engine.MaxPoolBackward(op, dx, dy, argmax, skip) })
}

func (m *Meter) Softmax(p, logits tensor.Tensor) {
	m.pass("Softmax", logits.Shape, 2, func() { m.Engine.Softmax(p, logits) })
}

func (m *Meter) Entropy(h []float32, p tensor.Tensor) {
	m.pass("Entropy", p.Shape, 1+1/float64(p.C), func() { m.Engine.Entropy(h, p) })
}

func (m *Meter) Loss(op tensor.Loss, dlogits tensor.Tensor, items []float32, logits tensor.Tensor, target []uint8) {
	m.pass("Loss", logits.Shape, 2.25, func() { m.Engine.Loss(op, dlogits, items, logits, target) })
}

func (m *Meter) Mean(y []float32, x tensor.Tensor) {
	m.pass("Mean", x.Shape, 1, func() { m.Engine.Mean(y, x) })
}

func (m *Meter) MeanBackward(dx tensor.Tensor, dy []float32) {
	m.pass("MeanBackward", dx.Shape, 2, func() { m.Engine.MeanBackward(dx, dy) })
}

func (m *Meter) Adam(op tensor.Adam, w, m1, v, g []float32) {
	m.measure("Adam", fmt.Sprint(len(w)), 0, 7*float64(len(w)), func() { m.Engine.Adam(op, w, m1, v, g) })
}
