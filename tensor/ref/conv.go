package ref

import "github.com/nextslice/nextslice/tensor"

// taps calls f for each tap (a, b) of a K×K window around row h, column w that lies inside H×W, with the index of
// the tap and of the neighbour's pixel in an item that begins at pixel base.
func taps(s tensor.Shape, k, base, h, w int, f func(tap, pixel int)) {
	for a := range k {
		for b := range k {
			y, x := h+a-k/2, w+b-k/2
			if y >= 0 && y < s.H && x >= 0 && x < s.W {
				f(a*k+b, base+y*s.W+x)
			}
		}
	}
}

// dropped returns x times the mask of d, x itself without dropout.
func dropped[T Float](d tensor.Dropout, x Tensor[T]) Tensor[T] {
	if d.P == 0 {
		return x
	}
	y := Tensor[T]{Shape: x.Shape, Stride: x.C, Data: make([]T, x.Len())}
	for i := range y.Data {
		y.Data[i] = x.pixel(i / x.C)[i%x.C] * factor[T](d, i)
	}
	return y
}

// Conv is tensor.Engine's Conv.
func (k Kernels[T]) Conv(op tensor.Conv, y, x Tensor[T], w, b []T) {
	in, out := x.C, op.Outputs(y.C)
	x = dropped(op.Dropout, x)
	k.each(x.N*x.H, func(from, to int) {
		sums := make([]float64, out)
		for row := from; row < to; row++ {
			base, h := row/x.H*x.H*x.W, row%x.H
			for col := range x.W {
				for o := range sums {
					sums[o] = float64(b[o%y.C])
				}
				taps(x.Shape, op.K, base, h, col, func(tap, pixel int) {
					for i, v := range x.pixel(pixel) {
						axpy(sums, v, w[(tap*in+i)*out:][:out])
					}
				})
				for o, s := range sums {
					pixel := row*y.W + col
					if op.Shuffle {
						pixel = (2*row+o/y.C/2)*y.W + 2*col + o/y.C%2
					}
					to := &y.pixel(pixel)[o%y.C]
					if op.Add {
						s += float64(*to)
					}
					if op.Leaky {
						s = leaky(s, float64(op.Slope))
					}
					*to = T(s)
				}
			}
		}
	})
}

// ConvBackwardData is tensor.Engine's ConvBackwardData.
func (k Kernels[T]) ConvBackwardData(op tensor.Conv, dx, dy Tensor[T], w []T) {
	in, out := dx.C, dy.C
	last := op.K*op.K - 1
	k.each(dx.N*dx.H, func(from, to int) {
		sums := make([]float64, in)
		for row := from; row < to; row++ {
			base, h := row/dx.H*dx.H*dx.W, row%dx.H
			for col := range dx.W {
				clear(sums)
				// The output that saw this pixel through a tap lies on the opposite side.
				taps(dy.Shape, op.K, base, h, col, func(tap, pixel int) {
					for i := range sums {
						sums[i] += dot(w[((last-tap)*in+i)*out:][:out], dy.pixel(pixel))
					}
				})
				for c := range sums {
					sums[c] *= factor[float64](op.Dropout, (row*dx.W+col)*in+c)
				}
				store(dx.pixel(row*dx.W+col), sums)
			}
		}
	})
}

// ConvBackwardWeights is tensor.Engine's ConvBackwardWeights.
func (k Kernels[T]) ConvBackwardWeights(op tensor.Conv, dw, db []T, dy, x Tensor[T]) {
	in, out := x.C, dy.C
	x = dropped(op.Dropout, x)
	k.each(op.K*op.K*in, func(from, to int) {
		sums := make([]float64, out)
		for unit := from; unit < to; unit++ {
			tap, i := unit/in, unit%in
			below, right := tap/op.K-op.K/2, tap%op.K-op.K/2
			clear(sums)
			for n := range x.N {
				for h := max(0, -below); h < min(x.H, x.H-below); h++ {
					for col := max(0, -right); col < min(x.W, x.W-right); col++ {
						here := (n*x.H+h)*x.W + col
						axpy(sums, x.pixel(here + below*x.W + right)[i], dy.pixel(here))
					}
				}
			}
			store(dw[unit*out:][:out], sums)
		}
	})
	k.biasGradient(db, dy, dy.H, dy.W)
}

// biasGradient writes the sums of dy over the items' first rows and columns.
func (k Kernels[T]) biasGradient(db []T, dy Tensor[T], rows, columns int) {
	sums := make([]float64, dy.C)
	for n := range dy.N {
		for h := range rows {
			for w := range columns {
				axpy(sums, 1, dy.pixel((n*dy.H+h)*dy.W+w))
			}
		}
	}
	store(db, sums)
}

func store[T Float](dst []T, sums []float64) {
	for i, s := range sums {
		dst[i] = T(s)
	}
}
