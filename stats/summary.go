package stats

import (
	"encoding/json"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/nextslice/nextslice/internal/null"
)

// Summary describes the values of some runs.
type Summary struct {
	N                      int     // values that are not NaN
	Missing                int     // values that are NaN, and left out
	Mean, Median, Min, Max float64 // NaN if N is 0
	Std                    float64 // of the sample (divisor N-1); NaN if N is below 2
}

// Describe returns the summary of values, in any order.
func Describe(values []float64) Summary {
	x := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	out := Summary{N: len(x), Missing: len(values) - len(x)}
	if len(x) == 0 {
		out.Mean, out.Median, out.Min, out.Max, out.Std = math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
		return out
	}
	slices.Sort(x)
	out.Mean, out.Std = stat.MeanStdDev(x, nil)
	if len(x) < 2 {
		out.Std = math.NaN()
	}
	out.Min, out.Max = x[0], x[len(x)-1]
	out.Median = quantile(x, 0.5)
	return out
}

// MarshalJSON writes NaN as null.
func (s Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		N       int        `json:"n"`
		Missing int        `json:"missing"`
		Mean    null.Float `json:"mean"`
		Std     null.Float `json:"std"`
		Median  null.Float `json:"median"`
		Min     null.Float `json:"min"`
		Max     null.Float `json:"max"`
	}{s.N, s.Missing, null.Float(s.Mean), null.Float(s.Std), null.Float(s.Median), null.Float(s.Min), null.Float(s.Max)})
}

// quantile returns the q-quantile of sorted values with linear interpolation between the two nearest ranks (numpy's
// default), 0 <= q <= 1.
func quantile(sorted []float64, q float64) float64 {
	rank := q * float64(len(sorted)-1)
	below := int(rank)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (rank-float64(below))*(sorted[above]-sorted[below])
}

// ranks returns the rank of each value from 1; equal values have the mean of their ranks (midranks).
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(values))
	for first := 0; first < len(order); {
		end := first + 1
		for end < len(order) && values[order[end]] == values[order[first]] {
			end++
		}
		for _, i := range order[first:end] {
			out[i] = float64(first+1+end) / 2 // mean of first+1 ... end
		}
		first = end
	}
	return out
}
