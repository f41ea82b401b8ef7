// Package tensortest is the conformance suite of tensor.Engine. An engine's test is one call of [Run].
//
// Every operation is compared with package tensor/ref's kernels in float64, which have their own tests: single
// outputs by definition and gradients by finite differences. The suite states per operation how far a float32
// engine may be from them: the norm of the difference relative to the norm of the expectation, and the largest
// difference relative to the largest expected element (ten times as wide). It also checks for
//
//   - the same bits from the same call,
//   - destinations overwritten, whatever they held,
//   - sources, and the channels beside a view, untouched,
//   - dropout masks equal to tensor.Dropout.Keep,
//   - a panic that names the operation when shapes do not fit.
//
// It fixes two rules that tensor.Engine leaves open: the cross-entropy of an item whose pixels all have class
// weight 0 is 0; and a LeakyReLU's slope at exactly 0 is that of the negative side.
package tensortest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// Run checks the engines that newEngine makes, on one thread, two and five. It closes them.
func Run(t *testing.T, newEngine func(threads int) tensor.Engine) { run(t, newEngine, false) }

// RunRounded is Run for engines that round what they multiply to bfloat16: with numbers that are already, so that nothing is lost and the
// same tolerances hold.
func RunRounded(t *testing.T, newEngine func(threads int) tensor.Engine) { run(t, newEngine, true) }

func run(t *testing.T, newEngine func(threads int) tensor.Engine, rounded bool) {
	for _, threads := range []int{1, 2, 5} { // five: more threads than some jobs have parts
		t.Run(fmt.Sprintf("threads %d", threads), func(t *testing.T) {
			e := newEngine(threads)
			defer func() {
				if err := e.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			if e.Name() == "" || e.Threads() != threads {
				t.Errorf("engine %q says it has %d threads, want %d", e.Name(), e.Threads(), threads)
			}
			for _, part := range []struct {
				name string
				run  func(*suite)
			}{
				{"Conv", conv}, {"Conv onto", convOnto}, {"Up", up},
				{"Norm", norm},
				{"Dropout alike", dropoutAlike},
				{"MaxPool", maxPool}, {"NormPool", normPool}, {"MaxPool ties", maxPoolTies}, {"Mean", mean},
				{"Softmax", softmax}, {"Entropy", entropy}, {"Loss", loss}, {"Loss extremes", lossExtremes}, {"Adam", adam},
				{"wrong shapes", wrongShapes}, {"alternating shapes", alternating},
			} {
				t.Run(part.name, func(t *testing.T) {
					part.run(&suite{T: t, e: e, rounded: rounded, rng: rand.New(rand.NewPCG(1, uint64(len(part.name))))})
				})
			}
		})
	}
}

type suite struct {
	*testing.T
	e       tensor.Engine
	rounded bool // numbers are those of bfloat16
	rng     *rand.Rand
	truth   ref.Kernels[float64]
}

// result is what an operation wrote and what it should have written.
type result struct {
	name string
	got  tensor.Tensor
	want ref.Tensor[float64]
	tol  float64
}

// check calls op twice. Before each call it fills the destinations with NaN; op itself copies the input of an
// operation that works in place.
func (s *suite) check(name string, op func(), results ...result) {
	s.Helper()
	var first [][]float32
	for repeat := range 2 {
		for _, r := range results {
			fill(r.got, func() float32 { return float32(math.NaN()) })
		}
		op()
		for i, r := range results {
			data := dense(r.got)
			if repeat == 0 {
				first = append(first, data)
				compare(s.T, name+": "+r.name, data, packed(r.want), r.tol)
			} else if !slices.EqualFunc(data, first[i], sameBits) {
				s.Errorf("%s: %s: the second call gave different bits", name, r.name)
			}
			s.checkGaps(name+": "+r.name, r.got)
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// floor is an error that is always allowed, per element: where a probability is one and the gradient vanishes, the rounding of
// float32 is all that remains.
const floor = 1e-9

// compare reports a relative error above tol; tol 0 wants equal elements.
func compare(t *testing.T, name string, got []float32, want []float64, tol float64) {
	t.Helper()
	var diff, norm, worst, largest float64
	where := 0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - w)
		if tol == 0 && float64(got[i]) != float64(float32(w)) || math.IsNaN(d) {
			t.Errorf("%s: element %d is %v, want %v", name, i, got[i], w)
			return
		}
		diff += d * d
		norm += w * w
		largest = max(largest, math.Abs(w))
		if d > worst {
			worst, where = d, i
		}
	}
	if tol == 0 {
		return
	}
	if math.Sqrt(diff) > tol*math.Sqrt(norm)+floor*math.Sqrt(float64(len(want))) || worst > 10*tol*largest+floor {
		t.Errorf("%s: relative error %.2g (norm) and %.2g (largest), want below %.2g and %.2g; element %d is %v, want %v",
			name, math.Sqrt(diff/norm), worst/largest, tol, 10*tol, where, got[where], want[where])
	}
}

// gap is the number of foreign channels on either side of a view, and beyond the number of elements that follow a tensor.
const gap, beyond = 3, 64

// empty returns a tensor of NaN, dense or a view between channels of NaN; NaN follows it.
func empty(s tensor.Shape, view bool) tensor.Tensor {
	wide := s
	if view {
		wide.C += 2 * gap
	}
	data := make([]float32, wide.Len()+beyond)
	for i := range data {
		data[i] = float32(math.NaN())
	}
	t := tensor.Tensor{Shape: wide, Stride: wide.C, Data: data[:wide.Len()]}
	if view {
		return t.Channels(gap, gap+s.C)
	}
	return t
}

// random returns normally distributed elements between channels of NaN where it is a view.
func (s *suite) random(shape tensor.Shape, view bool) tensor.Tensor {
	t := empty(shape, view)
	fill(t, func() float32 {
		v := float32(s.rng.NormFloat64())
		if s.rounded {
			v = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
		}
		return v
	})
	return t
}

func (s *suite) randomSlice(n int) []float32 {
	return s.random(tensor.Shape{N: 1, H: 1, W: 1, C: n}, false).Data
}

// checkGaps reports numbers written beside a view, or beyond a tensor.
func (s *suite) checkGaps(name string, t tensor.Tensor) {
	s.Helper()
	for _, v := range t.Data[len(t.Data):cap(t.Data)] {
		if v == v {
			s.Errorf("%s: wrote beyond the last pixel", name)
			return
		}
	}
	for p := range t.Pixels() - 1 {
		for _, v := range t.Data[p*t.Stride+t.C : (p+1)*t.Stride] {
			if v == v {
				s.Errorf("%s: wrote beside the view at pixel %d", name, p)
				return
			}
		}
	}
}

// unchanged returns a function that reports whether a source was written to.
func (s *suite) unchanged(name string, sources ...[]float32) func() {
	var before [][]float32
	for _, x := range sources {
		before = append(before, slices.Clone(x))
	}
	return func() {
		s.Helper()
		for i, x := range sources {
			if !slices.EqualFunc(x, before[i], sameBits) {
				s.Errorf("%s: changed source %d", name, i)
			}
		}
	}
}

func fill(t tensor.Tensor, f func() float32) {
	for p := range t.Pixels() {
		for c := range t.C {
			t.Data[p*t.Stride+c] = f()
		}
	}
}

// assign copies the elements of src.
func assign(dst, src tensor.Tensor) {
	for p := range src.Pixels() {
		copy(dst.Data[p*dst.Stride:][:dst.C], src.Data[p*src.Stride:][:src.C])
	}
}

// dense returns t's elements without gaps.
func dense(t tensor.Tensor) []float32 {
	x := make([]float32, 0, t.Len())
	for p := range t.Pixels() {
		x = append(x, t.Data[p*t.Stride:][:t.C]...)
	}
	return x
}

func packed(t ref.Tensor[float64]) []float64 {
	x := make([]float64, 0, t.Len())
	for p := range t.Pixels() {
		x = append(x, t.Data[p*t.Stride:][:t.C]...)
	}
	return x
}

// double returns a dense copy in float64.
func double(t tensor.Tensor) ref.Tensor[float64] {
	return ref.Tensor[float64]{Shape: t.Shape, Stride: t.C, Data: doubles(dense(t))}
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// vector is a slice as a tensor, so that check can treat it.
func vector(x []float32) tensor.Tensor {
	return tensor.Tensor{Shape: tensor.Shape{N: 1, H: 1, W: 1, C: len(x)}, Stride: len(x), Data: x}
}

func vector64(x []float64) ref.Tensor[float64] {
	return ref.Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 1, C: len(x)}, Stride: len(x), Data: x}
}

func slice(name string, got []float32, want []float64, tol float64) result {
	return result{name, vector(got), vector64(want), tol}
}
