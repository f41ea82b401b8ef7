package model

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

// Of an image of three channels, [C H W], the network must see each pixel's three values together.
func TestPredictChannels(t *testing.T) {
	net := unet.New(ref.New(1), unet.Config{Classes: 2, Width: 2, Channels: 3}, random.Stream(1, "init"))
	n := Network{Net: net, Preprocess: preprocess.Config{Height: 8, Width: 16}}
	const pixels = 8 * 16
	image := make([]float32, 3*pixels)
	x := tensor.New(tensor.Shape{N: 1, H: 8, W: 16, C: 3})
	rng := random.Stream(1, "image")
	for i := range image {
		image[i] = float32(rng.NormFloat64())
		x.Data[i%pixels*3+i/pixels] = image[i]
	}
	var got []float32
	if err := n.Predict(t.Context(), [][]float32{image}, func(_ int, probs []float32) error {
		got = slices.Clone(probs)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	logits := net.Forward(x, unet.Pass{})
	want := tensor.New(logits.Shape)
	net.Probabilities(want, logits)
	if !slices.Equal(got, want.Data) {
		t.Error("the probabilities are not those of the three channels of each pixel")
	}

	// Test-time augmentation turns all channels: turning by nothing and without noise is the plain pass.
	s := n.newScorer(uncertainty.Score{}, random.Stream(1, "tta"))
	s.change = augmentation{}
	s.items = []*uncertainty.Scorer{uncertainty.NewScorer(uncertainty.Score{Passes: 2}, 8, 16, 2)}
	s.x.Resize(x.Shape)
	s.augmented([][]float32{image})
	for i, v := range s.x.Data {
		if math.Abs(float64(v-x.Data[i])) > 1e-6 {
			t.Fatalf("value %d of the turned image: got %v, want %v", i, v, x.Data[i])
		}
	}
}
