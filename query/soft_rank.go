package query

import (
	"math"
	"math/rand/v2"
)

// SoftRank picks items at random without replacement, each step with probability proportional to a power of the rank:
//
//	p_i ∝ r_i^-β,  that is the B highest of -β ln r_i + Gumbel noise
//
// where r_i = 1 for the highest score, 2 for the next, and so on; equal scores are ranked in random order. Only the
// order of the scores counts, so it does not depend on their unit and takes negative ones.
//
// Cost: scores all N items, each by the passes of its score; O(N log N) time and O(N) memory beyond them.
//
// Source: Kirsch et al. 2023, as in [Power].
type SoftRank struct {
	Beta float64 // β > 0; 0 = 1
}

// Needs implements [Strategy].
func (SoftRank) Needs() Needs { return Needs{Scores: true} }

// Select implements [Strategy].
func (s SoftRank) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	return noisyTop(s, p, size, rng, func(scores []float64) ([]float64, error) {
		weights := make([]float64, len(scores))
		for rank, item := range highest(scores, len(scores), rng) {
			weights[item] = -inverseTemperature(s.Beta) * math.Log(float64(rank+1))
		}
		return weights, nil
	})
}

func (s SoftRank) String() string { return call("softrank", option("beta", s.Beta, 0, 1)) }

var softRank = entry{
	Info: Info{
		Name: "softrank", Kind: KindSelector,
		Does:    "random draw, probability proportional to rank^-beta",
		Options: "beta=1",
		Cost:    "of the score, all items",
		Source:  "Kirsch et al. 2023, TMLR, arXiv 2106.12059",
	},
	strategy: func(o *options) Strategy { return SoftRank{Beta: o.number("beta", 1, math.MaxFloat64)} },
}
