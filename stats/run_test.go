package stats

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAULC(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		run  Run
		want float64
	}{
		"constant":     {Run{Labels: []int{10, 20, 70}, Values: []float64{0.4, 0.4, 0.4}}, 0.4},
		"straight":     {Run{Labels: []int{10, 40, 110}, Values: []float64{0.1, 0.4, 1.1}}, 0.6}, // the middle
		"uneven":       {Run{Labels: []int{0, 1, 11}, Values: []float64{0, 1, 1}}, 10.5 / 11},
		"single":       {Run{Labels: []int{10}, Values: []float64{0.7}}, 0.7},
		"none":         {Run{}, nan},
		"not a number": {Run{Labels: []int{10, 20}, Values: []float64{0.7, nan}}, nan},
	} {
		if got := AULC(c.run); !near(got, c.want, 1e-12) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := Final(Run{Labels: []int{1, 2}, Values: []float64{3, 4}}); got != 4 {
		t.Errorf("Final: got %v, want 4", got)
	}
	if got := Final(Run{}); !math.IsNaN(got) {
		t.Errorf("Final of no cycle: got %v, want NaN", got)
	}
}

func TestLabelsToReach(t *testing.T) {
	nan := math.NaN()
	r := Run{Labels: []int{10, 20, 30, 50, 60}, Values: []float64{0.5, 0.7, nan, 0.6, 0.8}}
	for _, c := range []struct {
		value  float64
		d      Direction
		labels float64 // NaN: not reached
	}{
		{0.5, HigherIsBetter, 10},
		{0.3, HigherIsBetter, 10},
		{0.6, HigherIsBetter, 15}, // the first crossing, not the later one
		{0.7, HigherIsBetter, 20},
		{0.75, HigherIsBetter, 57.5},
		{0.8, HigherIsBetter, 60},
		{0.81, HigherIsBetter, nan},
		{0.65, LowerIsBetter, 10},
		{0.4, LowerIsBetter, nan},
	} {
		labels, reached := LabelsToReach(r, c.value, c.d)
		if reached == math.IsNaN(c.labels) || math.IsNaN(labels) == reached || reached && !near(labels, c.labels, 1e-9) {
			t.Errorf("%v: got %v, %v, want %v", c.value, labels, reached, c.labels)
		}
	}
	falling := Run{Labels: []int{10, 20}, Values: []float64{8, 4}}
	if got, _ := LabelsToReach(falling, 5, LowerIsBetter); !near(got, 17.5, 1e-12) {
		t.Errorf("a distance of 5: got %v, want 17.5 labels", got)
	}
	if _, reached := LabelsToReach(Run{}, 0.5, HigherIsBetter); reached {
		t.Error("a run without a cycle reached something")
	}
}

// What is reached is on the curve: the interpolated value at the label count is the value asked for.
func TestLabelsToReachIsOnTheCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "cycles")
		var r Run
		at := 0
		for range n {
			at += rapid.IntRange(1, 20).Draw(t, "step")
			r.Labels = append(r.Labels, at)
			r.Values = append(r.Values, rapid.Float64Range(0, 1).Draw(t, "value"))
		}
		value := rapid.Float64Range(0, 1).Draw(t, "target")
		got, reached := LabelsToReach(r, value, HigherIsBetter)
		if reached != (slices.Max(r.Values) >= value) {
			t.Fatalf("got %v, %v for %v", got, reached, value)
		}
		for i := range r.Labels {
			if reached && float64(r.Labels[i]) < got && r.Values[i] > value {
				t.Fatalf("reached earlier, at %d: got %v for %v", r.Labels[i], got, value)
			}
			if !reached || i == 0 || got <= float64(r.Labels[i-1]) || got > float64(r.Labels[i]) {
				continue
			}
			share := (got - float64(r.Labels[i-1])) / float64(r.Labels[i]-r.Labels[i-1])
			if on := r.Values[i-1] + share*(r.Values[i]-r.Values[i-1]); !near(on, value, 1e-9) {
				t.Fatalf("the curve has %v at %v labels, want %v", on, got, value)
			}
		}
	})
}

func TestDescribe(t *testing.T) {
	got := Describe([]float64{4, 1, math.NaN(), 3, 2})
	want := Summary{N: 4, Missing: 1, Mean: 2.5, Median: 2.5, Min: 1, Max: 4, Std: math.Sqrt(5.0 / 3)}
	if !near(got.Std, want.Std, 1e-12) {
		t.Errorf("std: got %v, want %v (divisor n-1)", got.Std, want.Std)
	}
	if got.Std = want.Std; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	data, err := json.Marshal(Describe([]float64{7}))
	if want := `{"n":1,"missing":0,"mean":7,"std":null,"median":7,"min":7,"max":7}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
	if _, err := json.Marshal(Describe(nil)); err != nil {
		t.Error(err)
	}
}

func TestAt(t *testing.T) {
	r := Run{Labels: []int{10, 20, 40, 50}, Values: []float64{0.1, 0.3, 0.5, math.NaN()}}
	for _, c := range []struct {
		labels int
		want   float64
		ok     bool
	}{{9, math.NaN(), false}, {10, 0.1, true}, {15, 0.2, true}, {35, 0.45, true}, {40, 0.5, true}, {45, math.NaN(), true}, {50, math.NaN(), true}, {51, math.NaN(), false}} {
		if got, ok := r.At(c.labels); ok != c.ok || !near(got, c.want, 1e-12) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("with %d labels: %v, %v, want %v, %v", c.labels, got, ok, c.want, c.ok)
		}
	}
	if _, ok := (Run{}).At(1); ok {
		t.Error("a run of no cycle has a value")
	}
	if got, want := Shared(r, Run{Labels: []int{15, 17, 45}, Values: []float64{1, 1, 1}}), []int{15, 17, 20, 40, 45}; !slices.Equal(got, want) {
		t.Errorf("shared: %v, want %v", got, want)
	}
}
