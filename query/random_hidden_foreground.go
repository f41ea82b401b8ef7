package query

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// RandomHiddenForeground draws a given fraction of the query from the items that hold foreground, the rest from all
// items: a random baseline for data where most slices are empty. It looks at the hidden masks, which nobody has
// before labelling: it exists in simulations only, and its name says so wherever a result is shown.
//
// round(Fraction·B) items are drawn uniformly from those with foreground, or all of them if there are fewer; the
// others uniformly from all remaining items, with foreground or without.
//
// Needs HiddenForeground. Cost: no forward pass; O(N) time and memory.
//
// Source: Lüth et al. 2025, "nnActive: a framework for evaluation of active learning in 3D biomedical segmentation",
// arXiv 2511.19183, whose foreground-aware random draws 33 % or 66 % around foreground. Differs from the paper: items
// are slices, not 3D patches, and the fraction is kept exactly instead of on average.
type RandomHiddenForeground struct {
	Fraction float64 // of the query, in (0, 1]; 0 = 0.66
}

const standardForeground = 0.66

// Needs implements [Strategy].
func (RandomHiddenForeground) Needs() Needs { return Needs{HiddenForeground: true} }

// Select implements [Strategy].
func (s RandomHiddenForeground) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	fraction := s.Fraction
	if fraction == 0 {
		fraction = standardForeground
	}
	if !(fraction > 0 && fraction <= 1) {
		return Selection{}, fmt.Errorf("query: random-hidden-foreground: the fraction must be in (0, 1], not %v", fraction)
	}

	var foreground deck
	for i, f := range p.HiddenForeground {
		if f {
			foreground = append(foreground, int32(i))
		}
	}
	want := min(int(math.Round(fraction*float64(size))), len(foreground))
	picks := slices.Clone(foreground.draw(0, want, rng))
	taken := make([]bool, p.N)
	for _, item := range picks {
		taken[item] = true
	}
	// Drawn from all that is left, so that foreground has no disadvantage here.
	rest := make(deck, 0, p.N)
	for i, t := range taken {
		if !t {
			rest = append(rest, int32(i))
		}
	}
	picks = append(picks, rest.draw(0, size-want, rng)...)
	return picked(ints(picks), nil), nil
}

func (s RandomHiddenForeground) String() string {
	return call("random-hidden-foreground", option("fraction", s.Fraction, 0, standardForeground))
}

var randomHiddenForeground = entry{
	Info: Info{
		Name: "random-hidden-foreground", Kind: KindStrategy,
		Does:    "random, with a fraction from slices with foreground; reads hidden masks: simulation only",
		Options: "fraction=0.66",
		Cost:    "no pass",
		Source:  "Lüth et al. 2025 (nnActive), arXiv 2511.19183",
	},
	strategy: func(o *options) Strategy {
		return RandomHiddenForeground{Fraction: o.number("fraction", standardForeground, 1)}
	},
}
