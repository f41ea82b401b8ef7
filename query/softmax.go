package query

import (
	"math"
	"math/rand/v2"
)

// Softmax picks items at random without replacement, each step with probability proportional to the exponential of
// the score:
//
//	p_i ∝ exp(β s_i),  that is the B highest of β s_i + Gumbel noise
//
// β has the unit of one over the score. Uncertainty averaged over an image is often below 0.1 nats: there β = 1 is
// hardly more than [Random], so choose β by the spread of the scores. Scores may be negative.
//
// Cost: scores all N items, each by the passes of its score; O(N log B) time and O(N) memory beyond them.
//
// Source: Kirsch et al. 2023, as in [Power].
type Softmax struct {
	Beta float64 // β > 0; 0 = 1
}

// Needs implements [Strategy].
func (Softmax) Needs() Needs { return Needs{Scores: true} }

// Select implements [Strategy].
func (s Softmax) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	return noisyTop(s, p, size, rng, func(scores []float64) ([]float64, error) {
		weights := make([]float64, len(scores))
		for i, v := range scores {
			weights[i] = inverseTemperature(s.Beta) * v
		}
		return weights, nil
	})
}

func (s Softmax) String() string { return call("softmax", option("beta", s.Beta, 0, 1)) }

var softmax = entry{
	Info: Info{
		Name: "softmax", Kind: KindSelector,
		Does:    "random draw, probability proportional to exp(beta*score)",
		Options: "beta=1",
		Cost:    "of the score, all items",
		Source:  "Kirsch et al. 2023, TMLR, arXiv 2106.12059",
	},
	strategy: func(o *options) Strategy { return Softmax{Beta: o.number("beta", 1, math.MaxFloat64)} },
}
