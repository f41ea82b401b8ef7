package recipe

import (
	"math"
	"slices"
	"testing"
)

// The paper's learning rates by hand: 250 steps per epoch, 1e-6 → 1e-4 over 10 epochs, then half a cosine over the
// 64 epochs to the last, number 74.
func TestPaperSchedule(t *testing.T) {
	paper, err := FindPreset("paper")
	if err != nil {
		t.Fatal(err)
	}
	c := paper.Train
	for epoch, want := range map[int]float64{
		0:  1e-6,
		5:  5.05e-5,
		10: 1e-4,
		42: 1e-7 + (1e-4-1e-7)/2, // half way down
		74: 1e-7,
	} {
		for _, step := range []int{250 * epoch, 250*epoch + 249} {
			if got := c.LearningRate.At(step, c.Steps); math.Abs(got-want) > 1e-12 {
				t.Errorf("epoch %d, step %d: got %v, want %v", epoch, step, got, want)
			}
		}
	}
}

func TestOneCycleSchedule(t *testing.T) {
	s := Schedule{First: 4e-5, Peak: 1e-3, Last: 4e-9, WarmUp: 0.3}
	var rates []float64
	for step := range 500 {
		rates = append(rates, s.At(step, 500))
	}
	if rates[0] != 4e-5 || rates[150] != 1e-3 || math.Abs(rates[499]-4e-9) > 1e-15 {
		t.Errorf("first %v, peak %v, last %v", rates[0], rates[150], rates[499])
	}
	if !slices.IsSorted(rates[:151]) || slices.IndexFunc(rates[151:], func(r float64) bool { return r > 1e-3 }) >= 0 {
		t.Error("the rate does not rise to its peak and fall from there")
	}
	for _, steps := range []int{1, 2, 3} {
		for step := range steps {
			if r := s.At(step, steps); !(r > 0 && r <= 1e-3) {
				t.Errorf("step %d of %d: rate %v", step, steps, r)
			}
		}
	}
}
