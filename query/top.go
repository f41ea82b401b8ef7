package query

import (
	"container/heap"
	"math/rand/v2"
	"slices"
)

// Top picks the B items of the highest scores, highest first. It is the plain form of every uncertainty score, as in
// uncertainty sampling (Settles 2009, "Active learning literature survey", TR 1648, University of Wisconsin-Madison,
// section 3.1).
//
// Equal scores are ordered at random, never by item number: items of one case are neighbours in a pool, and a rule
// by number would fill the query from the first case.
//
// Cost: scores all N items; O(N log B) time and O(N) memory beyond them.
type Top struct{}

// Needs implements [Strategy].
func (Top) Needs() Needs { return Needs{Scores: true} }

// Select implements [Strategy].
func (s Top) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	scores, err := p.scoreAll()
	if err != nil {
		return Selection{}, err
	}
	return picked(highest(scores, size, rng), scores), nil
}

func (Top) String() string { return "top" }

// highest returns the indices of the size largest values, largest first, ties in random order. The values hold no NaN.
func highest(values []float64, size int, rng *rand.Rand) []int {
	if size == 0 {
		return []int{}
	}
	// The kept values are in a heap with the lowest on top. A random key for every value decides between equals;
	// it is drawn for all of them, so the number of draws does not depend on the values.
	kept := make(lowestFirst, 0, size)
	for i, v := range values {
		x := ranked{value: v, key: rng.Uint64(), index: i}
		switch {
		case len(kept) < size:
			kept = append(kept, x)
			if len(kept) == size {
				heap.Init(&kept)
			}
		case kept[0].compare(x) < 0:
			kept[0] = x
			heap.Fix(&kept, 0)
		}
	}
	slices.SortFunc(kept, func(a, b ranked) int { return b.compare(a) })
	indices := make([]int, len(kept))
	for i, x := range kept {
		indices[i] = x.index
	}
	return indices
}

type ranked struct {
	value float64
	key   uint64
	index int
}

func (a ranked) compare(b ranked) int {
	switch {
	case a.value < b.value, a.value == b.value && a.key < b.key:
		return -1
	case a.value == b.value && a.key == b.key:
		return 0
	}
	return 1
}

// lowestFirst is a [heap.Interface]; its length never changes, so nothing is pushed or popped.
type lowestFirst []ranked

func (h lowestFirst) Len() int           { return len(h) }
func (h lowestFirst) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h lowestFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h lowestFirst) Push(any)           { panic("query: the heap has a fixed size") }
func (h lowestFirst) Pop() any           { panic("query: the heap has a fixed size") }

var top = entry{
	Info: Info{
		Name: "top", Kind: KindSelector,
		Does:   "the highest scores; what a score does when it stands alone",
		Cost:   "of the score, all items",
		Source: "Settles 2009",
	},
	strategy: func(*options) Strategy { return Top{} },
}
