package ref

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/tensor"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
		t.Errorf("%s: got %.15g, want %.15g", what, got, want)
	}
}

// The definition of a convolution, one output at a time.
func TestConvByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	s, out := tensor.Shape{N: 2, H: 4, W: 5, C: 3}, tensor.Shape{N: 2, H: 4, W: 5, C: 2}
	x, y, w, b := random(rng, s), New64(out), randomSlice(rng, 9*3*2), randomSlice(rng, 2)
	kernels.Conv(tensor.Conv{K: 3, Leaky: true, Slope: 0.125}, y, x, w, b)
	for n := range s.N {
		for h := range s.H {
			for col := range s.W {
				for o := range 2 {
					sum := b[o]
					for a := range 3 {
						for c := range 3 {
							if h+a-1 < 0 || h+a-1 >= s.H || col+c-1 < 0 || col+c-1 >= s.W {
								continue
							}
							for i := range 3 {
								sum += x.at(n, h+a-1, col+c-1, i) * w[((a*3+c)*3+i)*2+o]
							}
						}
					}
					near(t, "y", y.at(n, h, col, o), max(sum, 0.125*sum))
				}
			}
		}
	}
}

// Shuffle moves what a convolution of four times the channels has; Add and the activation come after.
func TestConvOntoByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	s := tensor.Shape{N: 2, H: 2, W: 3, C: 3}
	x, w, b := random(rng, s), randomSlice(rng, 9*3*8), randomSlice(rng, 2)
	plain := New64(tensor.Shape{N: 2, H: 2, W: 3, C: 8})
	kernels.Conv(tensor.Conv{K: 3}, plain, x, w, slices.Repeat(b, 4))
	before := random(rng, tensor.Shape{N: 2, H: 4, W: 6, C: 2})
	y := Tensor[float64]{Shape: before.Shape, Stride: 2, Data: slices.Clone(before.Data)}
	kernels.Conv(tensor.Conv{K: 3, Shuffle: true, Add: true, Leaky: true, Slope: 0.125}, y, x, w, b)
	for n := range 2 {
		for h := range 4 {
			for col := range 6 {
				for o := range 2 {
					sum := before.at(n, h, col, o) + plain.at(n, h/2, col/2, (h%2*2+col%2)*2+o)
					near(t, "y", y.at(n, h, col, o), max(sum, 0.125*sum))
				}
			}
		}
	}
}

func TestUpByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	x, w, b := random(rng, tensor.Shape{N: 2, H: 2, W: 3, C: 3}), randomSlice(rng, 4*3*2), randomSlice(rng, 2)
	y := view(rng, tensor.Shape{N: 2, H: 5, W: 7, C: 2})
	kernels.Up(y, x, w, b)
	for n := range 2 {
		for h := range 5 {
			for col := range 7 {
				for o := range 2 {
					want := 0.0
					if h < 4 && col < 6 {
						want = b[o]
						for i := range 3 {
							want += x.at(n, h/2, col/2, i) * w[((h%2*2+col%2)*3+i)*2+o]
						}
					}
					near(t, "y", y.at(n, h, col, o), want)
				}
			}
		}
	}
}

func TestNormKnown(t *testing.T) {
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 2, W: 2, C: 1}, Stride: 1, Data: []float64{1, 2, 3, 6}}
	y := New64(x.Shape)
	op := Norm[float64]{Slope: 0.125, Gamma: []float64{2}, Beta: []float64{1}, Mean: make([]float64, 1), Variance: make([]float64, 1)}
	kernels.Norm(op, y, x)
	near(t, "mean", op.Mean[0], 3)
	near(t, "variance", op.Variance[0], 14.0/4)
	near(t, "y[3]", y.Data[3], 2*3/math.Sqrt(3.5)+1)
	near(t, "y[0]", y.Data[0], 0.125*(2*-2/math.Sqrt(3.5)+1))
}

func TestMaxPoolTies(t *testing.T) {
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 2, W: 6, C: 1}, Stride: 1,
		Data: []float64{0, 5, 1, 1, 2, 3, 5, 5, 1, 1, 4, 4}}
	y, argmax := New64(tensor.Shape{N: 1, H: 1, W: 3, C: 1}), make([]uint8, 3)
	kernels.MaxPool(tensor.Pool{}, y, argmax, x)
	for i, want := range []uint8{1, 0, 2} {
		if argmax[i] != want {
			t.Errorf("window %d: argmax %d, want %d", i, argmax[i], want)
		}
	}
}

// One item of two pixels with probabilities (3/4, 1/4) and (1/4, 3/4), the first background, the second foreground.
func TestLossKnown(t *testing.T) {
	l := math.Log(3)
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 2, C: 2}, Stride: 2, Data: []float64{l, 0, 0, l}}
	items, target := make([]float64, 1), []uint8{0, 1}
	none := Tensor[float64]{}

	kernels.Loss(tensor.Loss{CE: 1}, none, items, x, target)
	near(t, "cross-entropy", items[0], math.Log(4.0/3))
	kernels.Loss(tensor.Loss{Dice: 1, Smooth: 1}, none, items, x, target)
	near(t, "Dice", items[0], 1-2.5/3)
	kernels.Loss(tensor.Loss{CE: 1, Sigmoid: true}, none, items, x, target)
	// σ(ln 3) = 3/4 and σ(0) = 1/2
	near(t, "sigmoid", items[0], (math.Log(4.0/3)+math.Log(2))/2)
	x.Data[0] = 0
	kernels.Loss(tensor.Loss{CE: 1, Classes: []float32{3, 1}}, none, items, x, target)
	near(t, "class weights", items[0], (3*math.Log(2)+math.Log(4.0/3))/4)

	kernels.Loss(tensor.Loss{Dice: 1, Smooth: 1e-9}, none, items, x, []uint8{0, 0})
	if items[0] < 0.999 || items[0] > 1 {
		t.Errorf("an item without foreground: Dice loss %v, want 1 within the smoothing", items[0])
	}
}

// Two pixels of two classes with logits 0, the second ignored: ½ ln 2 + ½ (1 - 2·½/(½ + 1)).
func TestLossIgnored(t *testing.T) {
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 2, C: 2}, Stride: 2, Data: make([]float64, 4)}
	items, d := make([]float64, 1), New64(x.Shape)
	kernels.Loss(tensor.Loss{CE: 0.5, Dice: 0.5}, d, items, x, []uint8{1, tensor.Ignore})
	near(t, "loss", items[0], 0.5*math.Log(2)+0.5*(1-2.0/3))
	if d.Data[0] == 0 || d.Data[2] != 0 || d.Data[3] != 0 {
		t.Errorf("gradient %v, want none at the second pixel", d.Data)
	}

	// With 256 classes every value is a class.
	x = New64(tensor.Shape{N: 1, H: 1, W: 1, C: 256})
	kernels.Loss(tensor.Loss{CE: 1}, Tensor[float64]{}, items, x, []uint8{255})
	near(t, "loss of the last of 256 classes", items[0], math.Log(256))
}

// Probabilities (1/2, 1/4, 1/4) at a background pixel and (1/8, 3/4, 1/8) at one of class 1: with class 2 merged, the first may be of class 2.
func TestLossMerged(t *testing.T) {
	l := math.Log
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 2, C: 3}, Stride: 3, Data: []float64{l(2), 0, 0, 0, l(6), 0}}
	items, target := make([]float64, 1), []uint8{0, 1}
	merged := []bool{false, false, true}
	none := Tensor[float64]{}
	kernels.Loss(tensor.Loss{CE: 1, Merged: merged}, none, items, x, target)
	near(t, "cross-entropy", items[0], (l(4.0/3)+l(4.0/3))/2)
	kernels.Loss(tensor.Loss{Dice: 1, Merged: merged}, none, items, x, target)
	near(t, "Dice of class 1 alone", items[0], 1-2*0.75/(0.25+0.75+1))
	kernels.Loss(tensor.Loss{CE: 1, Sigmoid: true, Merged: merged}, none, items, x, target)
	// At the first pixel only channel 1 counts, 1 - σ(0); at the second σ(0), σ(ln 6) and σ(0).
	near(t, "sigmoids", items[0], (l(2)+l(2)+l(7.0/6)+l(2))/3/2)

	kernels.Loss(tensor.Loss{CE: 0.5, Dice: 0.5, Merged: []bool{false, true, true}}, x, items, x, []uint8{0, 0})
	if items[0] != 0 || slices.ContainsFunc(x.Data, func(g float64) bool { return math.Abs(g) > 1e-12 }) {
		t.Errorf("all classes merged: loss %v, gradient %v, want none", items[0], x.Data)
	}
}

func TestSoftmaxOfLargeLogits(t *testing.T) {
	x := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 1, C: 2}, Stride: 2, Data: []float64{1000, 1000 + math.Log(3)}}
	kernels.Softmax(x, x)
	near(t, "p", x.Data[1], 0.75)
}

// torch.optim.Adam on the weight 1 with gradients 0.5 and -0.25, lr 0.1, weight decay 0.1, worked out by hand from
// the paper's algorithm.
func TestAdamKnown(t *testing.T) {
	w, m, v := []float64{1}, []float64{0}, []float64{0}
	op := tensor.Adam{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.1, Step: 1}
	kernels.Adam(op, w, m, v, []float64{0.5})
	near(t, "first step", w[0], 1-0.1*0.6/(0.6+1e-8))
	g := -0.25 + 0.1*w[0]
	first, second := 0.9*0.06+0.1*g, 0.999*0.001*0.36+0.001*g*g
	want := w[0] - 0.1*(first/0.19)/(math.Sqrt(second/0.001999)+1e-8)
	op.Step = 2
	kernels.Adam(op, w, m, v, []float64{-0.25})
	near(t, "second step", w[0], want)
}

func TestEntropyKnownValues(t *testing.T) {
	third := 1.0 / 3
	p := Tensor[float64]{Shape: tensor.Shape{N: 1, H: 1, W: 4, C: 3}, Stride: 4, Data: []float64{
		third, third, third, 9,
		0, 1, 0, 9,
		0.5, 0, 0.5, 9,
		0.5, math.NaN(), 0.5,
	}}
	h := make([]float64, 4)
	kernels.Entropy(h, p)
	for i, want := range []float64{math.Log(3), 0, math.Ln2} {
		near(t, "h", h[i], want)
	}
	if h[3] == h[3] {
		t.Errorf("%v of no probability, want NaN", h[3])
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	s := tensor.Shape{N: 1, H: 3, W: 5, C: 4}
	x, w, b := random(rng, s), randomSlice(rng, 9*4*4), randomSlice(rng, 4)
	one, five := New64(s), New64(s)
	Kernels[float64]{}.Conv(tensor.Conv{K: 3}, one, x, w, b)
	Kernels[float64]{Threads: 5}.Conv(tensor.Conv{K: 3}, five, x, w, b)
	for i := range one.Data {
		if one.Data[i] != five.Data[i] {
			t.Fatalf("element %d: %v on one thread, %v on five", i, one.Data[i], five.Data[i])
		}
	}
}
