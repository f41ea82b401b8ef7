package ref

import "github.com/nextslice/nextslice/tensor"

// Engine is a tensor.Engine in plain Go.
type Engine struct{ k Kernels[float32] }

// New returns an engine that computes on the given number of goroutines, at least 1.
func New(threads int) *Engine {
	return &Engine{Kernels[float32]{Threads: max(threads, 1)}}
}

var _ tensor.Engine = (*Engine)(nil)

func arr(t tensor.Tensor) Tensor[float32] {
	return Tensor[float32]{Shape: t.Shape, Stride: t.Stride, Data: t.Data}
}

// Name returns "ref".
func (e *Engine) Name() string { return "ref" }

// Threads returns the number of goroutines.
func (e *Engine) Threads() int { return e.k.Threads }

// Close does nothing.
func (e *Engine) Close() error { return nil }

func (e *Engine) Conv(op tensor.Conv, y, x tensor.Tensor, w, b []float32) {
	tensor.CheckConv("Conv", op, y, x, w)
	tensor.WantLen("Conv: b", y.C, len(b))
	e.k.Conv(op, arr(y), arr(x), w, b)
}

func (e *Engine) ConvBackwardData(op tensor.Conv, dx, dy tensor.Tensor, w []float32) {
	tensor.CheckConv("ConvBackwardData", op, dy, dx, w)
	tensor.CheckDense("ConvBackwardData", dy)
	e.k.ConvBackwardData(op, arr(dx), arr(dy), w)
}

func (e *Engine) ConvBackwardWeights(op tensor.Conv, dw, db []float32, dy, x tensor.Tensor) {
	tensor.CheckConv("ConvBackwardWeights", op, dy, x, dw)
	tensor.CheckDense("ConvBackwardWeights", dy)
	tensor.WantLen("ConvBackwardWeights: db", dy.C, len(db))
	e.k.ConvBackwardWeights(op, dw, db, arr(dy), arr(x))
}

func (e *Engine) Up(y, x tensor.Tensor, w, bias []float32) {
	tensor.CheckUp("Up", y, x, w)
	tensor.WantLen("Up: bias", y.C, len(bias))
	e.k.Up(arr(y), arr(x), w, bias)
}

func (e *Engine) UpBackwardData(dx, dy tensor.Tensor, w []float32) {
	tensor.CheckUp("UpBackwardData", dy, dx, w)
	e.k.UpBackwardData(arr(dx), arr(dy), w)
}

func (e *Engine) UpBackwardWeights(dw, dbias []float32, dy, x tensor.Tensor) {
	tensor.CheckUp("UpBackwardWeights", dy, x, dw)
	tensor.WantLen("UpBackwardWeights: dbias", dy.C, len(dbias))
	e.k.UpBackwardWeights(dw, dbias, arr(dy), arr(x))
}

func (e *Engine) Norm(op tensor.Norm, y, x tensor.Tensor) {
	tensor.CheckNorm(op, y, x)
	e.k.Norm(Norm[float32](op), arr(y), arr(x))
}

func (e *Engine) NormBackward(op tensor.Norm, dx, dy, x tensor.Tensor) {
	tensor.CheckNormBackward(op, dx, dy, x)
	e.k.NormBackward(Norm[float32](op), arr(dx), arr(dy), arr(x))
}

func (e *Engine) MaxPool(op tensor.Pool, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckPool("MaxPool", op, y, x, argmax)
	e.k.MaxPool(op, arr(y), argmax, arr(x))
}

func (e *Engine) MaxPoolBackward(op tensor.Pool, dx, dy tensor.Tensor, argmax []uint8, skip tensor.Tensor) {
	tensor.CheckPool("MaxPoolBackward", op, dy, dx, argmax)
	if skip.Data != nil {
		tensor.CheckSame("MaxPoolBackward", skip, dx)
	}
	e.k.MaxPoolBackward(op, arr(dx), arr(dy), argmax, arr(skip))
}

func (e *Engine) NormPool(op tensor.Norm, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckNormPool("NormPool", op, y, x, argmax)
	full := tensor.New(x.Shape)
	e.k.Norm(Norm[float32](op), arr(full), arr(x))
	e.k.MaxPool(tensor.Pool{}, arr(y), argmax, arr(full))
}

func (e *Engine) NormPoolBackward(op tensor.Norm, dx, dy tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckNormPoolBackward(op, dx, dy, x, argmax)
	full := tensor.New(x.Shape)
	e.k.MaxPoolBackward(tensor.Pool{}, arr(full), arr(dy), argmax, Tensor[float32]{})
	e.k.NormBackward(Norm[float32](op), arr(dx), arr(full), arr(x))
}

func (e *Engine) Softmax(p, logits tensor.Tensor) {
	tensor.CheckSame("Softmax", p, logits)
	e.k.Softmax(arr(p), arr(logits))
}

func (e *Engine) Entropy(h []float32, p tensor.Tensor) {
	tensor.CheckData("Entropy", p)
	tensor.WantLen("Entropy: h", p.Pixels(), len(h))
	e.k.Entropy(h, arr(p))
}

func (e *Engine) Loss(op tensor.Loss, dlogits tensor.Tensor, items []float32, logits tensor.Tensor, target []uint8) {
	tensor.CheckLoss(op, dlogits, items, logits, target)
	e.k.Loss(op, arr(dlogits), items, arr(logits), target)
}

func (e *Engine) Mean(y []float32, x tensor.Tensor) {
	tensor.CheckData("Mean", x)
	tensor.WantLen("Mean: y", x.N*x.C, len(y))
	e.k.Mean(y, arr(x))
}

func (e *Engine) MeanBackward(dx tensor.Tensor, dy []float32) {
	tensor.CheckData("MeanBackward", dx)
	tensor.WantLen("MeanBackward: dy", dx.N*dx.C, len(dy))
	e.k.MeanBackward(arr(dx), dy)
}

func (e *Engine) Adam(op tensor.Adam, w, m, v, g []float32) {
	tensor.CheckAdam(op, w, m, v, g)
	e.k.Adam(op, w, m, v, g)
}
