package train

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
)

func TestOrderIsPermutations(t *testing.T) {
	o := order{rng: random.Stream(1, "order"), n: 5}
	batch := make([]int, 4)
	var taken []int
	for range 10 {
		o.take(batch)
		taken = append(taken, batch...)
	}
	different := false
	for i := 0; i < len(taken); i += 5 {
		permutation := slices.Clone(taken[i : i+5])
		different = different || !slices.Equal(permutation, taken[:5])
		slices.Sort(permutation)
		if !slices.Equal(permutation, []int{0, 1, 2, 3, 4}) {
			t.Fatalf("items %d to %d: got %v", i, i+4, taken[i:i+5])
		}
	}
	if !different {
		t.Error("every permutation is the same")
	}
}
