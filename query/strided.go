package query

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Strided spreads the query evenly over the cases and over the slices of each: neighbouring slices look alike, so a
// query without neighbours says more. It needs no network.
//
//  1. The picks are dealt out to the cases one by one, in random order, until all are dealt; a case takes no more
//     than it has unlabelled slices. With fewer picks than cases, each of B random cases gives one.
//  2. A case with m picks is cut into m equal stretches of slices and gives one slice of each, at the same relative
//     height o of the stretch.
//  3. The heights o differ from case to case, evenly spread over [0, 1) with a random start: without this, single
//     picks would all lie at the same height of their cases.
//
// Needs Positions. Cost: no forward pass; O(N log N) time and O(N) memory.
//
// Source: strided sampling as a strong baseline is from Burmeister et al. 2022, "Less is more: a comparison of active
// learning strategies for 3D medical image segmentation", arXiv 2207.00845. Differs from the paper: there the slices
// are evenly spaced within a case; the rule across cases is ours.
type Strided struct{}

// Needs implements [Strategy].
func (Strided) Needs() Needs { return Needs{Positions: true} }

// Select implements [Strategy]. The picks come by case, in the order of their slices.
func (s Strided) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	cases := byCase(p.Positions)
	rng.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })

	quota := make([]int, len(cases))
	for left := size; left > 0; {
		for i := range cases {
			if left > 0 && quota[i] < len(cases[i]) {
				quota[i]++
				left--
			}
		}
	}

	picks := make([]int, 0, size)
	start := rng.Float64()
	used := min(size, len(cases)) // the cases that give at least one
	for i, items := range cases[:used] {
		height := (float64(i) + start) / float64(used)
		for t := range quota[i] {
			from, to := t*len(items)/quota[i], (t+1)*len(items)/quota[i]
			at := from + int(height*float64(to-from))
			picks = append(picks, items[min(at, to-1)])
		}
	}
	return picked(picks, nil), nil
}

// byCase returns the items of each case in the order of their slices, the cases in increasing order.
func byCase(positions []Position) [][]int {
	items := upTo(len(positions))
	slices.SortStableFunc(items, func(a, b int) int {
		return cmp.Or(cmp.Compare(positions[a].Case, positions[b].Case), cmp.Compare(positions[a].Slice, positions[b].Slice))
	})
	var cases [][]int
	for i, item := range items {
		if i == 0 || positions[item].Case != positions[items[i-1]].Case {
			cases = append(cases, nil)
		}
		cases[len(cases)-1] = append(cases[len(cases)-1], item)
	}
	return cases
}

func (Strided) String() string { return "strided" }

var strided = entry{
	Info: Info{
		Name: "strided", Kind: KindStrategy,
		Does:   "slices evenly spread over the cases and their heights",
		Cost:   "no pass",
		Source: "Burmeister et al. 2022, arXiv 2207.00845",
	},
	strategy: func(*options) Strategy { return Strided{} },
}
