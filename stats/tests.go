package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nextslice/nextslice/internal/null"
)

// Test is the result of a significance test.
type Test struct {
	Name      string  // the name to print under a table
	P         float64 // two-sided; NaN without data
	Statistic float64
	N         int  // differences that the test used
	Exact     bool // P is exact, not an approximation or an estimate from random draws
	Draws     int  // random draws behind an estimate, else 0
}

// MarshalJSON writes NaN and infinity as null.
func (t Test) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name      string     `json:"name"`
		P         null.Float `json:"p"`
		Statistic null.Float `json:"statistic"`
		N         int        `json:"n"`
		Exact     bool       `json:"exact"`
		Draws     int        `json:"draws,omitempty"`
	}{t.Name, null.Float(t.P), null.Float(t.Statistic), t.N, t.Exact, t.Draws})
}

// signFlipEnumerated is the largest number of differences whose sign assignments are all enumerated: 2^19 sums.
const signFlipEnumerated = 20

// SignFlip tests whether paired differences are symmetric about zero. Its statistic is their mean, and P is the share of
// the 2^n assignments of signs under which the mean is as far from zero as the observed one, or farther. To n = 20 it
// is exact; above, it is estimated from draws random assignments as (1 + hits) / (1 + draws), which never is zero, and
// needs rng.
//
// Sums within 1e-12 of the sum of the absolute differences count as equal, so that rounding does not break ties. It
// panics on a NaN difference, and above n = 20 if rng is nil or draws below 1.
// Sources: Fisher 1935, "The design of experiments", section 21; Phipson and Smyth 2010, "Permutation p-values should
// never be zero", for the estimate.
func SignFlip(differences []float64, draws int, rng *rand.Rand) Test {
	demandNumbers("SignFlip", differences)
	n := len(differences)
	if n == 0 {
		return Test{Name: "sign-flip permutation", P: math.NaN(), Statistic: math.NaN(), Exact: true}
	}
	sum, size := 0.0, 0.0
	for _, d := range differences {
		sum += d
		size += math.Abs(d)
	}
	out := Test{Name: "sign-flip permutation", Statistic: sum / float64(n), N: n}
	threshold := math.Abs(sum) - 1e-12*size
	if n <= signFlipEnumerated {
		// Turning all signs leaves |sum| as it is: half of the assignments will do.
		hits := extremes(differences[1:], differences[0], threshold)
		out.P, out.Exact = float64(hits)/math.Ldexp(1, n-1), true
		return out
	}
	if rng == nil || draws < 1 {
		panic(fmt.Sprintf("stats: SignFlip: %d differences are too many to enumerate, want a random stream and at least one draw, got %d", n, draws))
	}
	hits := 0
	for range draws {
		flipped := 0.0
		var bits uint64
		for i, d := range differences {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			if bits&1 == 0 {
				d = -d
			}
			bits >>= 1
			flipped += d
		}
		if math.Abs(flipped) >= threshold {
			hits++
		}
	}
	out.Draws = draws
	out.P = float64(1+hits) / float64(1+draws)
	return out
}

// extremes counts the assignments of signs to differences under which |sum ± ...| reaches the threshold.
func extremes(differences []float64, sum, threshold float64) int {
	if len(differences) == 0 {
		if math.Abs(sum) >= threshold {
			return 1
		}
		return 0
	}
	d, rest := differences[0], differences[1:]
	return extremes(rest, sum+d, threshold) + extremes(rest, sum-d, threshold)
}

// PairedT tests whether the mean of paired differences is zero, with Student's t distribution of n-1 degrees of freedom.
// With fewer than two differences P is NaN. Where all are equal, P is 1 for zero and else 0. It panics on NaN.
func PairedT(differences []float64) Test {
	demandNumbers("PairedT", differences)
	n := len(differences)
	out := Test{Name: "paired t", P: math.NaN(), Statistic: math.NaN(), N: n}
	if n < 2 {
		return out
	}
	mean, std := stat.MeanStdDev(differences, nil)
	switch {
	case slices.Max(differences) == slices.Min(differences) && mean == 0:
		out.Statistic, out.P = 0, 1
	case slices.Max(differences) == slices.Min(differences):
		out.Statistic, out.P = math.Inf(int(math.Copysign(1, mean))), 0
	default:
		out.Statistic = mean / (std / math.Sqrt(float64(n)))
		out.P = 2 * distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.CDF(-math.Abs(out.Statistic))
	}
	return out
}

// Holm returns p-values corrected for the number of tests in a table: the smallest is multiplied by m, the next by m-1
// and so on, none below an earlier one or above 1. Rejecting where the result is at most alpha keeps the chance of
// any false rejection at alpha, however the tests depend on each other. A NaN is no test: it stays NaN and does not
// count. Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
func Holm(p []float64) []float64 {
	out := slices.Repeat([]float64{math.NaN()}, len(p))
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if p[a] < p[b] {
			return -1
		}
		if p[a] > p[b] {
			return 1
		}
		return 0
	})
	floor := 0.0
	for rank, i := range order {
		floor = max(floor, min(1, p[i]*float64(len(order)-rank)))
		out[i] = floor
	}
	return out
}

func demandNumbers(function string, values []float64) {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			panic(fmt.Sprintf("stats: %s: value %d is %v", function, i, v))
		}
	}
}
