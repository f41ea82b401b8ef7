package preprocess_test

import (
	"fmt"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// A slice on its way to the canvas of the network and back.
func Example() {
	g := volume.Grid{Size: [3]int{3, 2, 1}}
	image := &volume.Volume{Grid: g, Data: []float32{1, 2, 3, 4, 5, 6}}
	c := preprocess.Derive([][3]int{g.Size}, 2)
	data, err := preprocess.Normalise(image, c)
	if err != nil {
		panic(err)
	}
	canvas := c.Image(data, g, 0)
	fmt.Println("canvas:", c.Height, "x", c.Width, c.Fit)

	// Say that the network finds class 1 where a pixel is brighter than the mean.
	probs := make([]float32, 2*len(canvas))
	for i, v := range canvas {
		if v > 0 {
			probs[2*i+1] = 1
		} else {
			probs[2*i] = 1
		}
	}
	own := make([]float32, 2*g.Len())
	c.Back(probs, 2, g, 0, own)
	classes := make([]uint8, g.Len())
	preprocess.Argmax(classes, own, 2)
	fmt.Println("classes:", classes)
	// Output:
	// canvas: 16 x 16 pad
	// classes: [0 0 0 1 1 1]
}
