//go:build cgo

package native

// #include "shim.h"
import "C"

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
)

func (e *Engine) Conv(op tensor.Conv, y, x tensor.Tensor, w, b []float32) {
	tensor.CheckConv("Conv", op, y, x, w)
	tensor.WantLen("Conv: b", y.C, len(b))
	to := C.ns_output{at: ptr(y.Data), stride: C.int(y.Stride), add: flag(op.Add), shuffle: flag(op.Shuffle)}
	e.done(C.ns_conv(e.c, conv(op, y.C), shape(x), to, ptr(x.Data), ptr(w), ptr(b)), "Conv", x.Shape)
}

func (e *Engine) ConvBackwardData(op tensor.Conv, dx, dy tensor.Tensor, w []float32) {
	tensor.CheckConv("ConvBackwardData", op, dy, dx, w)
	tensor.CheckDense("ConvBackwardData", dy)
	e.done(C.ns_conv_backward_data(e.c, conv(op, dy.C), shape(dx), ptr(dx.Data), ptr(dy.Data), ptr(w)), "ConvBackwardData", dx.Shape)
}

func (e *Engine) ConvBackwardWeights(op tensor.Conv, dw, db []float32, dy, x tensor.Tensor) {
	tensor.CheckConv("ConvBackwardWeights", op, dy, x, dw)
	tensor.CheckDense("ConvBackwardWeights", dy)
	tensor.WantLen("ConvBackwardWeights: db", dy.C, len(db))
	e.done(C.ns_conv_backward_weights(e.c, conv(op, dy.C), shape(x), ptr(dw), ptr(db), ptr(dy.Data), ptr(x.Data)),
		"ConvBackwardWeights", x.Shape)
}

// conv describes a convolution to o channels of y, of which w has four times as many with op.Shuffle.
func conv(op tensor.Conv, o int) C.ns_conv_op {
	return C.ns_conv_op{k: C.int(op.K), o: C.int(o), leaky: flag(op.Leaky), slope: C.float(op.Slope), mask: mask(op.Dropout)}
}

func (e *Engine) Up(y, x tensor.Tensor, w, bias []float32) {
	tensor.CheckUp("Up", y, x, w)
	tensor.WantLen("Up: bias", y.C, len(bias))
	e.done(C.ns_up(e.c, shape(x), shape(y), ptr(y.Data), ptr(x.Data), ptr(w), ptr(bias)), "Up", x.Shape)
}

func (e *Engine) UpBackwardData(dx, dy tensor.Tensor, w []float32) {
	tensor.CheckUp("UpBackwardData", dy, dx, w)
	e.done(C.ns_up_backward_data(e.c, shape(dx), shape(dy), ptr(dx.Data), ptr(dy.Data), ptr(w)), "UpBackwardData",
		dx.Shape)
}

func (e *Engine) UpBackwardWeights(dw, dbias []float32, dy, x tensor.Tensor) {
	tensor.CheckUp("UpBackwardWeights", dy, x, dw)
	tensor.WantLen("UpBackwardWeights: dbias", dy.C, len(dbias))
	e.done(C.ns_up_backward_weights(e.c, shape(x), shape(dy), ptr(dw), ptr(dbias), ptr(dy.Data), ptr(x.Data)),
		"UpBackwardWeights", x.Shape)
}

func (e *Engine) Norm(op tensor.Norm, y, x tensor.Tensor) {
	tensor.CheckNorm(op, y, x)
	C.ns_norm(e.c, batchNorm(op), shape(x), C.int(y.Stride), ptr(y.Data), ptr(x.Data))
}

func (e *Engine) NormBackward(op tensor.Norm, dx, dy, x tensor.Tensor) {
	tensor.CheckNormBackward(op, dx, dy, x)
	C.ns_norm_backward(e.c, batchNorm(op), shape(x), C.int(dx.Stride), C.int(dy.Stride), ptr(dx.Data), ptr(dy.Data), ptr(x.Data))
}

func (e *Engine) NormPool(op tensor.Norm, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckNormPool("NormPool", op, y, x, argmax)
	C.ns_norm_pool(e.c, batchNorm(op), shape(x), ptr(y.Data), bytes(argmax), ptr(x.Data))
}

func (e *Engine) NormPoolBackward(op tensor.Norm, dx, dy tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckNormPoolBackward(op, dx, dy, x, argmax)
	C.ns_norm_pool_backward(e.c, batchNorm(op), shape(x), C.int(dx.Stride), ptr(dx.Data), ptr(dy.Data), bytes(argmax), ptr(x.Data))
}

func batchNorm(op tensor.Norm) C.ns_batch_norm {
	return C.ns_batch_norm{
		eps: C.float(op.Eps), slope: C.float(op.Slope), gamma: ptr(op.Gamma), beta: ptr(op.Beta),
		mean: ptr(op.Mean), variance: ptr(op.Variance), dgamma: ptr(op.DGamma), dbeta: ptr(op.DBeta),
	}
}

func (e *Engine) MaxPool(op tensor.Pool, y tensor.Tensor, argmax []uint8, x tensor.Tensor) {
	tensor.CheckPool("MaxPool", op, y, x, argmax)
	C.ns_maxpool(e.c, shape(x), mask(op.Dropout), ptr(y.Data), bytes(argmax), ptr(x.Data))
}

func (e *Engine) MaxPoolBackward(op tensor.Pool, dx, dy tensor.Tensor, argmax []uint8, skip tensor.Tensor) {
	tensor.CheckPool("MaxPoolBackward", op, dy, dx, argmax)
	if skip.Data != nil {
		tensor.CheckSame("MaxPoolBackward", skip, dx)
	}
	C.ns_maxpool_backward(e.c, shape(dx), C.int(skip.Stride), mask(op.Dropout), ptr(dx.Data), ptr(dy.Data),
		bytes(argmax), ptr(skip.Data))
}

func mask(d tensor.Dropout) C.ns_mask {
	return C.ns_mask{
		threshold: C.uint32_t(d.Threshold()), scale: C.float(d.Scale()), seed: C.uint64_t(d.Seed), period: C.uint32_t(d.Period),
	}
}

func (e *Engine) Softmax(p, logits tensor.Tensor) {
	tensor.CheckSame("Softmax", p, logits)
	wantClasses("Softmax", logits.C)
	C.ns_softmax(e.c, C.int64_t(logits.Pixels()), C.int(logits.C), C.int(p.Stride), C.int(logits.Stride), ptr(p.Data),
		ptr(logits.Data))
}

// wantClasses panics on more classes than the kernels have room for.
func wantClasses(op string, k int) {
	if k > C.NS_MAX_CLASSES {
		panic(fmt.Sprintf("tensor: %s: want at most %d classes, got %d", op, C.NS_MAX_CLASSES, k))
	}
}

func (e *Engine) Entropy(h []float32, p tensor.Tensor) {
	tensor.CheckData("Entropy", p)
	tensor.WantLen("Entropy: h", p.Pixels(), len(h))
	C.ns_entropy(e.c, C.int64_t(p.Pixels()), C.int(p.C), C.int(p.Stride), ptr(h), ptr(p.Data))
}

func (e *Engine) Loss(op tensor.Loss, dlogits tensor.Tensor, items []float32, logits tensor.Tensor, target []uint8) {
	tensor.CheckLoss(op, dlogits, items, logits, target)
	wantClasses("Loss", logits.C)
	c := C.ns_loss_op{ce: C.float(op.CE), dice: C.float(op.Dice), smooth: C.float(op.Smooth), classes: ptr(op.Classes), sigmoid: flag(op.Sigmoid), merged: bools(op.Merged)}
	C.ns_loss(e.c, c, shape(logits), ptr(dlogits.Data), ptr(items), ptr(logits.Data), bytes(target))
}

func (e *Engine) Mean(y []float32, x tensor.Tensor) {
	tensor.CheckData("Mean", x)
	tensor.WantLen("Mean: y", x.N*x.C, len(y))
	C.ns_mean(e.c, shape(x), ptr(y), ptr(x.Data))
}

func (e *Engine) MeanBackward(dx tensor.Tensor, dy []float32) {
	tensor.CheckData("MeanBackward", dx)
	tensor.WantLen("MeanBackward: dy", dx.N*dx.C, len(dy))
	C.ns_mean_backward(e.c, shape(dx), ptr(dx.Data), ptr(dy))
}

func (e *Engine) Adam(op tensor.Adam, w, m, v, g []float32) {
	tensor.CheckAdam(op, w, m, v, g)
	c1, c2 := op.Corrections()
	// The complements are rounded once: 1 - 0.999f is off by 1e-5.
	c := C.ns_moments{
		step: C.float(op.LR / c1), beta1: C.float(op.Beta1), rest1: C.float(1 - op.Beta1), beta2: C.float(op.Beta2),
		rest2: C.float(1 - op.Beta2), eps: C.float(op.Eps), c2: C.float(c2), decay: C.float(op.WeightDecay),
	}
	C.ns_adam(e.c, c, C.int64_t(len(w)), ptr(w), ptr(m), ptr(v), ptr(g))
}
