package tensor

import "fmt"

// Engine carries out the operations of a convolutional network. An engine is used by one goroutine at a time and
// keeps no reference to a slice after a call. Same inputs, same thread count: the same bits.
//
// Destinations come first and are overwritten unless a method says otherwise. Tensors may be views (Stride > C)
// unless a method asks for dense ones.
type Engine interface {
	// Name returns "native" or "ref".
	Name() string
	// Threads returns how many threads the engine computes on.
	Threads() int
	// Close frees the engine's threads and memory. The engine must not be used afterwards.
	Close() error

	// Conv computes y = act(drop(x) * w + b), a convolution of stride 1 and zero padding that keeps H and W.
	// x [N H W I], dense; y [N H W O]; w [k k I O]; b [O]; other shapes with op.Shuffle. With op.Add what y held is added
	// before the activation.
	Conv(op Conv, y, x Tensor, w, b []float32)
	// ConvBackwardData computes dx, the gradient of Conv's input (no activation). dx and dy are dense.
	ConvBackwardData(op Conv, dx, dy Tensor, w []float32)
	// ConvBackwardWeights computes dw and db (no activation). dy and x are dense.
	ConvBackwardWeights(op Conv, dw, db []float32, dy, x Tensor)

	// Up computes the transposed convolution of kernel 2 and stride 2:
	//	y[n, 2h+a, 2w+b, o] = bias[o] + Σ_i x[n, h, w, i]·w[a, b, i, o]
	// x [N H W I] dense; y [N H' W' O] may be a view, with H' - 2H and W' - 2W either 0 or 1; what lies beyond
	// 2H or 2W is set to zero. w [2 2 I O]; bias [O].
	Up(y, x Tensor, w, bias []float32)
	// UpBackwardData computes dx [N H W I], dense.
	UpBackwardData(dx, dy Tensor, w []float32)
	// UpBackwardWeights computes dw [2 2 I O] and dbias [O].
	UpBackwardWeights(dw, dbias []float32, dy, x Tensor)

	// Norm computes batch normalisation with the batch's own statistics, op.Mean and op.Variance, which it writes, and
	// then LeakyReLU.
	//	y = leaky(gamma·(x-mean)/√(variance+eps) + beta)
	Norm(op Norm, y, x Tensor)
	// NormBackward computes dx, op.DGamma and op.DBeta from Norm's x, op.Mean and op.Variance. dx may be dy (in place).
	NormBackward(op Norm, dx, dy, x Tensor)

	// MaxPool takes the maximum of each 2×2 window (stride 2, a last odd row or column is dropped), then applies
	// op.Dropout. y [N ⌊H/2⌋ ⌊W/2⌋ C] is dense. argmax gets 2a+b of the first largest element of each window in
	// reading order, indexed as y.
	MaxPool(op Pool, y Tensor, argmax []uint8, x Tensor)
	// MaxPoolBackward computes dx = skip + the gradient that flows back through MaxPool; a skip without Data
	// counts as zero. skip has the shape of dx and may be a view.
	MaxPoolBackward(op Pool, dx, dy Tensor, argmax []uint8, skip Tensor)

	// NormPool computes MaxPool, without dropout, of what Norm makes of x, which is written nowhere: y [N ⌊H/2⌋ ⌊W/2⌋ C], dense, and argmax
	// are those of Norm and MaxPool but for rounding.
	NormPool(op Norm, y Tensor, argmax []uint8, x Tensor)
	// NormPoolBackward computes dx, op.DGamma and op.DBeta from NormPool's x, op.Mean, op.Variance and argmax. dx may be x.
	NormPoolBackward(op Norm, dx, dy Tensor, argmax []uint8, x Tensor)

	// Softmax writes class probabilities p [N H W K] of logits. p may be logits.
	Softmax(p, logits Tensor)
	// Entropy writes the Shannon entropy of each pixel's class probabilities p [N H W K], in nats, to h [N·H·W]:
	//	h = -Σ_k p_k ln p_k,  0 ln 0 = 0,  p_k in [0, 1] or NaN
	// It is NaN where one of them is.
	Entropy(h []float32, p Tensor)
	// Loss writes the loss of each item to items [N], and to dlogits the gradient of their mean unless dlogits
	// has no Data. target [N H W] holds class indices below K, or Ignore. All dense.
	Loss(op Loss, dlogits Tensor, items []float32, logits Tensor, target []uint8)

	// Mean writes the mean over H and W: y [N C].
	Mean(y []float32, x Tensor)
	// MeanBackward adds dy [N C] / (H·W) to every pixel of dx.
	MeanBackward(dx Tensor, dy []float32)

	// Adam updates weights w in place from gradient g; m and v are the moments.
	Adam(op Adam, w, m, v, g []float32)
}

// EngineError is a failure of an engine, such as lack of memory, as opposed to a caller's mistake.
type EngineError struct {
	Op     string // the operation, e.g. "Conv [4 128 128 16]"
	Status string // what went wrong
}

func (e *EngineError) Error() string { return "tensor: " + e.Op + ": " + e.Status }

// Catch turns a panic with an *EngineError into an error: defer tensor.Catch(&err). Other panics go on.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *EngineError:
		*err = r
	default:
		panic(r)
	}
}

// Want panics unless got equals want; op names the operation, e.g. "Conv: x".
func Want(op string, want, got Shape) {
	if want != got {
		panic(fmt.Sprintf("tensor: %s: want %v, got %v", op, want, got))
	}
}

// WantLen panics unless got equals want.
func WantLen(op string, want, got int) {
	if want != got {
		panic(fmt.Sprintf("tensor: %s: want %d elements, got %d", op, want, got))
	}
}
