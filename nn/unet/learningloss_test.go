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

// RankNet's loss of two pairs by hand, its gradient, and the rule for equal losses.
func TestRankLoss(t *testing.T) {
	r := []float32{0.2, -0.1, 0.4, 0.0}
	d := make([]float32, 4)
	for _, c := range []struct {
		losses []float32
		want   float64
		d0, d1 float32
	}{
		{[]float32{1.0, 0.5, 0.3, 0.8}, 0.786108, -0.225083, -0.311230},
		{[]float32{1.0, 0.3, 0.5, 0.8}, 0.536108, -0.225083, 0.5 - 0.311230},
		{[]float32{1.0, 0.5, 0.5, 0.8}, 0.598139 / 2, -0.225083, 0},
	} {
		got := RankLoss(d, r, c.losses)
		if math.Abs(got-c.want) > 1e-6 || math.Abs(float64(d[0]-c.d0)) > 1e-6 || math.Abs(float64(d[1]-c.d1)) > 1e-6 || d[3] != -d[0] || d[2] != -d[1] {
			t.Errorf("losses %v: %v, gradient %v; want %v, %v, %v", c.losses, got, d, c.want, c.d0, c.d1)
		}
	}
	if got := RankLoss(d[:1], r[:1], []float32{1}); got != 0 || d[0] != 0 {
		t.Errorf("a single item: %v, %v", got, d[0])
	}
	if got := RankLoss(d[:2], []float32{-800, 800}, []float32{2, 1}); math.Abs(got-1600) > 1e-3 {
		t.Errorf("far off: %v, want 1600", got)
	}
}
