package metrics_test

import (
	"fmt"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

func Example() {
	grid := volume.Grid{Size: [3]int{4, 1, 2}, Affine: [3][4]float64{{0.5}, {0, 0.5}, {0, 0, 3}}, Unit: "mm"}
	ref := &volume.Mask{Grid: grid, Data: []uint8{1, 1, 0, 0 /* second slice */, 0, 0, 0, 0}}
	pred := &volume.Mask{Grid: grid, Data: []uint8{0, 1, 1, 0 /* second slice */, 0, 0, 0, 0}}

	a := metrics.NewAccumulator([]string{"background", "prostate"}, metrics.Rules{})
	a.Add("Case00", pred, ref)
	s := a.Summary()
	fmt.Printf("dice_3d %.2f of %d case\n", s.Mean.Dice3D.Value, s.Mean.Dice3D.N)
	fmt.Printf("dice_2d %.2f of %d slice, %d without prostate in either mask\n", s.Mean.Dice2D.Value, s.Mean.Dice2D.N, s.Mean.Dice2D.Undefined)
	fmt.Printf("hd95_3d %.3f %s\n", s.Mean.HD95.Value, s.Unit)
	// Output:
	// dice_3d 0.50 of 1 case
	// dice_2d 0.50 of 1 slice, 1 without prostate in either mask
	// hd95_3d 0.475 mm
}
