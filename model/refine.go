package model

import "github.com/nextslice/nextslice/volume"

// mirrored returns an image on the canvas, [C H W], with left and right swapped.
func mirrored(image []float32, width int) []float32 {
	out := make([]float32, len(image))
	copy(out, image)
	mirror(out, width, 1)
	return out
}

// mirror swaps left and right in rows of width pixels with the given number of values each.
func mirror(data []float32, width, values int) {
	for from := 0; from < len(data); from += width * values {
		row := data[from : from+width*values]
		for x := range width / 2 {
			for v := range values {
				a, b := x*values+v, (width-1-x)*values+v
				row[a], row[b] = row[b], row[a]
			}
		}
	}
}

// keepLargest makes background of all but the largest connected component of each class above 0; of equal ones the first in memory
// stays.
func keepLargest(m *volume.Mask, classes int) {
	for class := 1; class < classes; class++ {
		number, voxels := m.Components(uint8(class))
		largest := 0
		for n, size := range voxels {
			if size > voxels[largest] {
				largest = n
			}
		}
		for v, n := range number {
			if n != 0 && int(n) != largest {
				m.Data[v] = 0
			}
		}
	}
}
