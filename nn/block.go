package nn

import (
	"math"

	"github.com/nextslice/nextslice/tensor"
)

// Constants of every [Block]: those of the paper's network and PyTorch's defaults.
const (
	Slope    = 0.01 // of LeakyReLU
	Eps      = 1e-5 // of batch normalisation
	Momentum = 0.1  // of the running statistics: the weight of the newest batch
)

// Block is a convolution 3×3 with bias, batch normalisation and LeakyReLU.
//
// Training normalises with the batch's statistics and moves the running ones toward them (the variance unbiased,
// as in PyTorch). Inference uses the running ones; they are then constants and folded into the convolution's
// weights, which is done again only after weights or statistics have changed.
type Block struct {
	params        *Params
	w, b          *Param // the convolution's
	gamma, beta   *Param
	mean, squares *Param // running mean and variance

	x                   tensor.Tensor  // input of the last training pass
	dropout             tensor.Dropout // of it
	z                   tensor.Tensor  // output of the convolution
	batchMean, batchVar []float32

	version uint64    // of the weights that are folded
	wf, bf  []float32 // folded weights and bias
}

// NewBlock declares a block of in to out channels, with weights prefix.conv<index>.* and prefix.norm<index>.*.
func NewBlock(p *Params, prefix, index string, in, out int) *Block {
	conv, norm := prefix+".conv"+index, prefix+".norm"+index
	return &Block{
		params:  p,
		w:       p.uniform(conv+".weight", ConvOIHW, 9*in, out, in, 3, 3),
		b:       p.uniform(conv+".bias", Same, 9*in, out),
		gamma:   p.constant(norm+".weight", 1, out),
		beta:    p.constant(norm+".bias", 0, out),
		mean:    p.buffer(norm+".running_mean", 0, out),
		squares: p.buffer(norm+".running_var", 1, out),
	}
}

// Forward computes y [N H W O], dense or a view, from x [N H W I], dense, with dropout of x. When train is set, x must
// stay as it is until Backward; y need not.
func (l *Block) Forward(e tensor.Engine, y, x tensor.Tensor, dropout tensor.Dropout, train bool) {
	op := tensor.Conv{K: 3, Dropout: dropout}
	if train {
		l.x, l.dropout = x, dropout
		l.z.Resize(y.Shape)
		e.Conv(op, l.z, x, l.w.Data, l.b.Data)
		l.batchMean, l.batchVar = resize(l.batchMean, y.C), resize(l.batchVar, y.C)
		e.Norm(l.norm(), y, l.z)
		l.track(y.Pixels())
		return
	}
	l.fold()
	op.Leaky, op.Slope = true, Slope
	e.Conv(op, y, x, l.wf, l.bf)
}

// ForwardPool computes the maxima y [N ⌊H/2⌋ ⌊W/2⌋ O] of each 2×2 window of what Forward makes of x, and argmax as [tensor.Engine] has it. Both
// must stay as they are until BackwardPool, and, when train is set, x. What Forward would write is written nowhere in training.
func (l *Block) ForwardPool(e tensor.Engine, y tensor.Tensor, argmax []uint8, x tensor.Tensor, train bool) {
	full := x.Shape
	full.C = y.C
	l.z.Resize(full)
	if !train {
		l.Forward(e, l.z, x, tensor.Dropout{}, false)
		e.MaxPool(tensor.Pool{}, y, argmax, l.z)
		return
	}
	l.x, l.dropout = x, tensor.Dropout{}
	e.Conv(tensor.Conv{K: 3}, l.z, x, l.w.Data, l.b.Data)
	l.batchMean, l.batchVar = resize(l.batchMean, y.C), resize(l.batchVar, y.C)
	e.NormPool(l.norm(), y, argmax, l.z)
	l.track(full.Pixels())
}

// BackwardPool is Backward for the last ForwardPool, from the gradients dy of the maxima and argmax.
func (l *Block) BackwardPool(e tensor.Engine, dx, dy tensor.Tensor, argmax []uint8) {
	e.NormPoolBackward(l.norm(), l.z, dy, argmax, l.z)
	l.backwardConv(e, dx, l.z)
}

// norm describes the normalisation of the last training pass.
func (l *Block) norm() tensor.Norm {
	return tensor.Norm{
		Eps: Eps, Slope: Slope, Gamma: l.gamma.Data, Beta: l.beta.Data, Mean: l.batchMean, Variance: l.batchVar,
		DGamma: l.gamma.Grad, DBeta: l.beta.Grad,
	}
}

// track moves the running statistics toward those of a batch of count pixels. A single pixel has variance 0.
func (l *Block) track(count int) {
	unbiased := float64(count) / float64(max(count-1, 1))
	for c := range l.batchMean {
		l.mean.Data[c] += Momentum * (l.batchMean[c] - l.mean.Data[c])
		l.squares.Data[c] += Momentum * (float32(unbiased*float64(l.batchVar[c])) - l.squares.Data[c])
	}
	l.params.Changed()
}

// fold brings the derived weights up to date.
func (l *Block) fold() {
	if l.version == l.params.version {
		return
	}
	l.version = l.params.version
	out := len(l.b.Data)
	l.wf, l.bf = resize(l.wf, len(l.w.Data)), resize(l.bf, out)
	for o := range out {
		scale := float64(l.gamma.Data[o]) / math.Sqrt(float64(l.squares.Data[o])+Eps)
		l.bf[o] = float32(scale*float64(l.b.Data[o]-l.mean.Data[o]) + float64(l.beta.Data[o]))
		for i := o; i < len(l.wf); i += out {
			l.wf[i] = l.w.Data[i] * float32(scale)
		}
	}
}

// Backward computes the block's gradients, and dx unless it has no Data, from dy, dense, which it overwrites. dx may be
// the x of Forward. It belongs to the last Forward, which must have been a training pass.
func (l *Block) Backward(e tensor.Engine, dx, dy tensor.Tensor) {
	e.NormBackward(l.norm(), dy, dy, l.z)
	l.backwardConv(e, dx, dy)
}

// backwardConv computes the gradients of the convolution from dz, that of its output.
func (l *Block) backwardConv(e tensor.Engine, dx, dz tensor.Tensor) {
	op := tensor.Conv{K: 3, Dropout: l.dropout}
	e.ConvBackwardWeights(op, l.w.Grad, l.b.Grad, dz, l.x)
	if dx.Data != nil {
		e.ConvBackwardData(op, dx, dz, l.w.Data)
	}
}

// resize returns a slice of n elements, s where that is large enough. The contents are undefined.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
