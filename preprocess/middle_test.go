package preprocess

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/volume"
)

// A crop to a canvas of its own size must be those pixels, and the way back must put them where they were.
func TestCropTakesTheMiddle(t *testing.T) {
	g := volume.Grid{Size: [3]int{8, 6, 2}}
	data, mask := make([]float32, g.Len()), make([]uint8, g.Len())
	for i := range data {
		data[i], mask[i] = float32(i), uint8(i%2)
	}
	for _, antialias := range []bool{false, true} {
		c := Config{Axis: 2, Height: 3, Width: 4, Fit: Resize, Input: Input{Crop: 0.5, Antialias: antialias}}
		var want []float32
		var wantMask []uint8
		for y := 1; y < 4; y++ {
			for x := 2; x < 6; x++ {
				want = append(want, float32(48+8*y+x))
				wantMask = append(wantMask, uint8((48+8*y+x)%2))
			}
		}
		if got := c.Image(data, g, 1); !slices.Equal(got, want) {
			t.Errorf("antialias %v: got %v, want %v", antialias, got, want)
		}
		if got := c.Labels(mask, g, 1); !slices.Equal(got, wantMask) {
			t.Errorf("labels: got %v, want %v", got, wantMask)
		}
		back := backThrough(c, wantMask, 2, g, 1)
		for y := range 6 {
			for x := range 8 {
				want := uint8(0)
				if y >= 1 && y < 4 && x >= 2 && x < 6 {
					want = uint8(x % 2)
				}
				if got := back[8*y+x]; got != want {
					t.Errorf("back, row %d, column %d: got class %d, want %d", y, x, got, want)
				}
			}
		}
	}
}

// The mean over all pixels of the canvas is that of the slice where pixels are averaged over what they cover.
func TestAntialiasKeepsTheMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		c := Config{Axis: rapid.IntRange(0, 2).Draw(t, "axis"), Fit: Resize, Input: Input{Antialias: true}}
		h, w := c.SliceSize(g)
		c.Height, c.Width = rapid.IntRange(1, h).Draw(t, "height"), rapid.IntRange(1, w).Draw(t, "width")
		k := rapid.IntRange(0, c.Slices(g)-1).Draw(t, "k")
		data := rapid.SliceOfN(rapid.Float32Range(-10, 10), g.Len(), g.Len()).Draw(t, "data")
		want, got := 0.0, 0.0
		for _, v := range (&volume.Volume{Grid: g, Data: data}).Slice(c.Axis, k) {
			want += float64(v) / float64(h*w)
		}
		for _, v := range c.Image(data, g, k) {
			got += float64(v) / float64(c.Height*c.Width)
		}
		if math.Abs(got-want) > 1e-4 {
			t.Fatalf("%d x %d to %d x %d: mean %v, want %v", h, w, c.Height, c.Width, got, want)
		}
	})
}

func TestAntialiasEnlargesAsWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		c := Config{Axis: 2, Fit: Resize}
		h, w := c.SliceSize(g)
		c.Height, c.Width = h+rapid.IntRange(0, 5).Draw(t, "rows"), w+rapid.IntRange(0, 5).Draw(t, "columns")
		data := rapid.SliceOfN(rapid.Float32Range(-10, 10), g.Len(), g.Len()).Draw(t, "data")
		want := c.Image(data, g, 0)
		c.Antialias = true
		for i, v := range c.Image(data, g, 0) {
			if math.Abs(float64(v-want[i])) > 1e-5 {
				t.Fatalf("pixel %d: got %v, want %v", i, v, want[i])
			}
		}
	})
}

func TestStackHasTheSlicesBeside(t *testing.T) {
	g := volume.Grid{Size: [3]int{1, 1, 4}}
	data := []float32{10, 11, 12, 13}
	for k, want := range [][]float32{{10, 10, 11, 10, 12}, {11, 10, 12, 10, 13}, {12, 11, 13, 10, 13}, {13, 12, 13, 11, 13}} {
		c := Config{Axis: 2, Height: 1, Width: 1, Fit: Pad, Input: Input{Stack: 5}}
		if got := c.Image(data, g, k); !slices.Equal(got, want) {
			t.Errorf("slice %d: got %v, want %v", k, got, want)
		}
		c.Stack = 3
		if got := c.Image(data, g, k); !slices.Equal(got, want[:3]) {
			t.Errorf("slice %d: got %v, want %v", k, got, want[:3])
		}
	}
}

func TestValidateInput(t *testing.T) {
	c := Config{Axis: 2, Height: 8, Width: 8, Fit: Pad, ClipHigh: 99, Input: Input{Crop: 1.5, Stack: 2}}
	err := c.Validate()
	for _, want := range []string{"padded slices are not cropped", "crop: want a part", "slices: want 1, 3 or 5"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
