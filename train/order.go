package train

import "math/rand/v2"

// order is an endless chain of random permutations of 0 … n-1: every item comes once before any comes again.
type order struct {
	rng  *rand.Rand
	n    int
	left []int
}

// take fills dst with the next items.
func (o *order) take(dst []int) {
	for i := range dst {
		if len(o.left) == 0 {
			o.left = o.rng.Perm(o.n)
		}
		dst[i], o.left = o.left[0], o.left[1:]
	}
}
