package nn_test

import (
	"fmt"

	"github.com/nextslice/nextslice/nn"
)

// The learning rates of the paper's training.
func ExampleWarmupCosine() {
	s := nn.WarmupCosine{Start: 1e-6, Peak: 1e-4, End: 1e-7, Warmup: 10, Epochs: 75}
	for _, epoch := range []int{0, 5, 10, 42, 74} {
		fmt.Printf("%2d %.2e\n", epoch, s.At(epoch))
	}
	// Output:
	//  0 1.00e-06
	//  5 5.05e-05
	// 10 1.00e-04
	// 42 5.01e-05
	// 74 1.00e-07
}
