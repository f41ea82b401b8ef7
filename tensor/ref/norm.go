package ref

import "math"

// Norm is tensor.Norm with elements of type T.
type Norm[T Float] struct {
	Eps, Slope     float32
	Gamma, Beta    []T
	Mean, Variance []T
	DGamma, DBeta  []T
}

// Norm is tensor.Engine's Norm. The variance is a sum of squared deviations from the mean, not a difference of two
// large sums.
func (k Kernels[T]) Norm(op Norm[T], y, x Tensor[T]) {
	count := float64(x.Pixels())
	k.each(x.C, func(from, to int) {
		for c := from; c < to; c++ {
			var sum, squares float64
			for p := range x.Pixels() {
				sum += float64(x.Data[p*x.Stride+c])
			}
			m := sum / count
			for p := range x.Pixels() {
				d := float64(x.Data[p*x.Stride+c]) - m
				squares += d * d
			}
			v := squares / count
			op.Mean[c], op.Variance[c] = T(m), T(v)
			factor := float64(op.Gamma[c]) / math.Sqrt(v+float64(op.Eps))
			for p := range x.Pixels() {
				d := float64(x.Data[p*x.Stride+c]) - m
				y.Data[p*y.Stride+c] = T(leaky(factor*d+float64(op.Beta[c]), float64(op.Slope)))
			}
		}
	})
}

// NormBackward is tensor.Engine's NormBackward. With x̂ = (x-mean)/σ and g the gradient before LeakyReLU, over M pixels:
//
//	dx = gamma/σ · (g - Σg/M - x̂·Σ(g·x̂)/M)
func (k Kernels[T]) NormBackward(op Norm[T], dx, dy, x Tensor[T]) {
	count := float64(x.Pixels())
	k.each(x.C, func(from, to int) {
		for c := from; c < to; c++ {
			m, inverse := float64(op.Mean[c]), 1/math.Sqrt(float64(op.Variance[c])+float64(op.Eps))
			at := func(p int) (g, xhat float64) {
				xhat = (float64(x.Data[p*x.Stride+c]) - m) * inverse
				g = float64(dy.Data[p*dy.Stride+c])
				if float64(op.Gamma[c])*xhat+float64(op.Beta[c]) <= 0 {
					g *= float64(op.Slope)
				}
				return g, xhat
			}
			var sum, product float64
			for p := range x.Pixels() {
				g, xhat := at(p)
				sum += g
				product += g * xhat
			}
			op.DGamma[c], op.DBeta[c] = T(product), T(sum)
			for p := range x.Pixels() {
				g, xhat := at(p)
				dx.Data[p*dx.Stride+c] = T(float64(op.Gamma[c]) * inverse * (g - sum/count - xhat*product/count))
			}
		}
	})
}
