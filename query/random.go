package query

import "math/rand/v2"

// Random picks items uniformly without replacement: every set of B items is equally likely.
//
// It is the baseline of every comparison, and hard to beat in medical image segmentation (Mittal et al. 2019,
// "Parting with illusions about deep active learning", arXiv 1912.05361).
//
// Cost: no forward pass; O(N) time and memory.
type Random struct{}

// Needs implements [Strategy].
func (Random) Needs() Needs { return Needs{} }

// Select implements [Strategy].
func (s Random) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil {
		return Selection{}, err
	}
	return picked(ints(newDeck(p.N).draw(0, size, rng)), nil), nil
}

func (Random) String() string { return "random" }

var randomItems = entry{
	Info: Info{
		Name: "random", Kind: KindStrategy,
		Does:   "items drawn uniformly: the baseline",
		Cost:   "no pass",
		Source: "Mittal et al. 2019, arXiv 1912.05361",
	},
	strategy: func(*options) Strategy { return Random{} },
}
