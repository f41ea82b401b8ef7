package query

import "math/rand/v2"

// deck is a permutation of 0..n-1 from which items are drawn by the Fisher-Yates shuffle, as many steps of it as are
// needed. Whatever permutation the deck holds, draw gives a uniform draw without replacement from the places start
// to n-1, so the deck needs no reset between independent draws.
type deck []int32

func newDeck(n int) deck {
	d := make(deck, n)
	for i := range d {
		d[i] = int32(i)
	}
	return d
}

// draw shuffles count items into the places start to start+count-1 and returns that part of the deck, which stays
// valid until the next draw of an overlapping part.
func (d deck) draw(start, count int, rng *rand.Rand) []int32 {
	n := len(d)
	for i := start; i < start+count; i++ {
		j := i + rng.IntN(n-i)
		d[i], d[j] = d[j], d[i]
	}
	return d[start : start+count]
}

// ints returns a copy of items as ints.
func ints(items []int32) []int {
	out := make([]int, len(items))
	for i, item := range items {
		out[i] = int(item)
	}
	return out
}
