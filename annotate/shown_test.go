package annotate

import (
	"math"
	"testing"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// Padding does not count in the automatic window; a black background does.
func TestWindow(t *testing.T) {
	ct := func(padding ...float32) []float32 {
		var out []float32
		for i := range 9000 { // air, soft tissue and bone
			out = append(out, []float32{-1000, 40, 40, 60, 300}[i%5]+float32(i%17))
		}
		for _, v := range padding {
			for range 3000 {
				out = append(out, v)
			}
		}
		return out
	}
	low, high := window(ct())
	for name, voxels := range map[string][]float32{"-2000": ct(-2000), "-3024": ct(-3024), "twice": ct(-3024, -32768), "NaN": ct(float32(math.NaN()), float32(math.Inf(1)))} {
		if l, h := window(voxels); math.Abs(l-low) > 5 || math.Abs(h-high) > 5 {
			t.Errorf("padded with %s: %g to %g, without %g to %g", name, l, h, low, high)
		}
	}
	mr := make([]float32, 0, 10000)
	for i := range 10000 {
		mr = append(mr, float32(max(0, i-5000))/5)
	}
	if l, h := window(mr); l != 0 || math.Abs(h-980) > 20 {
		t.Errorf("a black background: %g to %g", l, h)
	}
	for _, empty := range [][]float32{nil, {float32(math.NaN())}, {7, 7, 7}} {
		if l, h := window(empty); l != l || h != h || l > h {
			t.Errorf("%v: %g to %g", empty, l, h)
		}
	}
}

// A preview holds every slice, and of rows and columns those of the image.
func TestThin(t *testing.T) {
	g := volume.Grid{Size: [3]int{700, 600, 90}, Unit: volume.Millimetre, Affine: [3][4]float64{{0.5, 0, 0, -10}, {0, 0.5, 0, 5}, {0, 0, 2, 7}}}
	c := &Cases{config: preprocess.Config{Axis: 2}}
	thin, at := c.thin(g)
	if thin.Size[2] != 90 || thin.Len() > previewVoxels*5/4 || thin.Len() < previewVoxels/4 {
		t.Fatalf("size %v", thin.Size)
	}
	n := (700 + thin.Size[0] - 1) / thin.Size[0]
	i := (3*thin.Size[1]+4)*thin.Size[0] + 5 // column 5, row 4, slice 3
	if want := (3*600+4*n)*700 + 5*n; at(i) != want {
		t.Errorf("voxel %d, want %d", at(i), want)
	}
	if thin.World(5, 4, 3) != g.World(float64(5*n), float64(4*n), 3) {
		t.Errorf("%v, want %v", thin.World(5, 4, 3), g.World(float64(5*n), float64(4*n), 3))
	}
}
