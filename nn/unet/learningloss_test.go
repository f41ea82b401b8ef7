package unet

import (
	"math"
	"slices"
	"testing"
)

// The number that the paper's module has.
func TestLossModuleWeights(t *testing.T) {
	m := declareLossModule(64)
	if got, want := m.params.Len(), 123_905; got != want {
		t.Errorf("%d weights, want %d", got, want)
	}
}

func TestPairLoss(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name              string
		predicted, losses []float32
		margin, want      float64
		gradient          []float32
	}{
		// (0, 3): l₀ > l₃ and the predictions are 2 apart; (1, 2): l₁ < l₂ but the predictions say otherwise.
		{"one pair right", []float32{3, 2, 1.5, 1}, []float32{9, 4, 5, 8}, 1, (0 + 1.5) / 2, []float32{0, 0.5, -0.5, 0}},
		{"constant", []float32{1, 1, 1, 1}, []float32{4, 3, 2, 1}, 1, 1, []float32{-0.5, -0.5, 0.5, 0.5}},
		{"constant, margin 0", []float32{1, 1, 1, 1}, []float32{4, 3, 2, 1}, 0, 0, []float32{0, 0, 0, 0}},
		{"odd", []float32{1, 7, 1}, []float32{2, 5, 1}, 1, 1, []float32{-1, 0, 1}},
		{"equal losses", []float32{0, 0.25}, []float32{1, 1}, 1, 0.75, []float32{1, -1}},
		{"one item", []float32{5}, []float32{2}, 1, 0, []float32{0}},
		{"not a number", []float32{nan, 1}, []float32{2, 1}, 1, math.NaN(), []float32{-1, 1}},
	} {
		d := make([]float32, len(c.predicted))
		got := PairLoss(d, c.predicted, c.losses, c.margin)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: loss %v, want %v", c.name, got, c.want)
		}
		if !slices.Equal(d, c.gradient) {
			t.Errorf("%s: gradient %v, want %v", c.name, d, c.gradient)
		}
	}
}
