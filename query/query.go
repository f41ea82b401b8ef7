package query

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// A Strategy picks the items to label next.
type Strategy interface {
	// Select picks size distinct items of p, best first where the strategy ranks them. All randomness comes from
	// rng: the same pool and the same state of rng give the same picks. The pool's data are not modified.
	//
	// size 0 picks nothing and asks for no score. An error is returned if size is negative or larger than p.N, if p
	// lacks what the strategy needs, if Score or Features fail, or if a value is NaN or infinite (the error names
	// the item). A nil rng panics.
	Select(p Pool, size int, rng *rand.Rand) (Selection, error)
}

// Pool is what a strategy may ask about the unlabelled items, which are numbered 0 to N-1. A strategy uses some of
// the fields and leaves the others alone: what is costly is a function, so that it is only paid for when asked.
type Pool struct {
	N int // number of unlabelled items

	// Score returns the scores of these items, in this order; higher = label sooner. A strategy calls it at most once
	// per Select, with distinct items. May be nil for strategies without a score.
	Score func(items []int) ([]float64, error)

	// Features returns one vector per unlabelled item and one per item that is already labelled, all of one length.
	// A strategy reads them and writes nothing. May be nil for strategies without features.
	Features func() (unlabelled, labelled [][]float32, err error)

	// Positions says where each unlabelled item lies; N long, or nil for strategies that do not need it.
	Positions []Position

	// HiddenForeground says which unlabelled items hold foreground in their hidden masks; N long. It exists in a
	// simulation only: nobody knows it before the items are labelled.
	HiddenForeground []bool
}

// Position is where an item lies: a slice of a case.
type Position struct{ Case, Slice int }

// Selection is the answer of a strategy.
type Selection struct {
	Items  []int     // the picks, distinct, in 0..N-1
	Scores []float64 // the score of each pick as Pool.Score gave it; NaN where the strategy asked for none
	Scored int       // how many items the strategy asked a score for: the forward passes it costs
}

// check refuses sizes that p cannot serve. It panics without a random stream, which is the caller's fault: results
// drawn from a hidden generator could not be repeated.
func check(p Pool, size int, rng *rand.Rand) error {
	if rng == nil {
		panic("query: Select: nil random stream")
	}
	if p.N > math.MaxInt32 {
		return fmt.Errorf("query: a pool of %d items: at most %d are supported", p.N, math.MaxInt32)
	}
	if size < 0 || size > p.N {
		return fmt.Errorf("query: cannot pick %d of %d unlabelled items", size, p.N)
	}
	return nil
}

// score asks the pool for the scores of items and refuses what cannot be ranked.
func (p Pool) score(items []int) ([]float64, error) {
	if p.Score == nil {
		return nil, errors.New("query: this strategy ranks items by a score, and the pool has none")
	}
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

// picked returns the selection of items whose scores stand in scores by item number; nil scores mean none were asked for.
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
