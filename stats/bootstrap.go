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

// Interval is a confidence interval. Both ends are NaN where there is none.
type Interval struct {
	Low, High float64
	Level     float64 // 0.95 for 95 %
	Draws     int     // bootstrap draws behind it
}

// MarshalJSON writes NaN as null.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Low   null.Float `json:"low"`
		High  null.Float `json:"high"`
		Level float64    `json:"level"`
		Draws int        `json:"draws"`
	}{null.Float(i.Low), null.Float(i.High), i.Level, i.Draws})
}

// BootstrapMean returns the bias-corrected and accelerated (BCa) bootstrap interval of the mean of values, from draws
// samples of as many values, drawn with replacement.
//
// BCa and not the plain percentile interval, because differences between runs are often skewed (one bad initial set),
// and BCa moves both ends with the skew; without skew the two agree. Neither widens for a small sample: of intervals
// at level 0.95 for values drawn from a normal distribution about 84 % hold its mean with n = 5, 90 % with n = 10 and
// 92 % with n = 20. With n below 2 both ends are NaN; where all values are equal both ends are that value.
//
// It panics on NaN, on a level outside (0, 1), or with less than one draw.
// Source: Efron 1987, "Better bootstrap confidence intervals"; the acceleration is the jackknife's, Efron and
// Tibshirani 1993, "An introduction to the bootstrap", equation 14.15.
func BootstrapMean(values []float64, level float64, draws int, rng *rand.Rand) Interval {
	demandNumbers("BootstrapMean", values)
	if !(level > 0 && level < 1) || draws < 1 || rng == nil {
		panic(fmt.Sprintf("stats: BootstrapMean: level %v, %d draws, want 0 < level < 1, at least one draw and a random stream", level, draws))
	}
	n := len(values)
	out := Interval{Low: math.NaN(), High: math.NaN(), Level: level, Draws: draws}
	if n < 2 {
		return out
	}
	means := make([]float64, draws)
	for d := range means {
		sum := 0.0
		for range n {
			sum += values[rng.IntN(n)]
		}
		means[d] = sum / float64(n)
	}
	out.Low, out.High = bca(values, means, level)
	return out
}

// bca returns the ends of the interval of the mean of values from its bootstrap distribution, which it sorts.
func bca(values, means []float64, level float64) (low, high float64) {
	mean := stat.Mean(values, nil)
	if slices.Min(values) == slices.Max(values) {
		return values[0], values[0]
	}
	slices.Sort(means)

	// Bias: the share of the distribution below the mean. Means within rounding of it count half.
	scale := 0.0
	var squares, cubes float64
	for _, v := range values {
		scale = max(scale, math.Abs(v))
		squares += (v - mean) * (v - mean)
		cubes += (v - mean) * (v - mean) * (v - mean)
	}
	share := 0.0
	for _, m := range means {
		switch {
		case math.Abs(m-mean) <= 1e-13*scale:
			share += 0.5
		case m < mean:
			share++
		}
	}
	share /= float64(len(means))
	bias := 0.0
	if share > 0 && share < 1 { // else too few draws to tell: the percentile interval
		bias = distuv.UnitNormal.Quantile(share)
	}
	// Without value i the mean moves by (mean - v_i) / (n-1); the factor cancels in the skewness.
	acceleration := cubes / (6 * math.Pow(squares, 1.5))

	end := func(q float64) float64 {
		z := bias + distuv.UnitNormal.Quantile(q)
		return quantile(means, distuv.UnitNormal.CDF(bias+z/(1-acceleration*z)))
	}
	return end((1 - level) / 2), end((1 + level) / 2)
}
