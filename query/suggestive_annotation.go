package query

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/uncertainty"
)

// SuggestiveAnnotation takes the K items with the highest scores as candidates and picks B of them that together
// resemble the whole pool best (greedy maximum set cover):
//
//	F(S) = Σ_j max_{i in S} cos(x_i, x_j),  j over all unlabelled items, S among the candidates
//
// Each step adds the candidate that raises F most; ties go to the higher score. The greedy choice reaches at least
// 1 - 1/e of the best possible F. A zero vector resembles nothing: its cosine is 0.
//
// Score: any; the paper's is the variance among a committee of networks, each trained on a resample of the labelled
// items. Features: [Bottleneck] vectors [N d]. Labelled items are not used.
//
// Cost: scores all N items and one forward pass for their features; O(N·K·d) time for the similarities, which take
// 4·N·K bytes, and O(N·K·B) at worst for the cover.
//
// Source: Yang, Zhang, Chen, Zhang, Chen 2017, "Suggestive annotation: a deep active learning framework for biomedical
// image segmentation", MICCAI, LNCS 10435, section 2.2. The paper uses K = 16 for B = 8, hence the default.
type SuggestiveAnnotation struct {
	Candidates int // K, at least B; 0 = 2·B, or all items if there are fewer
}

// Needs implements [Strategy].
func (SuggestiveAnnotation) Needs() Needs { return Needs{Scores: true, Features: Bottleneck} }

// Select implements [Strategy]. The picks come in the order in which they were added.
func (s SuggestiveAnnotation) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	count := s.Candidates
	if count == 0 {
		count = 2 * size
	}
	if count < size {
		return Selection{}, fmt.Errorf("query: suggestive annotation cannot pick %d items out of %d candidates", size, count)
	}
	scores, err := p.scoreAll()
	if err != nil {
		return Selection{}, err
	}
	items, err := p.features()
	if err != nil {
		return Selection{}, err
	}
	candidates := highest(scores, min(count, p.N), rng)
	return picked(cover(candidates, unit(items), size, p.closing()), scores), nil
}

// cover picks size of the candidates by the greedy rule, fewer where the limit leaves no more of them. Vectors have length 1 or 0.
func cover(candidates []int, vectors [][]float32, size int, closing closing) []int {
	n := len(vectors)
	similarity := make([][]float32, len(candidates))
	parallel.Ranges(len(candidates), parallel.All, func(from, to int) {
		for i := from; i < to; i++ {
			similarity[i] = make([]float32, n)
			for j, v := range vectors {
				similarity[i][j] = dot(vectors[candidates[i]], v)
			}
		}
	})

	covered := make([]float32, n) // the similarity of each item to its nearest pick
	for j := range covered {
		covered[j] = -1 // the lowest cosine
	}
	// A candidate's gain only shrinks as others are picked, so an old gain is an upper bound: a candidate whose gain
	// is up to date and not below the others' bounds is the best one.
	bound := make([]float64, len(candidates))
	current := make([]int, len(candidates)) // the number of picks when bound was computed
	for i := range bound {
		bound[i], current[i] = math.Inf(1), -1
	}
	picks := make([]int, 0, size)
	for len(picks) < size {
		best := 0
		for i, b := range bound {
			if b > bound[best] {
				best = i
			}
		}
		if math.IsInf(bound[best], -1) {
			return picks
		}
		if current[best] != len(picks) {
			bound[best], current[best] = gain(similarity[best], covered), len(picks)
			continue
		}
		picks = append(picks, candidates[best])
		for j, s := range similarity[best] {
			covered[j] = max(covered[j], s)
		}
		for _, i := range closing.by(candidates[best]) {
			if c := slices.Index(candidates, i); c >= 0 {
				bound[c], current[c] = math.Inf(-1), len(picks)
			}
		}
	}
	return picks
}

// gain returns by how much a candidate would raise F.
func gain(similarity, covered []float32) float64 {
	sum := 0.0
	for j, s := range similarity {
		if s > covered[j] {
			sum += float64(s - covered[j])
		}
	}
	return sum
}

func (s SuggestiveAnnotation) String() string {
	return call("suggestive-annotation", option("candidates", s.Candidates, 0))
}

// committee is the score of the paper: the variance among four networks, each trained on a bootstrap resample of the
// labelled items.
var committee = uncertainty.Score{Name: "ensemble", Map: uncertainty.Variance, Members: 4, Bootstrap: true, Aggregation: uncertainty.ByMean}

var suggestiveAnnotation = entry{
	Info: Info{
		Name: "suggestive-annotation", Kind: KindSelector,
		Does:    "the best cover of the pool among the K highest scores; alone: scores by a bootstrap committee of 4",
		Options: "candidates=0 (2*B)",
		Cost:    "of the score, all items, and 1 pass; alone: trains 4 networks",
		Source:  "Yang et al. 2017, MICCAI",
	},
	defaultScore: committee,
	strategy:     func(o *options) Strategy { return SuggestiveAnnotation{Candidates: o.integer("candidates", 0, 0)} },
}
