package unet

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// The numbers that the paper's network has.
func TestWeights(t *testing.T) {
	for _, c := range []struct{ classes, width, want int }{{2, 64, 6_822_018}, {3, 64, 6_822_083}} {
		n := declare(nil, Config{Classes: c.classes, Width: c.width})
		if got := n.params.Len(); got != c.want {
			t.Errorf("K = %d: %d weights, want %d", c.classes, got, c.want)
		}
	}
}

func small(seed uint64) *Net {
	return New(ref.New(2), Config{Classes: 3, Width: 2, Dropout: 0.5}, random.Stream(seed, "init"))
}

func images(n, h, w int) tensor.Tensor {
	x := tensor.New(tensor.Shape{N: n, H: h, W: w, C: 1})
	rng := random.Stream(1, "images", n, h, w)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	return x
}

func TestForwardShapes(t *testing.T) {
	n := small(1)
	for _, s := range [][3]int{{1, 8, 8}, {2, 9, 15}, {3, 17, 10}} {
		x := images(s[0], s[1], s[2])
		if got, want := n.Forward(x, Pass{}).Shape, (tensor.Shape{N: s[0], H: s[1], W: s[2], C: 3}); got != want {
			t.Errorf("logits %v, want %v", got, want)
		}
	}
	defer func() {
		if got, want := fmt.Sprint(recover()), "unet: Forward: want [N H W 1] of at least 8×8, got [1 7 8 1]"; got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	n.Forward(images(1, 7, 8), Pass{})
}

// At inference an item's logits do not depend on the other items; with batch statistics they do.
func TestItemsAreIndependentAtInference(t *testing.T) {
	n := small(2)
	x := images(3, 12, 10)
	for _, p := range []Pass{{}, {Train: true}} {
		all := slices.Clone(n.Forward(x, p).Items(1, 2).Data)
		one := n.Forward(x.Items(1, 2), p)
		if same := slices.Equal(all, one.Data); same != !p.Train {
			t.Errorf("%+v: an item alone has the same logits: %v", p, same)
		}
	}
}

func TestDropout(t *testing.T) {
	n := small(3)
	x := images(2, 16, 16)
	pass := func(p Pass) []float32 { return slices.Clone(n.Forward(x, p).Data) }
	plain, first := pass(Pass{}), pass(Pass{Dropout: true, Seed: 1})
	if slices.Equal(plain, first) || slices.Equal(first, pass(Pass{Dropout: true, Seed: 2})) {
		t.Error("dropout changes nothing")
	}
	if !slices.Equal(first, pass(Pass{Dropout: true, Seed: 1})) {
		t.Error("same seed, other masks")
	}
	if !slices.Equal(plain, pass(Pass{Seed: 1})) {
		t.Error("a pass without dropout depends on the seed or on the pass before")
	}
	seeds := map[uint64]bool{}
	for position := range 6 {
		n.pass = Pass{Dropout: true, Seed: 1}
		seeds[n.dropout(position, tensor.Tensor{}).Seed] = true
	}
	if len(seeds) != 6 {
		t.Errorf("%d distinct masks, want 6", len(seeds))
	}
}

// Features are the mean over pixels, and their gradient reaches the encoder alone.
func TestFeatures(t *testing.T) {
	n := small(4)
	x := images(2, 16, 8)
	logits := n.Forward(x, Pass{Train: true, Features: true})
	f := n.Features()
	for level, v := range f {
		if want := 2 * 2 << level; len(v) != want {
			t.Errorf("level %d: %d features, want %d", level, len(v), want)
		}
	}
	var sum float64
	for p := range 16 * 8 {
		sum += float64(n.act.cat[0].At(1, p/8, p%8, 4+1)) // item 1, channel 1 of enc1 behind the four of up3
	}
	if got, want := f[0][2+1], float32(sum/128); got-want > 1e-6 || want-got > 1e-6 {
		t.Errorf("feature %v, want %v", got, want)
	}

	d := Features{}
	d[1] = make([]float32, len(f[1]))
	d[1][0] = 1
	n.BackwardFeatures(tensor.New(logits.Shape), d)
	for _, p := range n.Params().List {
		reached := slices.ContainsFunc(p.Grad, func(v float32) bool { return v != 0 })
		if want := strings.HasPrefix(p.Name, "enc1") || strings.HasPrefix(p.Name, "enc2"); reached != want {
			t.Errorf("a gradient at enc2 reaches %s: %v, want %v", p.Name, reached, want)
		}
	}
}

func TestBackwardWantsATrainingPass(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	n := small(5)
	n.Backward(n.Forward(images(1, 8, 8), Pass{}))
}

func TestSaveLoad(t *testing.T) {
	n := small(6)
	x := images(2, 16, 16)
	n.Forward(x, Pass{Train: true}) // running statistics that differ from their start
	want := slices.Clone(n.Forward(x, Pass{}).Data)
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
	if got := back.Forward(x, Pass{}).Data; !slices.Equal(got, want) {
		t.Error("other logits after saving and loading")
	}
}

func TestLoadRefuses(t *testing.T) {
	n := small(7)
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mistake, want string
		change        func(f *safetensors.File)
	}{
		{"other format", "format", func(f *safetensors.File) { f.Metadata["format"] = "x" }},
		{"no classes", "classes", func(f *safetensors.File) { delete(f.Metadata, "classes") }},
		{"odd width", "width: want", func(f *safetensors.File) { f.Metadata["width"] = "3" }},
		{"huge width", "width: want", func(f *safetensors.File) { f.Metadata["width"] = "1000000000" }},
		{"other width", "want F32", func(f *safetensors.File) { f.Metadata["width"] = "256" }},
		{"dropout 1", "dropout", func(f *safetensors.File) { f.Metadata["dropout"] = "1" }},
		{"dropout NaN", "dropout", func(f *safetensors.File) { f.Metadata["dropout"] = "NaN" }},
		{"missing array", "is missing", func(f *safetensors.File) { f.Tensors = f.Tensors[1:] }},
		{"unknown array", "unknown array", func(f *safetensors.File) { f.Tensors[0].Name = "x" }},
		{"other shape", "want F32", func(f *safetensors.File) { f.Tensors[1].Shape = []int{1, 1} }},
		{"not finite", "diverged", func(f *safetensors.File) { copy(f.Tensors[0].Data, []byte{0, 0, 0xc0, 0x7f}) }},
	} {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Metadata = maps.Clone(f.Metadata)
		c.change(f)
		other := filepath.Join(t.TempDir(), "x.safetensors")
		if err := safetensors.Write(other, f); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(ref.New(1), other); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.mistake, err, c.want)
		}
	}
}

// With Same a pass is one network for all images: the logits of one do not depend on its place in the mini-batch. Without it they do.
func TestSameMasks(t *testing.T) {
	n := small(3)
	one := images(1, 16, 12)
	eight := tensor.New(tensor.Shape{N: 8, H: 16, W: 12, C: 1})
	for i := range 8 {
		copy(eight.Items(i, i+1).Data, one.Data)
	}
	logits := func(x tensor.Tensor, p Pass) []float32 { return slices.Clone(n.Forward(x, p).Data) }
	alone := logits(one, Pass{Dropout: true, Seed: 5, Same: true})
	if slices.Equal(alone, logits(one, Pass{Dropout: true, Seed: 6, Same: true})) || slices.Equal(alone, logits(one, Pass{})) {
		t.Error("another seed, or none, gives the same logits")
	}
	same, apart := logits(eight, Pass{Dropout: true, Seed: 5, Same: true}), logits(eight, Pass{Dropout: true, Seed: 5})
	for i := range 8 {
		from, to := i*len(alone), (i+1)*len(alone)
		if !slices.Equal(same[from:to], alone) {
			t.Errorf("image %d of eight equal ones: other logits than alone", i)
		}
		if i > 0 && slices.Equal(apart[from:to], apart[:len(alone)]) {
			t.Errorf("without Same image %d has the masks of image 0", i)
		}
	}
}
