package model

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/volume"
)

func TestKeepLargest(t *testing.T) {
	m := &volume.Mask{Grid: volume.Grid{Size: [3]int{7, 2, 1}}, Data: []uint8{
		1, 0, 1, 1, 0, 2, 0,
		0, 0, 1, 0, 0, 0, 2,
	}}
	m.Data[7] = 2 // alone
	keepLargest(m, 3)
	if want := []uint8{
		0, 0, 1, 1, 0, 2, 0,
		0, 0, 1, 0, 0, 0, 2,
	}; !slices.Equal(m.Data, want) {
		t.Errorf("got %v, want %v", m.Data, want)
	}
}

// With Mirror the probabilities of a mirrored case are those of the case, mirrored: no side is preferred.
func TestMirrorIsSymmetric(t *testing.T) {
	g := volume.Grid{Size: [3]int{16, 8, 2}}
	p := preprocess.Config{Axis: 2, Height: 8, Width: 16, Fit: preprocess.Resize}
	net := unet.New(ref.New(1), unet.Config{Classes: 2, Width: 2}, random.Stream(1, "init"))
	rng := random.Stream(1, "images")
	var c, swapped Case
	c.Grid, swapped.Grid = g, g
	for range 2 {
		image := make([]float32, 8*16)
		for i := range image {
			image[i] = float32(rng.NormFloat64())
		}
		c.Images, swapped.Images = append(c.Images, image), append(swapped.Images, mirrored(image, 16))
	}
	for _, on := range []bool{false, true} {
		n := Network{Net: net, Preprocess: p, Refinement: preprocess.Refinement{Mirror: on}}
		var probs [2][]float32
		for i, c := range []Case{c, swapped} {
			if _, err := n.Segment(t.Context(), c, func(_ int, slice []float32) { probs[i] = append(probs[i], slice...) }); err != nil {
				t.Fatal(err)
			}
		}
		mirror(probs[1], 16, 2)
		difference := 0.0
		for i, v := range probs[0] {
			difference = max(difference, math.Abs(float64(v-probs[1][i])))
		}
		if same := difference < 1e-5; same != on {
			t.Errorf("mirror %v: the probabilities of the mirrored case differ by %v", on, difference)
		}
	}
}
