package nn

import "github.com/nextslice/nextslice/tensor"

// Up is a transposed convolution of kernel 2 and stride 2 with bias.
type Up struct {
	w, b *Param
	x    tensor.Tensor
}

// NewUp declares a layer of in to out channels, with weights name.weight and name.bias.
func NewUp(p *Params, name string, in, out int) *Up {
	return &Up{
		w: p.uniform(name+".weight", ConvIOHW, 4*out, in, out, 2, 2),
		b: p.uniform(name+".bias", Same, 4*out, out),
	}
}

// Forward computes y [N H' W' O], which may be a view, from x [N H W I]; H' and W' are twice H and W or one more,
// and what is beyond is zero. x must stay as it is until Backward.
func (l *Up) Forward(e tensor.Engine, y, x tensor.Tensor) {
	l.x = x
	e.Up(y, x, l.w.Data, l.b.Data)
}

// Backward computes the layer's gradients and dx, which may be the x of Forward, from dy, which may be a view.
func (l *Up) Backward(e tensor.Engine, dx, dy tensor.Tensor) {
	e.UpBackwardWeights(l.w.Grad, l.b.Grad, dy, l.x)
	e.UpBackwardData(dx, dy, l.w.Data)
}

// Head is a convolution 1×1 with bias: features to logits.
type Head struct {
	w, b *Param
	x    tensor.Tensor
}

// NewHead declares a layer of in to out channels, with weights name.weight and name.bias.
func NewHead(p *Params, name string, in, out int) *Head {
	return &Head{
		w: p.uniform(name+".weight", ConvOIHW, in, out, in, 1, 1),
		b: p.uniform(name+".bias", Same, in, out),
	}
}

// Forward computes y [N H W O] from x [N H W I], both dense. x must stay as it is until Backward.
func (l *Head) Forward(e tensor.Engine, y, x tensor.Tensor) {
	l.x = x
	e.Conv(tensor.Conv{K: 1}, y, x, l.w.Data, l.b.Data)
}

// Backward computes the layer's gradients and dx, which may be the x of Forward, from dy, both dense.
func (l *Head) Backward(e tensor.Engine, dx, dy tensor.Tensor) {
	e.ConvBackwardWeights(tensor.Conv{K: 1}, l.w.Grad, l.b.Grad, dy, l.x)
	e.ConvBackwardData(tensor.Conv{K: 1}, dx, dy, l.w.Data)
}
