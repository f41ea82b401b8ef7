package uncertainty_test

import (
	"fmt"

	"github.com/nextslice/nextslice/uncertainty"
)

// Two passes of one item of 1 × 2 pixels and two classes: they agree on the first pixel and differ on the second.
func Example() {
	scorer := uncertainty.NewScorer(uncertainty.Score{Map: uncertainty.JSD}, 1, 2, 2)
	scorer.Reset()
	scorer.Add([]float32{0.9, 0.1, 0.8, 0.2}, nil)
	scorer.Add([]float32{0.9, 0.1, 0.2, 0.8}, nil)
	score, err := scorer.Score()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("map %.3f nats, score %.3f\n", scorer.Map(), score)
	// Output: map [0.000 0.193] nats, score 0.096
}
