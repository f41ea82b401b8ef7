package query

import (
	"math"
	"math/rand/v2"
)

// gumbel returns a draw from the standard Gumbel distribution, -ln(-ln U) with U uniform in (0, 1).
//
// The B highest of log w_i + gumbel are a draw of B items without replacement in which, at each step, an item is
// taken with probability proportional to its weight w_i: the noise rivals of stochastic batches rest on this.
// Source: Kool, van Hoof, Welling 2019, "Stochastic beams and where to find them", ICML, section 2.
func gumbel(rng *rand.Rand) float64 { return -math.Log(rng.ExpFloat64()) }

// noisyTop picks the B items of the highest logWeight + Gumbel noise. logWeights turns all scores into log weights.
func noisyTop(s Strategy, p Pool, size int, rng *rand.Rand, logWeights func(scores []float64) ([]float64, error)) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	scores, err := p.scoreAll()
	if err != nil {
		return Selection{}, err
	}
	noisy, err := logWeights(scores)
	if err != nil {
		return Selection{}, err
	}
	for i, w := range noisy {
		noise := gumbel(rng)
		// An item of weight 0 stays last. Added to the noise of one in 2^32 draws, +Inf, it would be NaN.
		if !math.IsInf(w, -1) {
			noisy[i] = w + noise
		}
	}
	return picked(highest(noisy, size, rng), scores), nil
}

// inverseTemperature returns β, where 0 stands for the default of 1.
func inverseTemperature(beta float64) float64 {
	if beta == 0 {
		return 1
	}
	return beta
}
