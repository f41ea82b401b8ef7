package stats

import (
	"fmt"
	"math"
	"slices"
)

// Run is the learning curve of one run: one strategy from one initial set.
type Run struct {
	// Set names the initial set. Runs of two strategies with the same Set are a pair.
	Set int
	// Labels is the number of labelled items at each cycle, strictly increasing.
	Labels []int
	// Values is the measure at each cycle, such as the Dice on the test cases. NaN is a cycle without a value.
	Values []float64
}

// Direction says which of two values of a measure is the better one.
type Direction int

const (
	HigherIsBetter Direction = iota // Dice
	LowerIsBetter                   // HD95, ASSD, calibration error
)

// sign is what a value is multiplied with to make higher better.
func (d Direction) sign() float64 {
	if d == LowerIsBetter {
		return -1
	}
	return 1
}

// AULC returns the area under the learning curve divided by its range of labels, that is the mean performance over the
// budget, by the trapezoid rule:
//
//	sum_i (v_i + v_{i+1}) / 2 · (n_{i+1} - n_i) / (n_last - n_first)
//
// The curve of a single cycle has its value; a run of none, or with a NaN among its values, has NaN. AULC panics if
// Labels do not strictly increase.
func AULC(r Run) float64 {
	r.demandOrder("AULC")
	last := len(r.Labels) - 1
	switch {
	case last < 0:
		return math.NaN()
	case last == 0:
		return r.Values[0]
	}
	area := 0.0
	for i := range last {
		area += (r.Values[i] + r.Values[i+1]) / 2 * float64(r.Labels[i+1]-r.Labels[i])
	}
	return area / float64(r.Labels[last]-r.Labels[0])
}

// Final returns the value of the last cycle; NaN for a run of none.
func Final(r Run) float64 {
	if len(r.Values) == 0 {
		return math.NaN()
	}
	return r.Values[len(r.Values)-1]
}

// LabelsToReach returns the number of labels with which a run first reaches a value, with linear interpolation between two
// cycles; a run that has it from the start reaches it with its initial set. A run that does not reach it has no such number,
// rather than a large one: NaN and false. Cycles without a value are passed over. It panics if Labels do not strictly
// increase.
func LabelsToReach(r Run, value float64, d Direction) (labels float64, reached bool) {
	r.demandOrder("LabelsToReach")
	r = r.On(r.measured())
	for i, v := range r.Values {
		if d.sign()*(v-value) < 0 {
			continue
		}
		if i == 0 {
			return float64(r.Labels[0]), true
		}
		share := (value - r.Values[i-1]) / (v - r.Values[i-1])
		return float64(r.Labels[i-1]) + share*float64(r.Labels[i]-r.Labels[i-1]), true
	}
	return math.NaN(), false
}

// measured returns the label counts at which the run has a value.
func (r Run) measured() []int {
	var out []int
	for i, v := range r.Values {
		if !math.IsNaN(v) {
			out = append(out, r.Labels[i])
		}
	}
	return out
}

// At returns the value with a number of labels: that of its cycle, or between two cycles the one on the straight line between theirs, which is
// NaN where one of them has none. Before the first cycle and after the last a run has no value: NaN and false. It panics if Labels do not
// strictly increase.
func (r Run) At(labels int) (value float64, ok bool) {
	r.demandOrder("At")
	i, found := slices.BinarySearch(r.Labels, labels)
	switch {
	case found:
		return r.Values[i], true
	case i == 0 || i == len(r.Labels):
		return math.NaN(), false
	}
	share := float64(labels-r.Labels[i-1]) / float64(r.Labels[i]-r.Labels[i-1])
	return r.Values[i-1] + share*(r.Values[i]-r.Values[i-1]), true
}

// Shared returns the label counts of any of these runs that lie within all of them, ascending: where all have a value by At. It panics
// where the Labels of a run do not strictly increase.
func Shared(runs ...Run) (labels []int) {
	for _, r := range runs {
		r.demandOrder("Shared")
		labels = append(labels, r.Labels...)
	}
	slices.Sort(labels)
	return slices.DeleteFunc(slices.Compact(labels), func(n int) bool {
		return slices.ContainsFunc(runs, func(r Run) bool { _, ok := r.At(n); return !ok })
	})
}

// On returns the run at these label counts, which must lie within it, such as those of Shared: with the values of At. It panics if Labels do not strictly
// increase.
func (r Run) On(labels []int) Run {
	out := Run{Set: r.Set, Labels: labels}
	for _, n := range labels {
		v, _ := r.At(n)
		out.Values = append(out.Values, v)
	}
	return out
}

func (r Run) demandOrder(function string) {
	if len(r.Labels) != len(r.Values) {
		panic(fmt.Sprintf("stats: %s: %d label counts and %d values", function, len(r.Labels), len(r.Values)))
	}
	for i := 1; i < len(r.Labels); i++ {
		if r.Labels[i] <= r.Labels[i-1] {
			panic(fmt.Sprintf("stats: %s: label counts %d after %d, want them strictly increasing", function, r.Labels[i], r.Labels[i-1]))
		}
	}
}
