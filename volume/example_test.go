package volume_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/volume"
)

// A mask is made on the grid of its image, written, and read back.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	image := volume.Grid{
		Size:   [3]int{4, 4, 2},
		Affine: [3][4]float64{{-0.5, 0, 0, 10}, {0, -0.5, 0, 20}, {0, 0, 3, 30}},
		Unit:   volume.Millimetre,
	}
	mask := &volume.Mask{Grid: image, Data: make([]uint8, image.Len())}
	mask.Data[1+4*(2+4*1)] = 1 // voxel (1, 2, 1)

	path := filepath.Join(dir, "mask.nii.gz")
	if err := volume.WriteMask(path, mask); err != nil {
		fmt.Println(err)
		return
	}
	back, err := volume.ReadMask(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Orientation(), back.Spacing(), back.Unit, back.Same(image, 1e-6))
	fmt.Println("voxel (1, 2, 1) lies at", back.World(1, 2, 1))
	// Output:
	// LPS [0.5 0.5 3] mm true
	// voxel (1, 2, 1) lies at [9.5 19 33]
}
