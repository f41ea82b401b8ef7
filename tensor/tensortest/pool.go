package tensortest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// masks returns no dropout, the usual one, and one with a key of which both halves matter, for a tensor to be dropped; these with
// a mask of the whole tensor and with one that is the same for every item.
func masks(dropped tensor.Shape) []tensor.Dropout {
	period := dropped.H * dropped.W * dropped.C
	return []tensor.Dropout{
		{}, {P: 0.5, Seed: 1}, {P: 0.1, Seed: 0xfeedface12345678}, {P: 0.5, Seed: 1, Period: period}, {P: 0.1, Seed: 0xfeedface12345678, Period: period},
	}
}

// masks is masks, without those that make numbers of more bits than bfloat16 has where all numbers are its.
func (s *suite) masks(dropped tensor.Shape) []tensor.Dropout {
	return slices.DeleteFunc(masks(dropped), func(d tensor.Dropout) bool { return s.rounded && d.P != 0 && d.P != 0.5 })
}

func maxPool(s *suite) {
	for _, shape := range shapes {
		for _, mask := range masks(tensor.Shape{N: shape.N, H: shape.H / 2, W: shape.W / 2, C: shape.C}) {
			for _, layout := range layouts {
				s.maxPool(shape, mask, layout.dst, layout.src)
			}
		}
	}
}

// maxPool uses a view for the input, for dx and skip in turn: y and dy are dense.
func (s *suite) maxPool(shape tensor.Shape, mask tensor.Dropout, dstView, srcView bool) {
	name := fmt.Sprintf("%v %+v, views %v %v", shape, mask, dstView, srcView)
	op := tensor.Pool{Dropout: mask}
	half := tensor.Shape{N: shape.N, H: shape.H / 2, W: shape.W / 2, C: shape.C}
	x, y, y64 := s.random(shape, srcView), empty(half, false), ref.New64(half)
	argmax, argmax64 := make([]uint8, half.Len()), make([]uint8, half.Len())
	s.truth.MaxPool(op, y64, argmax64, double(x))
	same := s.unchanged("MaxPool "+name, x.Data)
	s.check("MaxPool "+name, func() { s.e.MaxPool(op, y, argmax, x) }, result{"y", y, y64, 0})
	same()
	if !bytes.Equal(argmax, argmax64) {
		s.Errorf("MaxPool %s: other argmax", name)
	}

	dy, dx, dx64 := s.random(half, false), empty(shape, dstView), ref.New64(shape)
	skip := s.random(shape, srcView)
	same = s.unchanged("MaxPoolBackward "+name, dy.Data, skip.Data)
	s.truth.MaxPoolBackward(op, dx64, double(dy), argmax64, ref.Tensor[float64]{})
	s.check("MaxPoolBackward "+name, func() { s.e.MaxPoolBackward(op, dx, dy, argmax64, tensor.Tensor{}) }, result{"dx", dx, dx64, 0})
	s.truth.MaxPoolBackward(op, dx64, double(dy), argmax64, double(skip))
	s.check("MaxPoolBackward with skip "+name, func() { s.e.MaxPoolBackward(op, dx, dy, argmax64, skip) }, result{"dx", dx, dx64, 1e-6})
	same()
}

var zero = 0.0 // a variable: the constant -0.0 is +0

// maxPoolTies draws elements from few values, zero of both signs among them.
func maxPoolTies(s *suite) {
	for _, shape := range shapes {
		x := empty(shape, false)
		values := []float32{-1, 0, 1, float32(zero * -1)}
		fill(x, func() float32 { return values[s.rng.IntN(len(values))] })
		half := tensor.Shape{N: shape.N, H: shape.H / 2, W: shape.W / 2, C: shape.C}
		y, argmax := empty(half, false), make([]uint8, half.Len())
		s.e.MaxPool(tensor.Pool{}, y, argmax, x)
		for n := range half.N {
			for h := range half.H {
				for w := range half.W {
					for c := range half.C {
						first := 0 // in reading order
						for tap := range 4 {
							if x.At(n, 2*h+tap/2, 2*w+tap%2, c) > x.At(n, 2*h+first/2, 2*w+first%2, c) {
								first = tap
							}
						}
						i := ((n*half.H+h)*half.W+w)*half.C + c
						if int(argmax[i]) != first || y.Data[i] != x.At(n, 2*h+first/2, 2*w+first%2, c) {
							s.Fatalf("MaxPool %v: window (%d %d %d %d): argmax %d, want the first largest, %d", shape, n, h, w, c, argmax[i], first)
						}
					}
				}
			}
		}
	}
}
