package model

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
)

func TestBottlenecks(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(1))
	images := noise(predictBatch + 2)
	got, err := network(n).Features(t.Context(), images, query.Bottleneck)
	if err != nil || len(got) != len(images) {
		t.Fatalf("%d vectors, %v", len(got), err)
	}
	for i, image := range images {
		n.Forward(tensorOf(image), unet.Pass{Features: true})
		for c, want := range n.Features()[unet.Levels] {
			if len(got[i]) != 8*4 || math.Abs(float64(got[i][c]-want)) > 1e-6 {
				t.Fatalf("item %d, feature %d of %d: %v, want %v", i, c, len(got[i]), got[i][c], want)
			}
		}
	}
}

// The embedding is the gradient that a training finds for the last layer if the argmax is the label and the loss is
// cross-entropy; here by finite differences of that loss.
func TestGradients(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 3, Width: 2}, random.Stream(1))
	images := noise(3)
	got, err := network(n).Features(t.Context(), images, query.Gradient)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d vectors, %v", len(got), err)
	}
	if none, err := network(n).Features(t.Context(), images, query.NoFeatures); err == nil {
		t.Errorf("features of no kind: %v", none)
	}
	if slices.Equal(got[0], got[1]) {
		t.Error("two items have one vector")
	}
	labels := make([][]int, len(images))
	for i, probs := range predictions(t, n, images, unet.Pass{}) {
		for p := 0; p < len(probs); p += 3 {
			best := 0
			for k := range 3 {
				if probs[p+k] > probs[p+best] {
					best = k
				}
			}
			labels[i] = append(labels[i], best)
		}
	}
	weights := n.Params().Named()["out.weight"].Data // [I K]
	const step = 1e-2
	for j := range weights {
		old := weights[j]
		var at [2][]float64
		for s, sign := range []float32{1, -1} {
			weights[j] = old + sign*step
			n.Params().Changed()
			for i, probs := range predictions(t, n, images, unet.Pass{}) {
				sum := 0.0
				for p, k := range labels[i] {
					sum -= math.Log(float64(probs[3*p+k])) / (side * side)
				}
				at[s] = append(at[s], sum)
			}
		}
		weights[j] = old
		n.Params().Changed()
		for i := range images {
			if want := (at[0][i] - at[1][i]) / (2 * step); math.Abs(float64(got[i][j])-want) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("item %d, weight %d: %v, by differences %v", i, j, got[i][j], want)
			}
		}
	}
}
