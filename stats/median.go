package stats

import (
	"fmt"
	"math"
	"slices"
)

// MedianInterval returns an interval of the median of the distribution that values are drawn from, between two of them: the k-th
// smallest and the k-th largest, with the largest k for which each end fails with a probability of at most (1 - level)/2,
//
//	P(B < k) <= (1 - level)/2,   B binomial with n tries of chance ½.
//
// It holds the median with at least that level, whatever the distribution, exactly where this is continuous. Values may be infinite: a
// run that never gets somewhere counts as more than all. With too few values (below 6 at level 0.95) both ends are NaN. It panics on NaN
// and on a level outside (0, 1).
func MedianInterval(values []float64, level float64) Interval {
	if slices.ContainsFunc(values, math.IsNaN) {
		panic("stats: MedianInterval: a value is NaN")
	}
	if !(level > 0 && level < 1) {
		panic(fmt.Sprintf("stats: MedianInterval: level %v, want 0 < level < 1", level))
	}
	n, k := len(values), 0
	below, term := 0.0, math.Ldexp(1, -n) // P(B < k + 1) after the next addition; P(B = k)
	for {
		if below += term; below > (1-level)/2 || k == n/2 {
			break
		}
		term *= float64(n-k) / float64(k+1)
		k++
	}
	if k == 0 {
		return Interval{Low: math.NaN(), High: math.NaN(), Level: level}
	}
	x := slices.Sorted(slices.Values(values))
	return Interval{Low: x[k-1], High: x[n-k], Level: level}
}
