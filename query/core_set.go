package query

import (
	"math"
	"math/rand/v2"
)

// CoreSet covers the pool with the fewest far-away items: it picks B times the item that is farthest from its
// nearest center, where the labelled items and the items picked so far are the centers (k-center greedy):
//
//	u = argmax_i min_j ||x_i - x_j||,  i unlabelled, j labelled or picked
//
// The greedy choice is within a factor of 2 of the smallest possible covering radius. Ties are broken at random.
// Without labelled items the first center is drawn at random. It uses no score.
//
// Features: [Bottleneck] vectors [N d] of the unlabelled and [L d] of the labelled items, compared by Euclidean
// distance. Cost: one forward pass for each item of the pool, labelled too; O(N·(L+B)·d) time and O(N) memory beyond
// the vectors.
//
// Source: Sener, Savarese 2018, "Active learning for convolutional neural networks: a core-set approach", ICLR,
// algorithm 1. Differs from the paper: the greedy solution is not refined by mixed-integer programming (algorithm 2).
type CoreSet struct{}

// Needs implements [Strategy].
func (CoreSet) Needs() Needs { return Needs{Features: Bottleneck, LabelledFeatures: true} }

// Select implements [Strategy]. The picks come farthest first.
func (s CoreSet) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	items, err := p.features()
	if err != nil {
		return Selection{}, err
	}
	labelled, err := p.labelledFeatures(items)
	if err != nil {
		return Selection{}, err
	}
	nearest := make([]float32, p.N)
	for i := range nearest {
		nearest[i] = math.MaxFloat32
	}
	lowerToNearest(nearest, items, labelled)

	picks := make([]int, 0, size)
	for len(picks) < size {
		pick := farthest(nearest, rng)
		picks = append(picks, pick)
		lowerToNearest(nearest, items, items[pick:pick+1])
		nearest[pick] = -1 // below any distance: never again
	}
	return picked(picks, nil), nil
}

// farthest returns the index of the largest value, one of several at random.
func farthest(values []float32, rng *rand.Rand) int {
	best, ties := 0, 0
	for i, v := range values {
		switch {
		case ties == 0 || v > values[best]:
			best, ties = i, 1
		case v == values[best]:
			// The k-th of equals takes over with probability 1/k, so each of them is equally likely in the end.
			ties++
			if rng.IntN(ties) == 0 {
				best = i
			}
		}
	}
	return best
}

func (CoreSet) String() string { return "core-set" }

var coreSet = entry{
	Info: Info{
		Name: "core-set", Kind: KindStrategy,
		Does:   "k-center greedy on bottleneck features; labelled items are centers",
		Cost:   "1 pass, labelled items too",
		Source: "Sener, Savarese 2018, ICLR",
	},
	strategy: func(*options) Strategy { return CoreSet{} },
}
