package tensortest

import (
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/tensor"
)

// wrongShapes makes one mistake per call.
func wrongShapes(s *suite) {
	e := s.e
	t := func(n, h, w, c int) tensor.Tensor { return tensor.New(tensor.Shape{N: n, H: h, W: w, C: c}) }
	f := func(n int) []float32 { return make([]float32, n) }
	b := func(n int) []uint8 { return make([]uint8, n) }
	x := t(2, 4, 6, 3)
	view := t(2, 4, 6, 5).Channels(1, 4)
	short := x
	short.Data = x.Data[:x.Len()-1]
	conv := tensor.Conv{K: 3}
	norm := func(spoil func(*tensor.Norm)) tensor.Norm {
		n := tensor.Norm{Eps: 1e-5, Slope: 0.01, Gamma: f(3), Beta: f(3), Mean: f(3), Variance: f(3), DGamma: f(3), DBeta: f(3)}
		if spoil != nil {
			spoil(&n)
		}
		return n
	}
	for _, c := range []struct {
		op, mistake string
		call        func()
	}{
		{"Conv", "rows", func() { e.Conv(conv, t(2, 5, 6, 3), x, f(81), f(3)) }},
		{"Conv", "items", func() { e.Conv(conv, t(1, 4, 6, 3), x, f(81), f(3)) }},
		{"Conv", "weights", func() { e.Conv(conv, t(2, 4, 6, 3), x, f(80), f(3)) }},
		{"Conv", "bias", func() { e.Conv(conv, t(2, 4, 6, 3), x, f(81), f(2)) }},
		{"Conv", "kernel of 2", func() { e.Conv(tensor.Conv{K: 2}, t(2, 4, 6, 3), x, f(36), f(3)) }},
		{"Conv", "view", func() { e.Conv(conv, t(2, 4, 6, 3), view, f(81), f(3)) }},
		{"Conv", "too little memory", func() { e.Conv(conv, t(2, 4, 6, 3), short, f(81), f(3)) }},
		{"Conv", "no items", func() { e.Conv(conv, t(0, 4, 6, 3), t(0, 4, 6, 3), f(81), f(3)) }},
		{"Conv", "shuffled rows", func() { e.Conv(tensor.Conv{K: 1, Shuffle: true}, t(2, 4, 12, 3), x, f(36), f(3)) }},
		{"Conv", "shuffled weights", func() { e.Conv(tensor.Conv{K: 1, Shuffle: true}, t(2, 8, 12, 3), x, f(9), f(3)) }},
		{"Conv", "slope", func() { e.Conv(tensor.Conv{K: 1, Leaky: true, Slope: 1.5}, t(2, 4, 6, 3), x, f(9), f(3)) }},
		{"ConvBackwardData", "shuffled", func() { e.ConvBackwardData(tensor.Conv{K: 1, Shuffle: true}, x, t(2, 8, 12, 3), f(36)) }},
		{"ConvBackwardWeights", "added", func() { e.ConvBackwardWeights(tensor.Conv{K: 1, Add: true}, f(9), f(3), x, x) }},
		{"ConvBackwardData", "columns", func() { e.ConvBackwardData(conv, t(2, 4, 5, 3), x, f(81)) }},
		{"ConvBackwardData", "weights", func() { e.ConvBackwardData(conv, t(2, 4, 6, 3), x, f(27)) }},
		{"ConvBackwardData", "view", func() { e.ConvBackwardData(conv, view, x, f(81)) }},
		{"ConvBackwardWeights", "rows", func() { e.ConvBackwardWeights(conv, f(81), f(3), t(2, 3, 6, 3), x) }},
		{"ConvBackwardWeights", "dw", func() { e.ConvBackwardWeights(conv, f(82), f(3), t(2, 4, 6, 3), x) }},
		{"ConvBackwardWeights", "db", func() { e.ConvBackwardWeights(conv, f(81), f(4), t(2, 4, 6, 3), x) }},
		{"Up", "rows", func() { e.Up(t(2, 10, 12, 2), x, f(24), f(2)) }},
		{"Up", "columns", func() { e.Up(t(2, 8, 11, 2), x, f(24), f(2)) }},
		{"Up", "weights", func() { e.Up(t(2, 8, 12, 2), x, f(23), f(2)) }},
		{"Up", "bias", func() { e.Up(t(2, 8, 12, 2), x, f(24), f(3)) }},
		{"Up", "view", func() { e.Up(t(2, 8, 12, 2), view, f(24), f(2)) }},
		{"UpBackwardData", "items", func() { e.UpBackwardData(x, t(1, 8, 12, 2), f(24)) }},
		{"UpBackwardData", "weights", func() { e.UpBackwardData(x, t(2, 8, 12, 2), f(25)) }},
		{"UpBackwardWeights", "rows", func() { e.UpBackwardWeights(f(24), f(2), t(2, 7, 12, 2), x) }},
		{"UpBackwardWeights", "dbias", func() { e.UpBackwardWeights(f(24), f(3), t(2, 8, 12, 2), x) }},
		{"Norm", "channels", func() { e.Norm(norm(nil), t(2, 4, 6, 2), x) }},
		{"Norm", "gamma", func() { e.Norm(norm(func(n *tensor.Norm) { n.Gamma = f(2) }), x, x) }},
		{"Norm", "variance", func() { e.Norm(norm(func(n *tensor.Norm) { n.Variance = f(4) }), x, x) }},
		{"Norm", "slope", func() { e.Norm(norm(func(n *tensor.Norm) { n.Slope = -0.1 }), x, x) }},
		{"NormBackward", "dy", func() { e.NormBackward(norm(nil), x, t(2, 4, 5, 3), x) }},
		{"NormBackward", "dx", func() { e.NormBackward(norm(nil), t(2, 3, 6, 3), x, x) }},
		{"NormBackward", "dbeta", func() { e.NormBackward(norm(func(n *tensor.Norm) { n.DBeta = f(1) }), x, x, x) }},
		{"NormBackward", "mean", func() { e.NormBackward(norm(func(n *tensor.Norm) { n.Mean = nil }), x, x, x) }},
		{"MaxPool", "rows", func() { e.MaxPool(tensor.Pool{}, t(2, 3, 3, 3), b(54), x) }},
		{"MaxPool", "argmax", func() { e.MaxPool(tensor.Pool{}, t(2, 2, 3, 3), b(35), x) }},
		{"MaxPool", "probability", func() { e.MaxPool(tensor.Pool{Dropout: tensor.Dropout{P: 1}}, t(2, 2, 3, 3), b(36), x) }},
		{"NormPool", "rows", func() { e.NormPool(norm(nil), t(2, 3, 3, 3), b(54), x) }},
		{"NormPool", "argmax", func() { e.NormPool(norm(nil), t(2, 2, 3, 3), b(35), x) }},
		{"NormPool", "gamma", func() { e.NormPool(norm(func(n *tensor.Norm) { n.Gamma = f(2) }), t(2, 2, 3, 3), b(36), x) }},
		{"NormPoolBackward", "dx", func() { e.NormPoolBackward(norm(nil), t(2, 3, 6, 3), t(2, 2, 3, 3), b(36), x) }},
		{"NormPoolBackward", "dy", func() { e.NormPoolBackward(norm(nil), x, t(2, 2, 2, 3), b(36), x) }},
		{"NormPoolBackward", "dbeta", func() {
			e.NormPoolBackward(norm(func(n *tensor.Norm) { n.DBeta = f(1) }), x, t(2, 2, 3, 3), b(36), x)
		}},
		{"MaxPoolBackward", "items", func() { e.MaxPoolBackward(tensor.Pool{}, x, t(1, 2, 3, 3), b(18), tensor.Tensor{}) }},
		{"MaxPoolBackward", "skip", func() { e.MaxPoolBackward(tensor.Pool{}, x, t(2, 2, 3, 3), b(36), t(2, 4, 5, 3)) }},
		{"MaxPoolBackward", "argmax", func() { e.MaxPoolBackward(tensor.Pool{}, x, t(2, 2, 3, 3), b(37), tensor.Tensor{}) }},
		{"Conv", "probability", func() {
			e.Conv(tensor.Conv{K: 3, Dropout: tensor.Dropout{P: -0.1}}, t(2, 4, 6, 3), x, f(81), f(3))
		}},
		{"Softmax", "columns", func() { e.Softmax(t(2, 4, 5, 3), x) }},
		{"Entropy", "pixels", func() { e.Entropy(f(47), x) }},
		{"Loss", "items", func() { e.Loss(tensor.Loss{CE: 1}, tensor.Tensor{}, f(3), x, b(48)) }},
		{"Loss", "target", func() { e.Loss(tensor.Loss{CE: 1}, tensor.Tensor{}, f(2), x, b(47)) }},
		{"Loss", "dlogits", func() { e.Loss(tensor.Loss{CE: 1}, t(2, 4, 6, 2), f(2), x, b(48)) }},
		{"Loss", "one class", func() { e.Loss(tensor.Loss{CE: 1}, tensor.Tensor{}, f(2), t(2, 4, 6, 1), b(48)) }},
		{"Loss", "class weights", func() { e.Loss(tensor.Loss{CE: 1, Classes: f(2)}, tensor.Tensor{}, f(2), x, b(48)) }},
		{"Loss", "merged classes", func() {
			e.Loss(tensor.Loss{CE: 1, Merged: make([]bool, 3)}, tensor.Tensor{}, f(2), x, b(48))
		}},
		{"Loss", "a merged target", func() {
			target := b(48)
			target[47] = 2
			e.Loss(tensor.Loss{CE: 1, Merged: []bool{5: true}}, tensor.Tensor{}, f(2), x, target)
		}},
		{"Loss", "a merged background", func() {
			e.Loss(tensor.Loss{CE: 1, Merged: []bool{3: true, 5: false}}, tensor.Tensor{}, f(2), x, b(48))
		}},
		{"Loss", "class index", func() {
			target := b(48)
			target[47] = 3
			e.Loss(tensor.Loss{CE: 1}, tensor.Tensor{}, f(2), x, target)
		}},
		{"Mean", "y", func() { e.Mean(f(5), x) }},
		{"MeanBackward", "dy", func() { e.MeanBackward(x, f(7)) }},
		{"Adam", "gradient", func() { e.Adam(tensor.Adam{LR: 1, Step: 1}, f(3), f(3), f(3), f(2)) }},
		{"Adam", "step 0", func() { e.Adam(tensor.Adam{LR: 1}, f(3), f(3), f(3), f(3)) }},
	} {
		func() {
			defer func() {
				r := recover()
				if r == nil {
					s.Errorf("%s: wrong %s: no panic", c.op, c.mistake)
				} else if text := fmt.Sprint(r); !strings.HasPrefix(text, "tensor: "+c.op+":") {
					s.Errorf("%s: wrong %s: panic %q, want one that begins \"tensor: %s:\"", c.op, c.mistake, text, c.op)
				}
			}()
			c.call()
		}()
	}
}
