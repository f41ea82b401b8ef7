package query_test

import (
	"fmt"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// Ten unlabelled items, three to label: the best of five random batches.
func Example() {
	spec, err := query.Parse("entropy+sb(q=5)")
	if err != nil {
		fmt.Println(err)
		return
	}
	entropy := []float64{0.1, 0.5, 0.2, 0.9, 0.1, 0.3, 0.8, 0.4, 0.2, 0.7} // of a trained network
	pool := query.Pool{N: len(entropy), Score: func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i, item := range items {
			scores[i] = entropy[item]
		}
		return scores, nil
	}}

	picks, err := spec.Strategy.Select(pool, 3, random.Stream(1, "query", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("label", picks.Items, "with scores", picks.Scores, "of", picks.Scored, "scored")
	// Output: label [7 3 6] with scores [0.4 0.9 0.8] of 9 scored
}
