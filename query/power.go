package query

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Power picks items at random without replacement, each step with probability proportional to a power of the score:
//
//	p_i ∝ s_i^β,  that is the B highest of β ln s_i + Gumbel noise
//
// β → 0 is [Random], β → ∞ is [Top]. Scores must not be negative: a negative one is an error that names the item
// (use [Softmax] or [SoftRank]). An item of score 0 is picked only when too few others are left, then at random.
//
// Cost: scores all N items, each by the passes of its score; O(N log B) time and O(N) memory beyond them.
//
// Source: Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron, Gal 2023, "Stochastic batch acquisition: a simple
// baseline for deep active learning", TMLR, arXiv 2106.12059. There, too, β = 1 unless said otherwise.
type Power struct {
	Beta float64 // β > 0; 0 = 1
}

// Needs implements [Strategy].
func (Power) Needs() Needs { return Needs{Scores: true, NonNegative: true} }

// Select implements [Strategy].
func (s Power) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	return noisyTop(s, p, size, rng, func(scores []float64) ([]float64, error) {
		weights := make([]float64, len(scores))
		for i, v := range scores {
			if v < 0 {
				return nil, fmt.Errorf("query: the score of item %d is %v; power needs scores of 0 or more, "+
					"softmax and softrank take any", i, v)
			}
			weights[i] = inverseTemperature(s.Beta) * math.Log(v)
		}
		return weights, nil
	})
}

func (s Power) String() string { return call("power", option("beta", s.Beta, 0, 1)) }

var power = entry{
	Info: Info{
		Name: "power", Kind: KindSelector,
		Does:    "random draw, probability proportional to score^beta; scores of 0 or more",
		Options: "beta=1",
		Cost:    "of the score, all items",
		Source:  "Kirsch et al. 2023, TMLR, arXiv 2106.12059",
	},
	strategy: func(o *options) Strategy { return Power{Beta: o.number("beta", 1, math.MaxFloat64)} },
}
