package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The ranks are those of tables of the sign test: with ten values the second and the ninth hold the median in 97.9 %.
func TestMedianInterval(t *testing.T) {
	for n, want := range map[int][2]float64{6: {1, 6}, 8: {1, 8}, 9: {2, 8}, 10: {2, 9}, 12: {3, 10}, 15: {4, 12}, 20: {6, 15}, 25: {8, 18}} {
		var values []float64
		for i := range n {
			values = append(values, float64(n-i))
		}
		if got := MedianInterval(values, 0.95); got.Low != want[0] || got.High != want[1] || values[0] != float64(n) {
			t.Errorf("%d values: %v to %v, want %v", n, got.Low, got.High, want)
		}
	}
	for n := range 6 {
		if got := MedianInterval(make([]float64, n), 0.95); !math.IsNaN(got.Low) || !math.IsNaN(got.High) {
			t.Errorf("%d values: %+v", n, got)
		}
	}
	inf := math.Inf(1)
	if got := MedianInterval([]float64{3, inf, 1, 2, inf, inf}, 0.95); got.Low != 1 || got.High != inf {
		t.Errorf("with runs that never get there: %+v", got)
	}
	if got := MedianInterval([]float64{1, 2, 3, 4, 5}, 0.9); got.Low != 1 || got.High != 5 {
		t.Errorf("five at 0.9: %+v", got)
	}
}

func TestMedianIntervalHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const draws = 4000
	held := 0
	for range draws {
		values := make([]float64, 10)
		for i := range values {
			values[i] = rng.ExpFloat64()
		}
		if i := MedianInterval(values, 0.95); i.Low <= math.Ln2 && math.Ln2 <= i.High {
			held++
		}
	}
	if share := float64(held) / draws; math.Abs(share-0.9785) > 0.01 {
		t.Errorf("%.3f of the intervals hold the median, want 0.979", share)
	}
}

// Points on a curve give its rate back.
func TestSaturation(t *testing.T) {
	s := Saturation{Ceiling: 0.85, Start: 0.4, X0: 0.013}
	for _, rate := range []float64{-3, 0.5, 1, 7, 42, 300} {
		var x, y []float64
		for i := range 7 {
			x = append(x, s.X0+0.02*float64(i))
			y = append(y, s.At(x[i], rate))
		}
		if got := s.Rate(x, y); math.Abs(got/rate-1) > 1e-6 {
			t.Errorf("rate %v, want %v", got, rate)
		}
	}
	// Half of what is left after a share of 0.1 is a rate of ln 2 / 0.1; one point decides it.
	if got, want := (Saturation{Ceiling: 1, Start: 0, X0: 0.1}).Rate([]float64{0.1, 0.2}, []float64{0, 0.5}), math.Ln2/0.1; math.Abs(got-want) > 1e-5 {
		t.Errorf("rate %v, want %v", got, want)
	}
	// A flat curve has none, and points around a curve, as far above it as below, one near it.
	if got := s.Rate([]float64{0.013, 0.1, 0.2}, []float64{0.4, 0.4, 0.4}); math.Abs(got) > 1e-6 {
		t.Errorf("flat: %v", got)
	}
	if got := s.Rate([]float64{0.1, 0.1}, []float64{s.At(0.1, 9) - 0.03, s.At(0.1, 9) + 0.03}); math.Abs(got-9) > 1e-5 {
		t.Errorf("around 9: %v", got)
	}
	for name, c := range map[string]struct {
		s    Saturation
		x, y []float64
	}{
		"no points":             {s, nil, nil},
		"the start alone":       {s, []float64{0.013, 0.013}, []float64{0.4, 0.5}},
		"above the ceiling":     {s, []float64{0.1, 0.2}, []float64{0.86, 0.9}},
		"at the ceiling":        {s, []float64{0.1, 0.2}, []float64{0.85, 0.85}},
		"start at the ceiling":  {Saturation{0.4, 0.4, 0}, []float64{0, 1}, []float64{0.4, 0.3}},
		"start above, and less": {Saturation{0.4, 0.5, 0}, []float64{0, 1}, []float64{0.5, 0.45}},
	} {
		if got := c.s.Rate(c.x, c.y); !math.IsNaN(got) {
			t.Errorf("%s: %v, want NaN", name, got)
		}
	}
}
