package ref_test

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// The sum of a pixel and its eight neighbours, in float64: outside the image there are zeros.
func ExampleNew64() {
	x := ref.New64(tensor.Shape{N: 1, H: 2, W: 3, C: 1})
	y := ref.New64(x.Shape)
	copy(x.Data, []float64{1, 2, 3, 4, 5, 6})
	ones := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1}
	ref.Kernels[float64]{}.Conv(tensor.Conv{K: 3}, y, x, ones, []float64{0})
	fmt.Println(y.Data)
	// Output: [12 21 16 12 21 16]
}
