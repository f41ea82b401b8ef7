package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/null"
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

// Reach is the number of labels with which a run reaches a value. A run that does not reach it has no such number,
// rather than a large one: see Reached. In JSON Labels is then null.
type Reach struct {
	Labels  float64 // where the curve first crosses the value, interpolated; NaN if it does not
	Reached bool
	Best    float64 // best value of the run; NaN for a run without values
}

// String returns the number of labels, or that it was not reached and how far the run came.
func (r Reach) String() string {
	if r.Reached {
		return fmt.Sprintf("%.4g", r.Labels)
	}
	return fmt.Sprintf("not reached (best %.4g)", r.Best)
}

// MarshalJSON writes NaN as null.
func (r Reach) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Labels  null.Float `json:"labels"`
		Reached bool       `json:"reached"`
		Best    null.Float `json:"best"`
	}{null.Float(r.Labels), r.Reached, null.Float(r.Best)})
}

// LabelsToReach returns where a run first reaches a value, with linear interpolation between two cycles; a run that has
// it from the start reaches it with its initial set. Cycles without a value are passed over. It panics if Labels do
// not strictly increase.
func LabelsToReach(r Run, value float64, d Direction) Reach {
	r.demandOrder("LabelsToReach")
	r = r.at(r.measured())
	out := Reach{Labels: math.NaN(), Best: math.NaN()}
	for i, v := range r.Values {
		if i == 0 || d.sign()*(v-out.Best) > 0 {
			out.Best = v
		}
		if out.Reached || d.sign()*(v-value) < 0 {
			continue
		}
		out.Reached, out.Labels = true, float64(r.Labels[i])
		if i > 0 {
			share := (value - r.Values[i-1]) / (v - r.Values[i-1])
			out.Labels = float64(r.Labels[i-1]) + share*float64(r.Labels[i]-r.Labels[i-1])
		}
	}
	return out
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

// at returns the run at these label counts, all of which it has.
func (r Run) at(labels []int) Run {
	out := Run{Set: r.Set, Labels: labels}
	for _, n := range labels {
		i, _ := slices.BinarySearch(r.Labels, n)
		out.Values = append(out.Values, r.Values[i])
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
