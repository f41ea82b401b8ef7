package tensortest

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// convTolerance allows for sums of some thousand products in float32.
const convTolerance = 1e-5

func conv(s *suite) {
	for _, c := range []struct {
		k, n, h, w, in, out int
	}{
		{3, 1, 8, 8, 1, 16}, {3, 2, 7, 5, 1, 1}, {3, 3, 6, 9, 16, 16}, {3, 5, 5, 4, 24, 48}, {3, 4, 5, 5, 48, 24},
		{3, 1, 16, 12, 64, 64}, {3, 2, 1, 1, 3, 2}, {3, 1, 1, 7, 2, 3}, {3, 1, 7, 1, 16, 1}, {3, 2, 2, 2, 64, 16},
		{3, 1, 4, 4, 192, 64}, {3, 2, 6, 7, 80, 64}, {3, 1, 3, 9, 64, 96}, {3, 4, 33, 31, 1, 16}, {3, 2, 17, 14, 3, 8}, {3, 1, 9, 16, 5, 16}, {3, 2, 19, 35, 7, 5}, {3, 1, 3, 37, 2, 8}, {3, 1, 18, 9, 1, 8},
		{1, 2, 7, 9, 16, 2}, {1, 1, 3, 7, 32, 8}, {1, 1, 33, 35, 16, 3}, {1, 1, 8, 8, 64, 3}, {1, 3, 5, 5, 1, 1}, {1, 5, 1, 1, 24, 16}, {1, 4, 4, 6, 48, 2},
	} {
		name := fmt.Sprintf("%d×%d [%d %d %d %d] to %d", c.k, c.k, c.n, c.h, c.w, c.in, c.out)
		si := tensor.Shape{N: c.n, H: c.h, W: c.w, C: c.in}
		so := tensor.Shape{N: c.n, H: c.h, W: c.w, C: c.out}
		x, dy, w, b := s.random(si, false), s.random(so, false), s.randomSlice(c.k*c.k*c.in*c.out), s.randomSlice(c.out)
		x64, dy64, w64, b64 := double(x), double(dy), doubles(w), doubles(b)
		same := s.unchanged(name, x.Data, dy.Data, w, b)

		y, y64 := empty(so, false), ref.New64(so)
		for _, op := range []tensor.Conv{{K: c.k}, {K: c.k, Leaky: true, Slope: 0.01}} {
			s.truth.Conv(op, y64, x64, w64, b64)
			for _, y := range []tensor.Tensor{y, empty(so, true)} {
				s.check(fmt.Sprintf("Conv %s, leaky %v, view %v", name, op.Leaky, !y.Dense()), func() { s.e.Conv(op, y, x, w, b) },
					result{"y", y, y64, convTolerance})
			}
		}

		for _, mask := range s.masks(si) {
			op, name := tensor.Conv{K: c.k, Dropout: mask}, fmt.Sprintf("%s, %+v", name, mask)
			s.truth.Conv(op, y64, x64, w64, b64)
			s.check("Conv "+name, func() { s.e.Conv(op, y, x, w, b) }, result{"y", y, y64, convTolerance})

			dx, dx64 := empty(si, false), ref.New64(si)
			s.truth.ConvBackwardData(op, dx64, dy64, w64)
			s.check("ConvBackwardData "+name, func() { s.e.ConvBackwardData(op, dx, dy, w) },
				result{"dx", dx, dx64, convTolerance})

			dw, db := make([]float32, len(w)), make([]float32, c.out)
			dw64, db64 := make([]float64, len(w)), make([]float64, c.out)
			s.truth.ConvBackwardWeights(op, dw64, db64, dy64, x64)
			s.check("ConvBackwardWeights "+name, func() { s.e.ConvBackwardWeights(op, dw, db, dy, x) },
				slice("dw", dw, dw64, convTolerance), slice("db", db, db64, convTolerance))
		}
		same()
	}
}

// convOnto adds to the destination, shuffles, or both.
func convOnto(s *suite) {
	for _, c := range []struct{ k, n, h, w, in, out int }{
		{3, 2, 8, 9, 32, 16}, {3, 1, 5, 3, 8, 32}, {3, 3, 4, 4, 16, 8}, {3, 2, 7, 6, 1, 2}, {3, 1, 1, 1, 48, 16},
		{3, 1, 6, 5, 64, 48}, {1, 1, 1, 9, 24, 16}, {1, 2, 3, 4, 5, 3},
	} {
		for i := range 8 {
			op := tensor.Conv{K: c.k, Add: i&1 > 0, Shuffle: i&2 > 0, Leaky: i&4 > 0, Slope: 0.01}
			si, so := tensor.Shape{N: c.n, H: c.h, W: c.w, C: c.in}, tensor.Shape{N: c.n, H: c.h, W: c.w, C: c.out}
			if op.Shuffle {
				so.H, so.W = 2*so.H, 2*so.W
			}
			x, w, b := s.random(si, false), s.randomSlice(c.k*c.k*c.in*op.Outputs(c.out)), s.randomSlice(c.out)
			for _, view := range []bool{false, true} {
				name := fmt.Sprintf("Conv %v of %v to %v, view %v", op, si, so, view)
				before, y := s.random(so, view), empty(so, view)
				y64 := double(before)
				s.truth.Conv(op, y64, double(x), doubles(w), doubles(b))
				same := s.unchanged(name, x.Data, w, b)
				s.check(name, func() {
					if op.Add {
						assign(y, before)
					}
					s.e.Conv(op, y, x, w, b)
				}, result{"y", y, y64, convTolerance})
				same()
			}
		}
	}
}

func up(s *suite) {
	for _, c := range []struct {
		n, h, w, in, out, rows, columns int // rows and columns beyond 2H and 2W
	}{
		{1, 4, 4, 16, 16, 0, 0}, {2, 3, 5, 24, 24, 1, 0}, {3, 5, 3, 48, 48, 0, 1}, {5, 2, 2, 64, 64, 1, 1},
		{1, 1, 1, 1, 1, 0, 0}, {2, 1, 3, 3, 2, 1, 1}, {4, 8, 7, 32, 16, 0, 1},
	} {
		si := tensor.Shape{N: c.n, H: c.h, W: c.w, C: c.in}
		so := tensor.Shape{N: c.n, H: 2*c.h + c.rows, W: 2*c.w + c.columns, C: c.out}
		for _, view := range []bool{false, true} {
			name := fmt.Sprintf("%v to %v, view %v", si, so, view)
			x, dy, w, b := s.random(si, false), s.random(so, view), s.randomSlice(4*c.in*c.out), s.randomSlice(c.out)
			x64, dy64, w64, b64 := double(x), double(dy), doubles(w), doubles(b)
			same := s.unchanged(name, x.Data, dy.Data, w, b)

			y, y64 := empty(so, view), ref.New64(so)
			s.truth.Up(y64, x64, w64, b64)
			s.check("Up "+name, func() { s.e.Up(y, x, w, b) }, result{"y", y, y64, convTolerance})

			dx, dx64 := empty(si, false), ref.New64(si)
			s.truth.UpBackwardData(dx64, dy64, w64)
			s.check("UpBackwardData "+name, func() { s.e.UpBackwardData(dx, dy, w) }, result{"dx", dx, dx64, convTolerance})

			dw, db := make([]float32, len(w)), make([]float32, c.out)
			dw64, db64 := make([]float64, len(w)), make([]float64, c.out)
			s.truth.UpBackwardWeights(dw64, db64, dy64, x64)
			s.check("UpBackwardWeights "+name, func() { s.e.UpBackwardWeights(dw, db, dy, x) },
				slice("dw", dw, dw64, convTolerance), slice("db", db, db64, convTolerance))
			same()
		}
	}
}

// alternating calls one operation on shapes in turn: an engine that caches work per shape must not mix them up.
func alternating(s *suite) {
	for range 3 {
		for _, n := range []int{4, 1, 3} {
			for _, width := range []int{6, 9} {
				shape := tensor.Shape{N: n, H: 5, W: width, C: 16}
				x, w, b := s.random(shape, false), s.randomSlice(9*16*16), s.randomSlice(16)
				y, y64 := empty(shape, false), ref.New64(shape)
				op := tensor.Conv{K: 3}
				s.truth.Conv(op, y64, double(x), doubles(w), doubles(b))
				s.check(fmt.Sprintf("Conv %v again", shape), func() { s.e.Conv(op, y, x, w, b) }, result{"y", y, y64, convTolerance})
			}
		}
	}
}
