package tensortest

import (
	"bytes"
	"fmt"
	"math"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// shapes has odd and even extents, single pixels and channel counts beside the vector widths.
var shapes = []tensor.Shape{
	{N: 1, H: 8, W: 8, C: 16}, {N: 2, H: 7, W: 5, C: 1}, {N: 3, H: 4, W: 6, C: 2}, {N: 4, H: 5, W: 5, C: 3},
	{N: 5, H: 3, W: 9, C: 24}, {N: 2, H: 6, W: 7, C: 48}, {N: 1, H: 12, W: 11, C: 64},
}

// layouts of destination and source.
var layouts = []struct{ dst, src bool }{{false, false}, {true, false}, {false, true}, {true, true}}

// normTolerance allows for a mean of ten standard deviations held in float32.
const normTolerance = 2e-5

// offsets returns factors around one, or shifts around zero, of both signs.
func (s *suite) offsets(n int, around float32) []float32 {
	x := s.randomSlice(n)
	for i := range x {
		x[i] = around + x[i]/2
	}
	return x
}

func norm(s *suite) {
	for _, shape := range shapes {
		for _, slope := range []float32{0.01, 1} {
			for _, layout := range layouts {
				s.norm(shape, tensor.Norm{Eps: 1e-5, Slope: slope}, layout.dst, layout.src)
			}
		}
	}
}

func (s *suite) norm(shape tensor.Shape, op tensor.Norm, dstView, srcView bool) {
	name := fmt.Sprintf("%v slope %v, views %v %v", shape, op.Slope, dstView, srcView)
	c := shape.C
	op.Gamma, op.Beta = s.offsets(c, 1), s.offsets(c, 0)
	x := s.random(shape, srcView)
	y, y64 := empty(shape, dstView), ref.New64(shape)
	op.Mean, op.Variance = make([]float32, c), make([]float32, c)
	op.DGamma, op.DBeta = make([]float32, c), make([]float32, c)
	op64 := ref.Norm[float64]{
		Eps: op.Eps, Slope: op.Slope, Gamma: doubles(op.Gamma), Beta: doubles(op.Beta),
		Mean: make([]float64, c), Variance: make([]float64, c), DGamma: make([]float64, c), DBeta: make([]float64, c),
	}
	for { // until no element is so close to LeakyReLU's kink that float32 may see it on the other side
		fill(x, func() float32 { return 10 + float32(s.rng.NormFloat64()) })
		s.truth.Norm(op64, y64, double(x))
		closest := math.Inf(1)
		for _, v := range y64.Data {
			closest = min(closest, math.Abs(v))
		}
		if closest > 5e-6*float64(op.Slope) {
			break
		}
	}
	same := s.unchanged("Norm "+name, x.Data, op.Gamma, op.Beta, op.DGamma, op.DBeta)
	s.check("Norm "+name, func() { s.e.Norm(op, y, x) },
		result{"y", y, y64, normTolerance}, slice("mean", op.Mean, op64.Mean, 1e-6), slice("variance", op.Variance, op64.Variance, 1e-5))
	same()

	op64.Mean, op64.Variance = doubles(op.Mean), doubles(op.Variance) // both sides work from the same statistics
	dy, dx, dx64 := s.random(shape, srcView), empty(shape, dstView), ref.New64(shape)
	s.truth.NormBackward(op64, dx64, double(dy), double(x))
	results := []result{{"dx", dx, dx64, normTolerance}, slice("dgamma", op.DGamma, op64.DGamma, normTolerance), slice("dbeta", op.DBeta, op64.DBeta, normTolerance)}
	same = s.unchanged("NormBackward "+name, dy.Data, x.Data, op.Gamma, op.Beta, op.Mean, op.Variance)
	s.check("NormBackward "+name, func() { s.e.NormBackward(op, dx, dy, x) }, results...)
	same()
	s.check("NormBackward in place "+name, func() {
		assign(dx, dy)
		s.e.NormBackward(op, dx, dx, x)
	}, results...)
}

// normPool compares NormPool and its gradients with Norm and MaxPool: they are the same but for rounding.
func normPool(s *suite) {
	for _, shape := range shapes {
		for _, layout := range layouts {
			s.normPool(shape, layout.dst, layout.src)
		}
	}
}

func (s *suite) normPool(shape tensor.Shape, dstView, srcView bool) {
	name := fmt.Sprintf("NormPool %v, views %v %v", shape, dstView, srcView)
	c, half := shape.C, tensor.Shape{N: shape.N, H: shape.H / 2, W: shape.W / 2, C: shape.C}
	with := func() tensor.Norm {
		return tensor.Norm{
			Eps: 1e-5, Slope: 0.01, Mean: make([]float32, c), Variance: make([]float32, c), DGamma: make([]float32, c), DBeta: make([]float32, c),
		}
	}
	apart, op := with(), with()
	apart.Gamma, apart.Beta = s.offsets(c, 0), s.offsets(c, 0) // a negative factor makes the smallest the largest
	op.Gamma, op.Beta = apart.Gamma, apart.Beta
	x, dy := s.random(shape, srcView), s.random(half, false)
	fill(x, func() float32 { return 1 + float32(math.Round(4*s.rng.NormFloat64()))/4 }) // some are equal

	full, dfull := empty(shape, false), empty(shape, false)
	y, dx, argmax := empty(half, false), empty(shape, false), make([]uint8, half.Len())
	s.e.Norm(apart, full, x)
	s.e.MaxPool(tensor.Pool{}, y, argmax, full)
	s.e.MaxPoolBackward(tensor.Pool{}, dfull, dy, argmax, tensor.Tensor{})
	s.e.NormBackward(apart, dx, dfull, x)

	same := s.unchanged(name, dy.Data, x.Data, op.Gamma, op.Beta)
	gotY, gotDX, gotArgmax := empty(half, false), empty(shape, dstView), make([]uint8, half.Len())
	s.e.NormPool(op, gotY, gotArgmax, x)
	s.e.NormPoolBackward(op, gotDX, dy, gotArgmax, x)
	same()
	compare := func(what string, got, want []float32) {
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-5*(1+math.Abs(float64(want[i])))) {
				s.Errorf("%s: %s are not those of Norm and MaxPool: %v at %d, want %v", name, what, got[i], i, want[i])
				return
			}
		}
	}
	compare("maxima", gotY.Data, y.Data)
	compare("gradients", elements(gotDX), dx.Data)
	compare("means", op.Mean, apart.Mean)
	compare("variances", op.Variance, apart.Variance)
	compare("gradients of gamma", op.DGamma, apart.DGamma)
	compare("gradients of beta", op.DBeta, apart.DBeta)
	if !bytes.Equal(gotArgmax, argmax) {
		s.Errorf("%s: other argmax than that of MaxPool", name)
	}
	s.e.NormPoolBackward(op, x, dy, gotArgmax, x)
	compare("gradients in place", elements(x), dx.Data)
}

// elements returns those of a tensor that may be a view.
func elements(t tensor.Tensor) (all []float32) {
	for p := range t.Pixels() {
		all = append(all, t.Data[p*t.Stride:][:t.C]...)
	}
	return all
}

func mean(s *suite) {
	for _, shape := range shapes {
		for _, view := range []bool{false, true} {
			name := fmt.Sprintf("%v, view %v", shape, view)
			n := shape.N * shape.C
			x, y, y64 := s.random(shape, view), make([]float32, n), make([]float64, n)
			s.truth.Mean(y64, double(x))
			same := s.unchanged("Mean "+name, x.Data)
			s.check("Mean "+name, func() { s.e.Mean(y, x) }, slice("y", y, y64, 1e-5))
			same()

			dy, dx, dx64 := s.randomSlice(n), empty(shape, view), double(x)
			s.truth.MeanBackward(dx64, doubles(dy))
			s.check("MeanBackward "+name, func() { assign(dx, x); s.e.MeanBackward(dx, dy) }, result{"dx", dx, dx64, 1e-6})
		}
	}
}
