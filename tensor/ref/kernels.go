package ref

import (
	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/tensor"
)

// Float is the element type of the kernels.
type Float interface{ float32 | float64 }

// Tensor is tensor.Tensor with elements of type T.
type Tensor[T Float] struct {
	tensor.Shape
	Stride int
	Data   []T
}

// New64 returns a dense float64 tensor of zeros.
func New64(s tensor.Shape) Tensor[float64] {
	return Tensor[float64]{Shape: s, Stride: s.C, Data: make([]float64, s.Len())}
}

// pixel returns the channels of pixel i, which counts N·H·W.
func (t Tensor[T]) pixel(i int) []T { return t.Data[i*t.Stride : i*t.Stride+t.C] }

// Kernels are the operations of tensor.Engine without its checks: shapes that do not fit have undefined results.
// The zero value computes on one goroutine.
type Kernels[T Float] struct{ Threads int }

// each calls work on consecutive ranges that cover 0 … n-1, one range per thread. Calls run concurrently.
func (k Kernels[T]) each(n int, work func(from, to int)) {
	parallel.Ranges(n, max(1, k.Threads), work)
}

// axpy adds a·x to the sums y.
func axpy[T Float](y []float64, a T, x []T) {
	f := float64(a)
	for i, v := range x {
		y[i] += f * float64(v)
	}
}

func dot[T Float](x, y []T) float64 {
	var sum float64
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

// leaky is LeakyReLU.
func leaky(x, slope float64) float64 {
	if x > 0 {
		return x
	}
	return slope * x
}
