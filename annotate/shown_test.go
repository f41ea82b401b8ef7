package annotate

import (
	"math"
	"testing"
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
	low, high, _, _ := window(ct())
	for name, voxels := range map[string][]float32{"-2000": ct(-2000), "-3024": ct(-3024), "twice": ct(-3024, -32768), "NaN": ct(float32(math.NaN()), float32(math.Inf(1)))} {
		if l, h, _, _ := window(voxels); math.Abs(l-low) > 5 || math.Abs(h-high) > 5 {
			t.Errorf("padded with %s: %g to %g, without %g to %g", name, l, h, low, high)
		}
	}
	mr := make([]float32, 0, 10000)
	for i := range 10000 {
		mr = append(mr, float32(max(0, i-5000))/5)
	}
	if l, h, _, _ := window(mr); l != 0 || math.Abs(h-980) > 20 {
		t.Errorf("a black background: %g to %g", l, h)
	}
	for _, empty := range [][]float32{nil, {float32(math.NaN())}, {7, 7, 7}} {
		if l, h, dark, bright := window(empty); l != l || h != h || l > h || dark > l || bright < h {
			t.Errorf("%v: %g to %g of %g to %g", empty, l, h, dark, bright)
		}
	}
}
