package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// wilcoxonExact is the largest number of differences with an exact distribution: it takes n³ additions.
const wilcoxonExact = 500

// Wilcoxon is the two-sided signed-rank test of paired differences: whether they are symmetric about zero. Differences of
// zero are left out; the absolute values of the others are ranked, equal ones by midranks, and Statistic is the sum of the
// ranks of the positive ones, T.
//
// To n = 500 the distribution of T under random signs is computed for the very ranks at hand, so P is exact with ties
// too:
//
//	P = share of the 2^n assignments of signs with |T - E| >= |T observed - E|,  E = (sum of ranks) / 2
//
// Above, T is taken as normal with that mean and the variance (sum of squared ranks) / 4. Differences are tied if they
// are equal as float64. N is the number of differences that are not zero; if there is none, P is 1, and NaN without any
// difference. It panics on NaN.
// Source: Wilcoxon 1945, "Individual comparisons by ranking methods".
func Wilcoxon(differences []float64) Test {
	demandNumbers("Wilcoxon", differences)
	out := Test{Name: "Wilcoxon signed-rank", Exact: true}
	if len(differences) == 0 {
		out.P, out.Statistic = math.NaN(), math.NaN()
		return out
	}
	var ranked, absolute []float64
	for _, d := range differences {
		if d != 0 {
			ranked, absolute = append(ranked, d), append(absolute, math.Abs(d))
		}
	}
	// Midranks are multiples of one half: doubled they are integers, and sums of them index a table.
	var doubled []int
	positive := 0
	for i, rank := range ranks(absolute) {
		r := int(2 * rank)
		doubled = append(doubled, r)
		if ranked[i] > 0 {
			positive += r
		}
	}
	out.N = len(doubled)
	out.Statistic = float64(positive) / 2
	switch {
	case out.N == 0:
		out.P = 1
	case out.N <= wilcoxonExact:
		out.P = signedRankExact(doubled, positive)
	default:
		out.Exact = false
		out.P = signedRankNormal(doubled, positive)
	}
	return out
}

// signedRankExact returns the two-sided P of a sum of doubled ranks.
func signedRankExact(doubled []int, positive int) float64 {
	total := 0
	for _, r := range doubled {
		total += r
	}
	// share[s] is the share of assignments whose positive ranks sum to s, of the ranks so far.
	share := make([]float64, total+1)
	share[0] = 1
	reach := 0
	for _, r := range doubled {
		reach += r
		for s := reach; s >= r; s-- {
			share[s] = (share[s] + share[s-r]) / 2
		}
		for s := min(r, reach+1) - 1; s >= 0; s-- {
			share[s] /= 2
		}
	}
	// The distribution is symmetric: both tails are twice the lower one, to the nearer of T and its mirror image.
	lower := min(positive, total-positive)
	if 2*lower == total {
		return 1
	}
	p := 0.0
	for _, v := range share[:lower+1] { // ascending: small ones first
		p += v
	}
	return min(1, 2*p)
}

func signedRankNormal(doubled []int, positive int) float64 {
	total, squares := 0.0, 0.0
	for _, r := range doubled {
		total += float64(r)
		squares += float64(r) * float64(r)
	}
	z := (float64(positive) - total/2) / math.Sqrt(squares/4)
	return 2 * distuv.UnitNormal.CDF(-math.Abs(z))
}
