package ref

import "github.com/nextslice/nextslice/tensor"

// factor returns what dropout multiplies element i with.
func factor[T Float](d tensor.Dropout, i int) T {
	switch {
	case d.P == 0:
		return 1
	case d.Keep(i):
		return T(d.Scale())
	}
	return 0
}

// MaxPool is tensor.Engine's MaxPool.
func (k Kernels[T]) MaxPool(op tensor.Pool, y Tensor[T], argmax []uint8, x Tensor[T]) {
	k.each(y.N*y.H, func(from, to int) {
		for row := from; row < to; row++ {
			n, h := row/y.H, row%y.H
			for col := range y.W {
				for c := range y.C {
					best, where := x.at(n, 2*h, 2*col, c), 0
					for tap := 1; tap < 4; tap++ {
						if v := x.at(n, 2*h+tap/2, 2*col+tap%2, c); v > best {
							best, where = v, tap
						}
					}
					i := (row*y.W+col)*y.C + c
					argmax[i] = uint8(where)
					y.Data[i] = best * factor[T](op.Dropout, i)
				}
			}
		}
	})
}

func (t Tensor[T]) at(n, h, w, c int) T { return t.Data[((n*t.H+h)*t.W+w)*t.Stride+c] }

// MaxPoolBackward is tensor.Engine's MaxPoolBackward.
func (k Kernels[T]) MaxPoolBackward(op tensor.Pool, dx, dy Tensor[T], argmax []uint8, skip Tensor[T]) {
	k.each(dx.N*dx.H, func(from, to int) {
		for row := from; row < to; row++ {
			n, h := row/dx.H, row%dx.H
			for col := range dx.W {
				dst := dx.pixel(row*dx.W + col)
				if skip.Data == nil {
					clear(dst)
				} else {
					copy(dst, skip.pixel(row*dx.W+col))
				}
				if h/2 >= dy.H || col/2 >= dy.W {
					continue // the odd row or column that MaxPool dropped
				}
				for c := range dst {
					i := ((n*dy.H+h/2)*dy.W+col/2)*dy.C + c
					if int(argmax[i]) == h%2*2+col%2 {
						dst[c] += dy.Data[((n*dy.H+h/2)*dy.W+col/2)*dy.Stride+c] * factor[T](op.Dropout, i)
					}
				}
			}
		}
	})
}

// Mean is tensor.Engine's Mean.
func (k Kernels[T]) Mean(y []T, x Tensor[T]) {
	area := x.H * x.W
	k.each(x.N, func(from, to int) {
		sums := make([]float64, x.C)
		for n := from; n < to; n++ {
			clear(sums)
			for p := range area {
				axpy(sums, 1, x.pixel(n*area+p))
			}
			for c, s := range sums {
				y[n*x.C+c] = T(s / float64(area))
			}
		}
	})
}

// MeanBackward is tensor.Engine's MeanBackward.
func (k Kernels[T]) MeanBackward(dx Tensor[T], dy []T) {
	area := dx.H * dx.W
	k.each(dx.Pixels(), func(from, to int) {
		for p := from; p < to; p++ {
			dst := dx.pixel(p)
			for c := range dst {
				dst[c] += dy[p/area*dx.C+c] / T(area)
			}
		}
	})
}
