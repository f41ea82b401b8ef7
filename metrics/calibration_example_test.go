package metrics_test

import (
	"fmt"

	"github.com/nextslice/nextslice/metrics"
)

// Four pixels of two classes, each predicted with a probability of 0.75; three of the predictions are right, as they should be.
func ExampleECE() {
	c := metrics.NewCalibration(2, metrics.DefaultBins)
	c.Add([]float32{0.75, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.25}, []uint8{0, 1, 0, 1})
	fmt.Printf("calibrated: %.2f\n", metrics.ECE(c.Bins()))
	c.Add([]float32{1, 0}, []uint8{1}) // certain, and wrong
	fmt.Printf("too sure: %.2f\n", metrics.ECE(c.Bins()))
	// Output:
	// calibrated: 0.00
	// too sure: 0.20
}

func ExampleDice() {
	value, defined := metrics.Dice([]uint8{1, 1, 0, 0}, []uint8{0, 1, 1, 0}, 1)
	fmt.Println(value, defined)
	_, defined = metrics.Dice([]uint8{1, 1, 0, 0}, []uint8{0, 1, 1, 0}, 2) // a class in neither of them
	fmt.Println(defined)
	// Output:
	// 0.5 true
	// false
}
