package stats_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/nextslice/nextslice/stats"
)

func Example() {
	// The test Dice of two strategies at 10, 20 and 30 labelled slices, from three initial sets.
	strategy := func(curves ...[]float64) (runs []stats.Run) {
		for set, values := range curves {
			runs = append(runs, stats.Run{Set: set, Labels: []int{10, 20, 30}, Values: values})
		}
		return runs
	}
	batches := strategy([]float64{0.50, 0.64, 0.72}, []float64{0.44, 0.60, 0.71}, []float64{0.52, 0.63, 0.70})
	random := strategy([]float64{0.50, 0.60, 0.69}, []float64{0.44, 0.57, 0.70}, []float64{0.52, 0.61, 0.66})

	c := stats.Compare(batches, random, stats.AULC, stats.Options{}, rand.New(rand.NewPCG(1, 2)))
	fmt.Printf("AULC %+.4f ± %.4f over %d sets\n", c.Difference.Mean, c.Difference.Std, c.Difference.N)
	fmt.Printf("%s p = %.2f\n", c.SignFlip.Name, c.SignFlip.P)
	for _, w := range c.Warnings {
		fmt.Println(w.Text)
	}
	// Output:
	// AULC +0.0217 ± 0.0052 over 3 sets
	// sign-flip permutation p = 0.25
	// with 3 initial sets no two-sided sign-flip or signed-rank test can go below p = 0.25; use 6 or more, better 10
}

func ExampleAULC() {
	steep := stats.Run{Labels: []int{10, 20, 40}, Values: []float64{0.5, 0.7, 0.7}}
	flat := stats.Run{Labels: []int{10, 20, 40}, Values: []float64{0.5, 0.5, 0.7}}
	fmt.Printf("steep %.3f, flat %.3f\n", stats.AULC(steep), stats.AULC(flat))
	// Output: steep 0.667, flat 0.567
}

func ExampleLabelsToReach() {
	r := stats.Run{Labels: []int{10, 20, 40}, Values: []float64{0.5, 0.6, 0.7}}
	for _, dice := range []float64{0.65, 0.8} {
		labels, reached := stats.LabelsToReach(r, dice, stats.HigherIsBetter)
		fmt.Printf("%v: %v, %.0f\n", dice, reached, labels)
	}
	// Output:
	// 0.65: true, 30
	// 0.8: false, NaN
}

func ExampleHolm() {
	fmt.Println(stats.Holm([]float64{0.01, 0.03, 0.02}))
	// Output: [0.03 0.04 0.04]
}
