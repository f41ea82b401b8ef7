package query

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/uncertainty"
)

// USIM picks the items that best stand for what is uncertain. Targets are drawn from the pool with replacement, each with probability
// proportional to its score, and the picks A are like them, each target like one of the picks and each pick like one of the targets:
//
//	f(A) = Σ_q max_{a∈A} s_qa + Σ_{a∈A} max_q s_qa,  s the cosine of two items' features
//
// A is built by adding the item that raises f most; f is submodular, so that this reaches 1 - 1/e of the best where it is monotone. Ties
// are broken at random. Where all scores are 0 the targets are drawn uniformly.
//
// Alone it goes by the score usim-u. Scores must not be negative.
//
// Features: [Gradient] vectors, as [BADGE] has them. Cost: scores all N items and 1 pass of them; N·targets cosines.
//
// Source: Föllmer et al. 2024, "Uncertainty and submodular information measures", MIDL, PMLR 250:480, and the code published with it
// (Berni1557/ALUNET), form "cosine". Differs from these: the gradient of the last layer instead of 10,000 weights of the deepest encoder
// convolution; 5·B targets, not as many as the scores' curve has before its knee. The Fisher form, whose code sums one item's gradient
// for all, is left out.
type USIM struct {
	Targets int // that are drawn; 0 = 5·B
}

const usimTargets = 5 // for each pick

// Needs implements [Strategy].
func (USIM) Needs() Needs { return Needs{Scores: true, NonNegative: true, Features: Gradient} }

// Select implements [Strategy]. The picks come in the order in which they were added.
func (s USIM) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	scores, err := p.scoreAll()
	if err != nil {
		return Selection{}, err
	}
	vectors, err := p.features()
	if err != nil {
		return Selection{}, err
	}
	targets := make([]int, cmp.Or(s.Targets, usimTargets*size))
	weights := make([]float32, p.N)
	for i, v := range scores {
		if v < 0 {
			return Selection{}, fmt.Errorf("query: the score of item %d is %v; usim needs scores of 0 or more", i, v)
		}
		weights[i] = float32(v)
	}
	taken := make([]bool, p.N)
	for i := range targets {
		targets[i] = drawWeighted(weights, taken, rng)
	}
	vectors = unit(vectors)
	return picked(mutualCover(size, p.N, len(targets), func(item, target int) float64 { return float64(dot(vectors[item], vectors[targets[target]])) }, p.closing(), rng), scores), nil
}

// mutualCover picks size of n items by the greedy maximum of [USIM]'s f.
func mutualCover(size, n, targets int, similarity func(item, target int) float64, closing closing, rng *rand.Rand) []int {
	nearest := make([]float64, n) // of each item: the similarity to the target that is most like it
	covered := make([]float64, targets)
	gains := make([]float64, n)
	taken := make([]bool, n)
	var picks []int
	for len(picks) < size {
		parallel.For(n, parallel.All, func(i int) {
			if taken[i] {
				gains[i] = math.Inf(-1)
				return
			}
			most, gain := math.Inf(-1), 0.0
			for q := range targets {
				s := similarity(i, q)
				most = max(most, s)
				if len(picks) == 0 {
					gain += s
				} else {
					gain += max(0, s-covered[q])
				}
			}
			nearest[i] = most
			gains[i] = gain + most
		})
		pick := highest(gains, 1, rng)[0]
		for q := range targets {
			if s := similarity(pick, q); len(picks) == 0 || s > covered[q] {
				covered[q] = s
			}
		}
		for _, i := range closing.by(pick) {
			taken[i] = true
		}
		picks = append(picks, pick)
	}
	return picks
}

func (s USIM) String() string { return call("usim", option("targets", s.Targets, 0)) }

// classVariance is the score of the paper.
var classVariance = uncertainty.Score{Name: "usim-u", Passes: 10, Dropout: true, Map: uncertainty.Variance, ClassWeights: true}

var usim = entry{
	Info: Info{
		Name: "usim", Kind: KindSelector,
		Does:    "items that are most like what is uncertain, and unlike each other; alone: by usim-u",
		Options: "targets=0 (5*B)",
		Cost:    "of the score, all items, and 1 pass; alone: T + 1 = 11 passes",
		Source:  "Föllmer et al. 2024, MIDL, PMLR 250:480",
	},
	defaultScore: classVariance,
	strategy:     func(o *options) Strategy { return USIM{Targets: o.integer("targets", 0, 0)} },
}

// usimU is the disagreement of T passes with dropout, class by class: the variance of each class's probability over the passes, averaged
// over the image, in which classes count by the inverse of their share in the labelled masks, and the background does not:
//
//	u = Σ_k v_k · mean over pixels of Var_t p_tk,  v_k ∝ 1/share_k for k ≥ 1,  v_0 = 0,  Σ v = 1
//
// in [0, 1/4], probability squared. A class of which nothing is labelled counts as if one pixel were.
//
// Cost: T forward passes per item, as [dropout]. Source: as [USIM]. Computed by model.Network.Score.
var usimU = entry{
	Info: Info{
		Name: "usim-u", Kind: KindScore, Title: "USIM uncertainty",
		Does:    "variance of dropout passes, rare classes first",
		Options: "passes=10",
		Cost:    "T = 10 passes",
		Source:  "Föllmer et al. 2024, MIDL, PMLR 250:480",
	},
	score: func(o *options) uncertainty.Score {
		s := classVariance
		s.Passes = o.integer("passes", classVariance.Passes, 2)
		return s
	},
}
