package annotate

import (
	"math"
	"os"
	"slices"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

// Slices of a picture are those of the image, bit for bit, whether it lies in memory or in a file, along every axis; and its
// preview holds every slice, and of rows and columns those of the image.
func TestPicture(t *testing.T) {
	rng := random.Stream(1, "picture")
	g := volume.Grid{Size: [3]int{31, 22, 9}, Unit: volume.Millimetre, Affine: [3][4]float64{{0.5, 0, 0, -10}, {0, 0.5, 0, 5}, {0, 0, 2, 7}}}
	whole := &volume.Volume{Grid: g, Data: make([]float32, g.Len())}
	for i := range whole.Data {
		whole.Data[i] = float32(rng.IntN(4000) - 1024)
	}
	broken := &volume.Volume{Grid: g, Data: slices.Clone(whole.Data)}
	broken.Data[5], broken.Data[77], broken.Data[100] = 0.25, float32(math.NaN()), float32(math.Inf(1))
	far := &volume.Volume{Grid: g, Data: slices.Clone(whole.Data)}
	far.Data[3] = 32768 // one more than two bytes hold

	for name, v := range map[string]*volume.Volume{"whole": whole, "broken": broken, "far": far} {
		for axis := range 3 {
			for _, most := range []int{0, inMemory} {
				dir := t.TempDir()
				p := newPicture(v, axis, dir, most)
				if (p.file != nil) != (most == 0) || p.short != (name == "whole") {
					t.Errorf("%s: in a file %v, two bytes %v", name, p.file != nil, p.short)
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
					t.Errorf("%s: the folder holds %v, %v", name, left, err)
				}
				for k := range v.Slices(axis).Count {
					got, err := p.slice(k)
					if err != nil || !slices.EqualFunc(got, v.Slice(axis, k), func(a, b float32) bool { return a == b || a != a && b != b }) {
						t.Fatalf("%s, axis %d, most %d: slice %d differs, %v", name, axis, most, k, err)
					}
				}
				small, err := p.small()
				if err != nil || small.Size != g.Size {
					t.Fatalf("%s: preview of %v, %v", name, small.Size, err)
				}
				for i, x := range v.Data {
					want := min(max(float64(x), p.dark), p.bright)
					if x == x && math.Abs(float64(small.Data[i])*small.Slope+small.Intercept-want) > 0.51*small.Slope {
						t.Fatalf("%s: voxel %d of the preview is %d, which stands for %g: want %g", name, i, small.Data[i], float64(small.Data[i])*small.Slope+small.Intercept, want)
					}
				}
				if again, err := p.small(); err != nil || &again.Data[0] != &small.Data[0] {
					t.Errorf("%s: the preview is made anew, %v", name, err)
				}
			}
		}
	}
	if p := newPicture(whole, 2, "/nowhere", 0); p.file != nil || len(p.memory) != 2*g.Len() {
		t.Error("without a disk the picture is not in memory")
	}
}

func TestThin(t *testing.T) {
	g := volume.Grid{Size: [3]int{700, 600, 90}, Unit: volume.Millimetre, Affine: [3][4]float64{{0.5, 0, 0, -10}, {0, 0.5, 0, 5}, {0, 0, 2, 7}}}
	small, n := thin(g, 2)
	if small.Size[2] != 90 || small.Len() > previewVoxels*5/4 || small.Len() < previewVoxels/4 || small.Size[0] != (700+n-1)/n {
		t.Fatalf("size %v of every %d", small.Size, n)
	}
	if small.World(5, 4, 3) != g.World(float64(5*n), float64(4*n), 3) {
		t.Errorf("%v, want %v", small.World(5, 4, 3), g.World(float64(5*n), float64(4*n), 3))
	}
	v := &volume.Volume{Grid: g, Data: make([]float32, g.Len())}
	for i := range v.Data {
		v.Data[i] = float32(i % 997)
	}
	shown, err := newPicture(v, 2, t.TempDir(), 0).small()
	if err != nil {
		t.Fatal(err)
	}
	mask := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
	for i := range mask.Data {
		mask.Data[i] = uint8(i % 251)
	}
	c := &Cases{}
	c.config.Axis = 2
	over := c.PreviewMask(mask)
	for i := range small.Len() {
		x, y, z := i%small.Size[0]*n, i/small.Size[0]%small.Size[1]*n, i/small.Size[0]/small.Size[1]
		at := (z*600+y)*700 + x
		if math.Abs(float64(shown.Data[i])*shown.Slope+shown.Intercept-float64(v.Data[at])) > shown.Slope+1 || over.Data[i] != mask.Data[at] {
			t.Fatalf("voxel %d %d %d of the image is not in its preview", x, y, z)
		}
	}
}

// Pictures that were used last are kept, in memory and in files as many bytes as are allowed.
func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	g := volume.Grid{Size: [3]int{10, 10, 10}, Unit: volume.Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	set := &dataset.Dataset{}
	for _, name := range []string{"a", "b", "c", "d"} {
		path := dir + "/" + name + ".nii.gz"
		if err := volume.WriteVolume(path, &volume.Volume{Grid: g, Data: make([]float32, 1000), Stored: "int16"}); err != nil {
			t.Fatal(err)
		}
		set.Cases = append(set.Cases, dataset.Case{ID: name, Image: path, Grid: g})
	}
	c := &cache{data: set, axis: 2, dir: dir, most: 4500, heavy: semaphore.NewWeighted(roomToRead)}
	for _, i := range []int{0, 1, 0, 2} {
		if _, err := c.get(i, 0); err != nil {
			t.Fatal(err)
		}
	}
	kept := []int{}
	for _, e := range c.used {
		kept = append(kept, e.index)
	}
	if !slices.Equal(kept, []int{0, 2}) {
		t.Errorf("kept %v of pictures of 2000 bytes each, 4500 are allowed", kept)
	}
	if done, err := c.later(t.Context(), 3); err != nil || !c.heavy.TryAcquire(roomToRead-12000) || c.heavy.TryAcquire(1) {
		t.Errorf("room for a case of 1000 voxels: %v", err)
	} else {
		done()
	}
}
