package volume_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/volume"
)

// An image is read, its bright voxels become a mask slice by slice, and the mask is written beside it.
func Example() {
	image, err := volume.Read("testdata/example.nrrd")
	if err != nil {
		fmt.Println(err)
		return
	}
	mask := &volume.Mask{Grid: image.Grid, Data: make([]uint8, image.Len())}
	axis, _ := volume.ParseAxis("k")
	for n := range image.Slices(axis).Count {
		pixels := image.Slice(axis, n)
		classes := make([]uint8, len(pixels))
		for i, x := range pixels {
			if x > 90 {
				classes[i] = 1
			}
		}
		mask.SetSlice(axis, n, classes)
	}

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
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
	fmt.Println(back.Size, "voxels of", back.Spacing(), back.Unit, back.Orientation())
	fmt.Println("slice 1:", back.Slice(axis, 1))
	// Output:
	// 4 x 3 x 2 voxels of [0.5 0.5 3] mm LPS
	// slice 1: [0 0 0 0 0 0 1 1 0 0 0 0]
}

// Where a voxel lies in the patient, and how slices lie on the screen.
func ExampleGrid_Slices() {
	h, err := volume.ReadHeader("testdata/example.nrrd")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("voxel (1, 2, 1) lies at", h.World(1, 2, 1))
	for axis := range 3 {
		s := h.Slices(axis)
		row, column := s.PixelSize()
		fmt.Printf("across %s: %d slices, %d x %d pixels of %g x %g %s\n", volume.AxisName(axis), s.Count, s.Height, s.Width, row, column, h.Unit)
	}
	coronal := h.Slices(1).View()
	fmt.Printf("coronal: %s on the left, %s at the top, turned upside down: %v\n", coronal.Left, coronal.Top, coronal.FlipY)
	// Output:
	// voxel (1, 2, 1) lies at [9.5 19 33]
	// across i: 4 slices, 2 x 3 pixels of 3 x 0.5 mm
	// across j: 3 slices, 2 x 4 pixels of 3 x 0.5 mm
	// across k: 2 slices, 3 x 4 pixels of 0.5 x 0.5 mm
	// coronal: R on the left, S at the top, turned upside down: true
}
