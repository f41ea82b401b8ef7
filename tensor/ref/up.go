package ref

// Up is tensor.Engine's Up.
func (k Kernels[T]) Up(y, x Tensor[T], w, bias []T) {
	in, out := x.C, y.C
	k.each(y.N*y.H, func(from, to int) {
		sums := make([]float64, out)
		for row := from; row < to; row++ {
			n, h := row/y.H, row%y.H
			for col := range y.W {
				dst := y.pixel(row*y.W + col)
				if h >= 2*x.H || col >= 2*x.W {
					clear(dst)
					continue
				}
				for o := range sums {
					sums[o] = float64(bias[o])
				}
				tap := h%2*2 + col%2
				for i, v := range x.pixel((n*x.H+h/2)*x.W + col/2) {
					axpy(sums, v, w[(tap*in+i)*out:][:out])
				}
				store(dst, sums)
			}
		}
	})
}

// UpBackwardData is tensor.Engine's UpBackwardData.
func (k Kernels[T]) UpBackwardData(dx, dy Tensor[T], w []T) {
	in, out := dx.C, dy.C
	k.each(dx.N*dx.H, func(from, to int) {
		sums := make([]float64, in)
		for row := from; row < to; row++ {
			n, h := row/dx.H, row%dx.H
			for col := range dx.W {
				clear(sums)
				for tap := range 4 {
					d := dy.pixel((n*dy.H+2*h+tap/2)*dy.W + 2*col + tap%2)
					for i := range sums {
						sums[i] += dot(w[(tap*in+i)*out:][:out], d)
					}
				}
				store(dx.pixel(row*dx.W+col), sums)
			}
		}
	})
}

// UpBackwardWeights is tensor.Engine's UpBackwardWeights.
func (k Kernels[T]) UpBackwardWeights(dw, dbias []T, dy, x Tensor[T]) {
	in, out := x.C, dy.C
	k.each(4*in, func(from, to int) {
		sums := make([]float64, out)
		for unit := from; unit < to; unit++ {
			tap, i := unit/in, unit%in
			clear(sums)
			for n := range x.N {
				for h := range x.H {
					for col := range x.W {
						d := dy.pixel((n*dy.H+2*h+tap/2)*dy.W + 2*col + tap%2)
						axpy(sums, x.pixel((n*x.H+h)*x.W + col)[i], d)
					}
				}
			}
			store(dw[unit*out:][:out], sums)
		}
	})
	k.biasGradient(dbias, dy, 2*x.H, 2*x.W)
}
