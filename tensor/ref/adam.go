package ref

import (
	"math"

	"github.com/nextslice/nextslice/tensor"
)

// Adam is tensor.Engine's Adam.
func (k Kernels[T]) Adam(op tensor.Adam, w, m, v, g []T) {
	c1, c2 := op.Corrections()
	k.each(len(w), func(from, to int) {
		for i := from; i < to; i++ {
			grad := float64(g[i]) + op.WeightDecay*float64(w[i])
			first := op.Beta1*float64(m[i]) + (1-op.Beta1)*grad
			second := op.Beta2*float64(v[i]) + (1-op.Beta2)*grad*grad
			m[i], v[i] = T(first), T(second)
			w[i] -= T(op.LR / c1 * first / (math.Sqrt(second)/c2 + op.Eps))
		}
	})
}
