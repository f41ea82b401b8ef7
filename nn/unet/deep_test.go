package unet

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// The gradients that Backward leaves are those of the sum of the three losses, by central differences. Kinks of LeakyReLU and of the
// maxima make a tenth of difference; without the heads' part it is three quarters.
func TestDeepGradients(t *testing.T) {
	n := New(ref.New(1), Config{Classes: 3, Width: 2}, random.Stream(1, "init"))
	d := n.NewDeep(random.Stream(1, "deep"))
	const h, w = 18, 17 // the levels are 9×8 and 4×4: odd sizes
	x := images(2, h, w)
	target := make([]uint8, 2*h*w)
	for i := range target {
		target[i] = uint8(i / 5 % 3)
	}
	op := tensor.Loss{CE: 0.5, Dice: 0.5, Smooth: 1}
	var dlogits tensor.Tensor
	total := func() float64 {
		logits := n.Forward(x, Pass{Train: true})
		dlogits.Resize(logits.Shape)
		items := make([]float32, 2)
		n.engine.Loss(op, dlogits, items, logits, target)
		return float64(items[0]+items[1])/2 + d.Loss(op, target)
	}
	total()
	n.Backward(dlogits)
	for _, list := range []struct {
		weights, grad []float32
		from          string
	}{
		{n.Params().Weights, n.Params().Grad, "network"}, {d.Params().Weights, d.Params().Grad, "heads"},
	} {
		grad := slices.Clone(list.grad)
		var difference, size float64
		for i := 0; i < len(list.weights); i += 1 + len(list.weights)/60 {
			const step = 1e-2
			keep := list.weights[i]
			list.weights[i] = keep + step
			n.Params().Changed()
			up := total()
			list.weights[i] = keep - step
			n.Params().Changed()
			down := total()
			list.weights[i] = keep
			want := (up - down) / (2 * step)
			difference += (float64(grad[i]) - want) * (float64(grad[i]) - want)
			size += want * want
		}
		if relative := math.Sqrt(difference / size); relative > 0.15 || size == 0 {
			t.Errorf("%s: gradients differ from central differences by %.3f of their size", list.from, relative)
		}
	}
}

// A network of several channels is saved with their number, and its heads are not.
func TestSaveChannels(t *testing.T) {
	n := New(ref.New(1), Config{Classes: 2, Width: 2, Channels: 3}, random.Stream(1, "init"))
	n.NewDeep(random.Stream(1, "deep"))
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := n.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := Load(ref.New(1), path)
	if err != nil {
		t.Fatal(err)
	}
	if back.Config() != n.Config() || !slices.Equal(back.Params().Weights, n.Params().Weights) {
		t.Errorf("config %+v, want %+v with the same weights", back.Config(), n.Config())
	}
}
