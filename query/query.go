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

	// Features returns one vector per unlabelled item, LabelledFeatures one per item that is already labelled, all of
	// one length; without labelled items there are none. A strategy calls each at most once and writes to no vector.
	Features, LabelledFeatures func() ([][]float32, error)

	// Positions says where each unlabelled item lies; N long.
	Positions []Position

	// HiddenForeground says which unlabelled items hold foreground in their hidden masks; N long. It exists in a
	// simulation only: nobody knows it before the items are labelled.
	HiddenForeground []bool

	// Query is the number of this query, from 0, and Queries how many there will be, 0 where nobody knows: for
	// strategies that explore at first and exploit later.
	Query, Queries int
}

// Position is where an item lies: a slice of a case.
type Position struct{ Case, Slice int }

// Selection is the answer of a strategy.
type Selection struct {
	Items  []int     // the picks, distinct, in 0..N-1
	Scores []float64 // the score of each pick as Pool.Score gave it; NaN where the strategy asked for none
	Scored int       // how many items the strategy asked a score for: the forward passes it costs
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
