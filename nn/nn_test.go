package nn

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

func randomTensor(s tensor.Shape, path ...any) tensor.Tensor {
	rng, t := random.Stream(1, path...), tensor.New(s)
	for i := range t.Data {
		t.Data[i] = float32(rng.NormFloat64())
	}
	return t
}

// The element (o, i, a, b) of PyTorch's weight is the element (a, b, i, o) of the engine's.
func TestOrder(t *testing.T) {
	p := &Params{}
	conv := p.uniform("conv", ConvOIHW, 1, 4, 5, 3, 2) // O I kh kw
	up := p.uniform("up", ConvIOHW, 1, 5, 4, 3, 2)     // I O kh kw
	p.Alloc(random.Stream(1))
	exported := [][]float32{conv.Export(), up.Export()}
	for o := range 4 {
		for i := range 5 {
			for a := range 3 {
				for b := range 2 {
					engine := ((a*2+b)*5+i)*4 + o
					if exported[0][((o*5+i)*3+a)*2+b] != conv.Data[engine] {
						t.Fatalf("convolution: element (o %d, i %d, a %d, b %d) is elsewhere", o, i, a, b)
					}
					if exported[1][((i*4+o)*3+a)*2+b] != up.Data[engine] {
						t.Fatalf("transposed convolution: element (o %d, i %d, a %d, b %d) is elsewhere", o, i, a, b)
					}
				}
			}
		}
	}
	for k, w := range []*Param{conv, up} {
		before := slices.Clone(w.Data)
		clear(w.Data)
		w.Import(exported[k])
		if !slices.Equal(w.Data, before) {
			t.Errorf("%s: Import does not undo Export", w.Name)
		}
	}
}

func TestInit(t *testing.T) {
	p := &Params{}
	NewBlock(p, "enc", "1", 8, 16)
	NewUp(p, "up", 16, 12)
	NewHead(p, "out", 12, 3)
	p.Alloc(random.Stream(2))
	named := p.Named()
	for name, fanIn := range map[string]float64{
		"enc.conv1.weight": 9 * 8, "enc.conv1.bias": 9 * 8,
		"up.weight": 4 * 12, "up.bias": 4 * 12, // O·kh·kw: PyTorch reads dimension 1
		"out.weight": 12, "out.bias": 12,
	} {
		bound := 1 / math.Sqrt(fanIn)
		var largest, square float64
		for _, v := range named[name].Data {
			largest = max(largest, math.Abs(float64(v)))
			square += float64(v) * float64(v)
		}
		n := float64(len(named[name].Data))
		if largest > bound || largest < 0.6*bound {
			t.Errorf("%s: largest %v, want just below %v", name, largest, bound)
		}
		if std := math.Sqrt(square / n); n > 500 && math.Abs(std/bound-1/math.Sqrt(3)) > 0.05 {
			t.Errorf("%s: standard deviation %v of a bound of %v, want uniform", name, std, bound)
		}
	}
	for name, want := range map[string]float32{
		"enc.norm1.weight": 1, "enc.norm1.bias": 0, "enc.norm1.running_mean": 0, "enc.norm1.running_var": 1,
	} {
		for _, v := range named[name].Data {
			if v != want {
				t.Errorf("%s starts at %v, want %v", name, v, want)
			}
		}
	}
	if got, want := len(p.Weights), 9*8*16+3*16+4*16*12+12+12*3+3; got != want {
		t.Errorf("%d weights, want %d", got, want)
	}
}

// Inference agrees with convolution, then normalisation on the running statistics, then LeakyReLU: with a dense
// output (folded weights) and with a view, also after each thing that folding depends on has changed.
func TestBlockInference(t *testing.T) {
	e := ref.New(1)
	p := &Params{}
	l := NewBlock(p, "enc", "1", 3, 4)
	p.Alloc(random.Stream(3))
	s := tensor.Shape{N: 2, H: 5, W: 6, C: 3}
	x := randomTensor(s, "x")
	s.C = 4
	y, wide := tensor.New(s), tensor.New(tensor.Shape{N: 2, H: 5, W: 6, C: 9})
	view := wide.Channels(2, 6)
	for step, change := range []func(){
		func() {},
		func() { l.Forward(e, y, x, tensor.Dropout{}, true) }, // moves the running statistics
		func() { l.gamma.Data[1], l.beta.Data[2] = -2, 0.5; p.Changed() },
		func() { l.w.Data[7]++; l.b.Data[0]--; p.Changed() },
	} {
		change()
		z := tensor.New(s)
		e.Conv(tensor.Conv{K: 3}, z, x, l.w.Data, l.b.Data)
		l.Forward(e, y, x, tensor.Dropout{}, false)
		l.Forward(e, view, x, tensor.Dropout{}, false)
		for pixel := range s.Pixels() {
			for c := range 4 {
				want := float64(l.gamma.Data[c])*(float64(z.Data[pixel*4+c])-float64(l.mean.Data[c]))/
					math.Sqrt(float64(l.squares.Data[c])+1e-5) + float64(l.beta.Data[c])
				want = max(want, 0.01*want)
				for _, got := range []float32{y.Data[pixel*4+c], view.Data[pixel*9+c]} {
					if math.Abs(float64(got)-want) > 1e-5 {
						t.Fatalf("change %d: got %v, want %v", step, got, want)
					}
				}
			}
		}
	}
	if allocs := testing.AllocsPerRun(3, func() { l.fold() }); allocs > 0 {
		t.Errorf("folding again allocates %v times", allocs)
	}
}

// Merged agrees with up, concatenation and the block, also where the border is all there is, and after each thing that it
// depends on has changed.
func TestMerged(t *testing.T) {
	const in, mid, rest, out = 3, 4, 2, 5
	e := ref.New(1)
	p := &Params{}
	up, l := NewUp(p, "up", in, mid), NewBlock(p, "dec", "1", mid+rest, out)
	m := NewMerged(up, l)
	p.Alloc(random.Stream(7))
	for _, size := range [][2]int{{1, 1}, {1, 3}, {4, 1}, {3, 5}} {
		s := tensor.Shape{N: 2, H: size[0], W: size[1], C: in}
		x := randomTensor(s, "x", s.H, s.W)
		s.H, s.W = 2*s.H, 2*s.W
		s.C = mid + rest
		cat := randomTensor(s, "cat", s.H, s.W)
		s.C = rest
		skip := tensor.New(s)
		for pixel := range s.Pixels() {
			copy(skip.Data[pixel*rest:][:rest], cat.Data[pixel*(mid+rest)+mid:])
		}
		s.C = out
		want := tensor.New(s)
		wide := s
		wide.C += 2
		got := tensor.New(wide).Channels(1, 1+out)
		for step, change := range []func(){
			func() {},
			func() { l.Forward(e, want, cat, tensor.Dropout{}, true) }, // moves the running statistics
			func() { up.w.Data[5]++; up.b.Data[1] = 3; p.Changed() },
			func() { l.w.Data[7]++; l.b.Data[0]--; p.Changed() },
		} {
			change()
			up.Forward(e, cat.Channels(0, mid), x)
			l.Forward(e, want, cat, tensor.Dropout{}, false)
			m.Forward(e, got, x, skip)
			for i, w := range want.Data {
				if v := got.Data[i/out*got.Stride+i%out]; math.Abs(float64(v-w)) > 1e-5 {
					t.Fatalf("%v, change %d: element %d is %v, want %v", size, step, i, v, w)
				}
			}
		}
	}
}

func TestRunningStatistics(t *testing.T) {
	p := &Params{}
	l := NewBlock(p, "enc", "1", 1, 1)
	p.Alloc(random.Stream(4))
	x, y := randomTensor(tensor.Shape{N: 1, H: 2, W: 2, C: 1}, "x"), tensor.New(tensor.Shape{N: 1, H: 2, W: 2, C: 1})
	l.Forward(ref.New(1), y, x, tensor.Dropout{}, true)
	var mean, square float64
	for _, v := range l.z.Data {
		mean += float64(v) / 4
	}
	for _, v := range l.z.Data {
		square += (float64(v) - mean) * (float64(v) - mean) / 3 // unbiased
	}
	if got, want := float64(l.mean.Data[0]), 0.1*mean; math.Abs(got-want) > 1e-6 {
		t.Errorf("running mean %v, want %v", got, want)
	}
	if got, want := float64(l.squares.Data[0]), 0.9+0.1*square; math.Abs(got-want) > 1e-6 {
		t.Errorf("running variance %v, want %v", got, want)
	}
}

// Values of torch.optim.SGD(lr=0.1, momentum=0.9, weight_decay=0.5) on the weight 1 with gradients 1 and -2, exact
// by hand.
func TestSGD(t *testing.T) {
	p := &Params{}
	p.constant("w", 1, 1)
	p.Alloc(random.Stream(5))
	s := NewSGD(p, 0.9, 0.5)
	for i, want := range []float64{1 - 0.1*1.5, 0.85 - 0.1*(0.9*1.5-2+0.5*0.85)} {
		p.Grad[0] = []float32{1, -2}[i]
		s.Step(0.1)
		if math.Abs(float64(p.Weights[0])-want) > 1e-6 {
			t.Errorf("step %d: %v, want %v", i, p.Weights[0], want)
		}
	}
}

// Adam's steps count up: the first two updates of a constant gradient have the size of the learning rate.
func TestAdam(t *testing.T) {
	p := &Params{}
	p.constant("w", 1, 1)
	p.Alloc(random.Stream(6))
	a := NewAdam(p, 0)
	for i, want := range []float64{0.9, 0.8} {
		p.Grad[0] = 0.3
		a.Step(ref.New(1), 0.1)
		if math.Abs(float64(p.Weights[0])-want) > 1e-6 {
			t.Errorf("step %d: %v, want %v", i, p.Weights[0], want)
		}
	}
}

func TestNamedRefusesDuplicates(t *testing.T) {
	defer func() {
		if got, want := fmt.Sprint(recover()), `nn: two weights have the name "out.weight"`; got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	p := &Params{}
	NewHead(p, "out", 1, 2)
	NewHead(p, "out", 1, 2)
	p.Named()
}
