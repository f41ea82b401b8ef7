package unet

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// A pass that takes enc1 from the last one has the same bits as one that computes it.
func TestSameImages(t *testing.T) {
	sameImages(t, images(2, 17, 10))
	sameImages(t, images(2, 16, 24)) // plain passes merge layers, those with dropout do not
}

func sameImages(t *testing.T, x tensor.Tensor) {
	n := small(1)
	pass := func(p Pass) []float32 { return slices.Clone(n.Forward(x, p).Data) }
	n.Forward(x, Pass{Train: true})
	var want [][]float32
	passes := []Pass{{}, {Dropout: true, Seed: 1}, {Dropout: true, Seed: 2}, {}}
	for _, p := range passes {
		want = append(want, pass(p))
	}
	n.Forward(images(1, 9, 9), Pass{})
	for i, p := range passes {
		p.SameImages = i > 0
		if !slices.Equal(pass(p), want[i]) {
			t.Errorf("pass %d, %+v: other logits", i, p)
		}
	}
	for name, before := range map[string]func(){
		"after training":    func() { n.Forward(x, Pass{Train: true, Dropout: true}) },
		"after other sizes": func() { n.Forward(images(1, 9, 9), Pass{Dropout: true}) },
	} {
		before()
		if !panics(func() { n.Forward(x, Pass{Dropout: true, SameImages: true}) }) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// A pass of the encoder alone has the features of a whole one.
func TestEncoder(t *testing.T) {
	n := small(2)
	x := images(2, 16, 16)
	n.Forward(x, Pass{Features: true})
	var want Features
	for level, f := range n.Features() {
		want[level] = slices.Clone(f)
	}
	n.Forward(images(2, 16, 16), Pass{})
	if logits := n.Forward(x, Pass{Features: true, Encoder: true}); logits.Data != nil {
		t.Error("logits of a pass that has none")
	}
	for level, f := range n.Features() {
		if !slices.Equal(f, want[level]) {
			t.Errorf("level %d: other features", level)
		}
	}
}

func TestProbabilities(t *testing.T) {
	logits := tensor.New(tensor.Shape{N: 1, H: 1, W: 1, C: 3})
	copy(logits.Data, []float32{0, 1, -2})
	p := tensor.New(logits.Shape)
	for _, c := range []struct {
		sigmoid bool
		want    []float64
	}{
		{false, []float64{1 / (1 + math.E + math.Exp(-2)), math.E / (1 + math.E + math.Exp(-2)), math.Exp(-2) / (1 + math.E + math.Exp(-2))}},
		{true, []float64{0.5, 1 / (1 + math.Exp(-1)), 1 / (1 + math.Exp(2))}},
	} {
		n := New(ref.New(1), Config{Classes: 3, Width: 2, Sigmoid: c.sigmoid}, random.Stream(1))
		n.Probabilities(p, logits)
		for k, want := range c.want {
			if math.Abs(float64(p.Data[k])-want) > 1e-6 {
				t.Errorf("sigmoid %v, class %d: %v, want %v", c.sigmoid, k, p.Data[k], want)
			}
		}
	}
}

// The gradient of each item apart is what Backward finds for a batch of that item alone; the sum over the items is what
// it finds for all.
func TestHeadGradients(t *testing.T) {
	n := small(3)
	x := images(3, 16, 8)
	size := 2 * 3
	dlogits := tensor.New(n.Forward(x, Pass{Train: true}).Shape)
	rng := random.Stream(4)
	for i := range dlogits.Data {
		dlogits.Data[i] = float32(rng.NormFloat64())
	}
	got := make([]float32, 3*size)
	n.HeadGradients(got, dlogits)
	check := func(what string, got, want []float32) {
		t.Helper()
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-4 {
				t.Errorf("%s: element %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
	// By hand, from the definition: item 1, channel 1, class 2.
	var want float32
	for p := range 16 * 8 {
		want += dlogits.At(1, p/8, p%8, 2) * n.act.dec[0].At(1, p/8, p%8, 1)
	}
	check("definition", got[size+1*3+2:][:1], []float32{want})

	n.Backward(dlogits)
	weights := n.Params().Named()["out.weight"]
	sum := make([]float32, size)
	for i, g := range got {
		sum[i%size] += g
	}
	check("sum over the items", sum, weights.Grad)
	if !panics(func() { n.HeadGradients(got, dlogits) }) || !panics(func() { n.Backward(dlogits) }) {
		t.Error("after Backward, which overwrites the activations: no panic")
	}
}

func TestState(t *testing.T) {
	n, other := small(5), small(6)
	x := images(1, 16, 16)
	other.Forward(x, Pass{Train: true}) // statistics of its own
	want := slices.Clone(other.Forward(x, Pass{}).Data)
	before := n.State()
	first := slices.Clone(n.Forward(x, Pass{}).Data)
	n.SetState(other.State())
	if !slices.Equal(n.Forward(x, Pass{}).Data, want) {
		t.Error("a network with the state of another one has other logits")
	}
	n.SetState(before)
	if !slices.Equal(n.Forward(x, Pass{}).Data, first) {
		t.Error("other logits after the old state was put back")
	}
	if !panics(func() { n.SetState(before[1:]) }) {
		t.Error("a state of another length: no panic")
	}
}

func TestSaveLoadSigmoid(t *testing.T) {
	n := New(ref.New(1), Config{Classes: 2, Width: 2, Sigmoid: true}, random.Stream(1))
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := Load(ref.New(1), path)
	if err != nil {
		t.Fatal(err)
	}
	if back.Config() != n.Config() {
		t.Errorf("config %+v, want %+v", back.Config(), n.Config())
	}
}

func TestSaveLoadLossModule(t *testing.T) {
	dir := t.TempDir()
	m := NewLossModule(4, random.Stream(1))
	var f Features
	rng := random.Stream(2)
	for level := range f {
		f[level] = make([]float32, 2*4<<level)
		for i := range f[level] {
			f[level][i] = float32(rng.NormFloat64())
		}
	}
	want := slices.Clone(m.Forward(f))
	path := filepath.Join(dir, "module.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := LoadLossModule(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Forward(f); !slices.Equal(got, want) {
		t.Errorf("predicted losses %v, want %v", got, want)
	}
	net := filepath.Join(dir, "net.safetensors")
	if err := small(1).Save(net); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadLossModule(net); err == nil || !strings.Contains(err.Error(), "want a loss module") {
		t.Errorf("a network taken for a module: %v", err)
	}
	if _, err := Load(ref.New(1), path); err == nil || !strings.Contains(err.Error(), "want a network") {
		t.Errorf("a module taken for a network: %v", err)
	}
}
