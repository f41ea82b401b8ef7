package volume

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestGrid(t *testing.T) {
	g := Grid{Size: [3]int{4, 5, 6}, Affine: [3][4]float64{{0, 0, -3, 10}, {-1, 0, 0, 20}, {0, 2, 0, 30}}}
	if g.Len() != 120 || g.Spacing() != [3]float64{1, 2, 3} || g.Orientation() != "PSL" {
		t.Errorf("%d voxels, spacing %v, %s", g.Len(), g.Spacing(), g.Orientation())
	}
	if w := g.World(1, 2, 3); w != [3]float64{1, 19, 34} {
		t.Errorf("world %v", w)
	}
	if c := g.Corners(); c[0] != [3]float64{11.5, 20.5, 29} || c[7] != [3]float64{-6.5, 16.5, 39} {
		t.Errorf("corners %v", c)
	}
	// 45 degrees and a little more: the nearest axis, and none twice.
	g.Affine = [3][4]float64{{0.7, 0.72, 0}, {0.72, -0.7, 0}, {0, 0, 1}}
	if o := g.Orientation(); o != "ARS" {
		t.Errorf("oblique: %s", o)
	}
}

func TestSame(t *testing.T) {
	g := Grid{Size: [3]int{100, 1, 1}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	h := g
	h.Affine[1][0] = 0.001 // turned: 0.1 mm at the far end
	if !g.Same(g, 0) || g.Same(h, 0.05) || !g.Same(h, 0.2) {
		t.Error("tolerance is not that of the corners")
	}
	h = g
	h.Size[1] = 2
	if g.Same(h, 100) {
		t.Error("other size is the same")
	}
	h = g
	h.Affine[0][3] = math.NaN()
	if h.Same(h, math.Inf(1)) {
		t.Error("NaN is the same")
	}
}

func TestIndexInvertsWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		at := [3]float64{1.5, -2, 7}
		for a, x := range g.Index(g.World(at[0], at[1], at[2])) {
			if math.Abs(x-at[a]) > 1e-8 {
				t.Fatalf("index %v, want %v", g.Index(g.World(at[0], at[1], at[2])), at)
			}
		}
	})
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"a.nii.gz": "a true", "a.NII": "a true", "b.c.mhd": "b.c true", "a.img": "a false", "a.hdr.gz": "a true", "a.raw": "a.raw false",
		".nii": ".nii false", "._a.nii.gz": "._a false", "a": "a false", "dir/a.mha": "dir/a true",
	} {
		if got := fmt.Sprint(TrimExt(name), " ", IsImage(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
