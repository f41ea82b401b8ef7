package active

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/query"
)

// Draw returns the items of an initial set: size of 0 … n-1 in increasing order, every set equally likely. It panics if
// size is not from 0 to n.
func Draw(n, size int, rng *rand.Rand) []int {
	items := rng.Perm(n)[:size]
	slices.Sort(items)
	return items
}

// Rules for an initial set, which is chosen without a network.
const (
	InitialRandom    = "random"
	InitialStrided   = "strided"
	InitialTypiClust = "typiclust" // and with options, see query.TypiClust
)

// InitialRule returns the strategy of a rule; nil for random, where [Draw] draws. An unknown rule is an error.
func InitialRule(name string) (query.Strategy, error) {
	switch name {
	case "", InitialRandom:
		return nil, nil
	case InitialStrided:
		return query.Strided{}, nil
	}
	if spec, err := query.Parse(name); err == nil {
		if rule, ok := spec.Strategy.(query.TypiClust); ok {
			return rule, nil
		}
	} else if strings.HasPrefix(name, InitialTypiClust) {
		return nil, err
	}
	return nil, fmt.Errorf("want %s, %s or %s, got %q", InitialRandom, InitialStrided, InitialTypiClust, name)
}

// Picks are the items of a query in the strategy's order.
type Picks[T any] struct {
	Items  []T
	Scores Scores // one per item, NaN for an item without a score; nil if nothing was scored
	Scored int    // candidates that were scored to choose them
}

// Pick lets a strategy select size of the candidates, or all if there are fewer. pool says what the strategy may know of
// them, in their order.
func Pick[T any](s query.Strategy, pool query.Pool, candidates []T, size int, rng *rand.Rand) (Picks[T], error) {
	selection, err := s.Select(pool, min(size, len(candidates)), rng)
	if err != nil {
		return Picks[T]{}, err
	}
	p := Picks[T]{Items: At(candidates, selection.Items), Scored: selection.Scored}
	if selection.Scored > 0 {
		p.Scores = selection.Scores
	}
	return p, nil
}

// At returns the elements of from at these indices.
func At[T any](from []T, indices []int) []T {
	at := make([]T, len(indices))
	for k, i := range indices {
		at[k] = from[i]
	}
	return at
}
