package query

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// A Strategy picks the items to label next. Its String is the name that [Parse] or [ParseSelector] reads.
type Strategy interface {
	// Needs says what the strategy asks of a pool.
	Needs() Needs

	// Select picks size distinct items of p, best first where the strategy ranks them. All randomness comes from
	// rng: the same pool and the same state of rng give the same picks. The pool's data are not modified.
	//
	// size 0 picks nothing and asks for no score. An error is returned if size is negative or larger than p.N, if p
	// lacks something that the strategy needs, if a function of p fails, or if a value is NaN or infinite (the error
	// names the item). A nil rng panics.
	Select(p Pool, size int, rng *rand.Rand) (Selection, error)
}

// Pool is what a strategy may ask about the unlabelled items, which are numbered 0 to N-1. It offers what the strategy's
// [Needs] declare; a field that no need names is nil. What is costly is a function, so that it is paid for only when asked.
type Pool struct {
	N int // number of unlabelled items

	// Score returns the scores of these items, in this order; higher = label sooner. A strategy calls it at most once
	// per Select, with distinct items.
	Score func(items []int) ([]float64, error)

	// ClassScores returns K numbers for each of these items, called as Score is. With u the uncertainty of a pixel and p_k the mean
	// probability of class k there, the first is the mean of u over the pixels, the others, for k = 1 … K-1, are that of u·p_k.
	ClassScores func(items []int) ([][]float64, error)

	// Disagreement and Probabilities are of T networks, the same for all items and calls, such as T masks of dropout. Disagreement says how
	// far these agree on each of some items; it is called at most once, with distinct items. Probabilities returns their class
	// probabilities at some pixels of the canvas, which count row by row: one vector [pixels T K] for each item.
	Disagreement  func(items []int) (Disagreement, error)
	Probabilities func(items, pixels []int) ([][]float32, error)

	// Features returns one vector per unlabelled item, LabelledFeatures one per item that is already labelled, all of
	// one length; without labelled items there are none. A strategy calls each at most once and writes to no vector.
	Features, LabelledFeatures func() ([][]float32, error)

	// Positions says where each unlabelled item lies; N long.
	Positions []Position

	// Limit is how many items of a group may be picked. It is the caller's to see that size items can be had.
	Limit Limit

	// HiddenForeground says which unlabelled items hold foreground in their hidden masks; N long. It exists in a
	// simulation only: nobody knows it before the items are labelled.
	HiddenForeground []bool

	// Query is the number of this query, from 0, and Queries how many there will be, 0 where nobody knows: for
	// strategies that explore at first and exploit later.
	Query, Queries int
}

// Disagreement is the mutual information between the class of a pixel and the choice of the network, H(p̄) - 1/T Σ_t H(p_t) in nats.
type Disagreement struct {
	Scores   []float64 // of each item, the mean over its pixels
	Sum      []float64 // of each pixel, the sum over the items, [H Width]
	Width    int       // of the canvas
	Networks int       // T
	Classes  int       // K
}

// Position is where an item lies: a slice of a case.
type Position struct{ Case, Slice int }

// Selection is the answer of a strategy.
type Selection struct {
	Items []int // the picks, distinct, in 0..N-1
	// Scores are those of each pick as Pool.Score or Pool.Disagreement gave them, of Pool.ClassScores the first; NaN where the strategy asked
	// for none.
	Scores []float64
	Scored int // how many items the strategy asked a score for: the forward passes it costs
}

// check refuses sizes that p cannot serve and a pool that lacks what the strategy needs. It panics without a random stream,
// which is the caller's fault: results drawn from a hidden generator could not be repeated.
func check(s Strategy, p Pool, size int, rng *rand.Rand) error {
	if rng == nil {
		panic("query: Select: nil random stream")
	}
	if p.N > math.MaxInt32 {
		return fmt.Errorf("query: a pool of %d items: at most %d are supported", p.N, math.MaxInt32)
	}
	if size < 0 || size > p.N {
		return fmt.Errorf("query: cannot pick %d of %d unlabelled items", size, p.N)
	}
	if size == 0 {
		return nil // nothing will be asked
	}
	return p.offers(s)
}

// score asks the pool for the scores of items and refuses what cannot be ranked.
func (p Pool) score(items []int) ([]float64, error) {
	scores, err := p.Score(items)
	if err != nil {
		return nil, fmt.Errorf("score %d items: %w", len(items), err)
	}
	if len(scores) != len(items) {
		return nil, fmt.Errorf("query: %d scores for %d items", len(scores), len(items))
	}
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, fmt.Errorf("query: the score of item %d is %v; it cannot be ranked", items[i], s)
		}
	}
	return scores, nil
}

// classScores asks the pool for the class scores of all items, which are numbers from 0 up, and refuses what cannot be ranked.
func (p Pool) classScores() ([][]float64, error) {
	all, err := p.ClassScores(upTo(p.N))
	if err != nil {
		return nil, fmt.Errorf("score %d items: %w", p.N, err)
	}
	if len(all) != p.N {
		return nil, fmt.Errorf("query: class scores of %d items for %d", len(all), p.N)
	}
	for i, scores := range all {
		if len(scores) < 2 || len(scores) != len(all[0]) {
			return nil, fmt.Errorf("query: item %d has %d class scores, item 0 %d; want one per class, two or more", i, len(scores), len(all[0]))
		}
		for k, s := range scores {
			if !(s >= 0) || math.IsInf(s, 0) {
				return nil, fmt.Errorf("query: score %d of item %d is %v; it cannot be ranked", k, i, s)
			}
		}
	}
	return all, nil
}

// scoreAll returns the score of every item of the pool.
func (p Pool) scoreAll() ([]float64, error) { return p.score(upTo(p.N)) }

// upTo returns 0, 1, ..., n-1.
func upTo(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	return items
}

// picked returns the selection of items whose scores are in scores, by item number; nil scores mean none were asked for.
func picked(items []int, scores []float64) Selection {
	s := Selection{Items: items, Scores: make([]float64, len(items)), Scored: len(scores)}
	for i, item := range items {
		s.Scores[i] = math.NaN()
		if scores != nil {
			s.Scores[i] = scores[item]
		}
	}
	return s
}
