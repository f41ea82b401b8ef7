package ref

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/tensor"
)

var kernels = Kernels[float64]{Threads: 2}

func randomSlice(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func random(rng *rand.Rand, s tensor.Shape) Tensor[float64] {
	return Tensor[float64]{Shape: s, Stride: s.C, Data: randomSlice(rng, s.Len())}
}

// checkGradient compares grad with central differences of f in every element of x.
func checkGradient(t *testing.T, name string, f func() float64, x, grad []float64) {
	t.Helper()
	const h = 1e-5
	for i := range x {
		old := x[i]
		x[i] = old + h
		up := f()
		x[i] = old - h
		down := f()
		x[i] = old
		want := (up - down) / (2 * h)
		if math.Abs(grad[i]-want) > 1e-7*(1+math.Abs(want)) {
			t.Errorf("%s[%d]: gradient %.9g, finite difference %.9g", name, i, grad[i], want)
			return
		}
	}
}

// inner is the scalar whose gradient in y is dy.
func inner(y, dy Tensor[float64]) float64 {
	var sum float64
	for p := range y.Pixels() {
		sum += dot(y.pixel(p), dy.pixel(p))
	}
	return sum
}

// view returns a random tensor whose pixels are apart.
func view(rng *rand.Rand, s tensor.Shape) Tensor[float64] {
	wide := s
	wide.C += 3
	w := random(rng, wide)
	return Tensor[float64]{Shape: s, Stride: wide.C, Data: w.Data[2 : len(w.Data)-1]}
}

func TestConvGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{1, 3} {
		for _, s := range []tensor.Shape{{N: 2, H: 3, W: 4, C: 2}, {N: 1, H: 1, W: 2, C: 1}, {N: 1, H: 5, W: 1, C: 3}} {
			t.Run(fmt.Sprint(k, s), func(t *testing.T) {
				op := tensor.Conv{K: k}
				out := s
				out.C = 3
				x, dy, y, dx := random(rng, s), random(rng, out), New64(out), New64(s)
				w, b := randomSlice(rng, k*k*s.C*3), randomSlice(rng, 3)
				dw, db := make([]float64, len(w)), make([]float64, 3)
				kernels.ConvBackwardData(op, dx, dy, w)
				kernels.ConvBackwardWeights(op, dw, db, dy, x)
				f := func() float64 { kernels.Conv(op, y, x, w, b); return inner(y, dy) }
				checkGradient(t, "x", f, x.Data, dx.Data)
				checkGradient(t, "w", f, w, dw)
				checkGradient(t, "b", f, b, db)
			})
		}
	}
}

func TestUpGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, extra := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		s := tensor.Shape{N: 2, H: 2, W: 3, C: 2}
		out := tensor.Shape{N: 2, H: 4 + extra[0], W: 6 + extra[1], C: 3}
		x, dy, y, dx := random(rng, s), view(rng, out), view(rng, out), New64(s)
		w, b := randomSlice(rng, 4*2*3), randomSlice(rng, 3)
		dw, db := make([]float64, len(w)), make([]float64, 3)
		kernels.UpBackwardData(dx, dy, w)
		kernels.UpBackwardWeights(dw, db, dy, x)
		f := func() float64 { kernels.Up(y, x, w, b); return inner(y, dy) }
		checkGradient(t, "x", f, x.Data, dx.Data)
		checkGradient(t, "w", f, w, dw)
		checkGradient(t, "b", f, b, db)
	}
}

func TestNormGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	s := tensor.Shape{N: 2, H: 3, W: 3, C: 3}
	x, dy, y, dx := random(rng, s), view(rng, s), New64(s), New64(s)
	three := func() []float64 { return make([]float64, 3) }
	op := Norm[float64]{
		Eps: 1e-5, Slope: 0.01, Gamma: randomSlice(rng, 3), Beta: randomSlice(rng, 3),
		Mean: three(), Variance: three(), DGamma: three(), DBeta: three(),
	}
	f := func() float64 { kernels.Norm(op, y, x); return inner(y, dy) }
	f()
	kernels.NormBackward(op, dx, dy, x)
	checkGradient(t, "x", f, x.Data, dx.Data)
	checkGradient(t, "gamma", f, op.Gamma, op.DGamma)
	checkGradient(t, "beta", f, op.Beta, op.DBeta)
}

func TestMaxPoolGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	op := tensor.Pool{Dropout: tensor.Dropout{P: 0.5, Seed: 7}}
	s, out := tensor.Shape{N: 2, H: 5, W: 7, C: 3}, tensor.Shape{N: 2, H: 2, W: 3, C: 3}
	x, dy, y, dx := view(rng, s), random(rng, out), New64(out), New64(s)
	argmax := make([]uint8, y.Len())
	f := func() float64 { kernels.MaxPool(op, y, argmax, x); return inner(y, dy) }
	f()
	kernels.MaxPoolBackward(op, dx, dy, argmax, Tensor[float64]{})
	dense := New64(s)
	for p := range s.Pixels() {
		copy(dense.pixel(p), x.pixel(p))
	}
	x = dense
	checkGradient(t, "x", f, x.Data, dx.Data)

	skip, sum := view(rng, s), New64(s)
	kernels.MaxPoolBackward(op, sum, dy, argmax, skip)
	for p := range s.Pixels() {
		for c, v := range sum.pixel(p) {
			if want := dx.pixel(p)[c] + skip.pixel(p)[c]; v != want {
				t.Fatalf("with a skip: got %v, want %v", v, want)
			}
		}
	}
}

func TestMeanGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	s := tensor.Shape{N: 3, H: 2, W: 3, C: 2}
	x, dy, y, dx := random(rng, s), randomSlice(rng, 6), make([]float64, 6), New64(s)
	kernels.MeanBackward(dx, dy)
	checkGradient(t, "x", func() float64 { kernels.Mean(y, x); return dot(y, dy) }, x.Data, dx.Data)
	once := dx.Data[0]
	kernels.MeanBackward(dx, dy)
	if dx.Data[0] != 2*once {
		t.Error("MeanBackward does not add")
	}
}

func TestLossGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	for _, classes := range []int{2, 3, 4} {
		for _, sigmoid := range []bool{false, true} {
			for _, smooth := range []float32{1e-9, 1} {
				for _, weights := range [][]float32{nil, {0.5, 2, 0, 3}} {
					op := tensor.Loss{CE: 0.4, Dice: 0.6, Smooth: smooth, Sigmoid: sigmoid}
					if weights != nil {
						op.Classes = weights[:classes]
					}
					s := tensor.Shape{N: 3, H: 3, W: 2, C: classes}
					x, dx, items := random(rng, s), New64(s), make([]float64, 3)
					target := make([]uint8, s.Pixels())
					for i := range target {
						target[i] = uint8(rng.IntN(classes))
					}
					clear(target[6:12]) // an item without foreground
					for _, ignored := range [][]int{nil, {1, 8, 9}, {12, 13, 14, 15, 16, 17}} {
						for _, i := range ignored {
							target[i] = tensor.Ignore
						}
						kernels.Loss(op, dx, items, x, target)
						op := op
						total := func() float64 {
							kernels.Loss(op, Tensor[float64]{}, items, x, target)
							return (items[0] + items[1] + items[2]) / 3
						}
						checkGradient(t, fmt.Sprintf("%+v, ignored %v", op, ignored), total, x.Data, dx.Data)
						// Of the first item the last class is merged, of the second, which is all background, every one.
						before := slices.Clone(target)
						op.Merged = make([]bool, 3*classes)
						op.Merged[classes-1] = true
						for c := 1; c < classes; c++ {
							op.Merged[classes+c] = true
						}
						for i := range target[:6] {
							if int(target[i]) == classes-1 {
								target[i] = 0
							}
						}
						kernels.Loss(op, dx, items, x, target)
						checkGradient(t, fmt.Sprintf("%+v, ignored %v", op, ignored), total, x.Data, dx.Data)
						copy(target, before)
					}
				}
			}
		}
	}
}
