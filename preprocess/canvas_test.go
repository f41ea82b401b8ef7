package preprocess

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/volume"
)

func drawGrid(t *rapid.T) volume.Grid {
	side := rapid.IntRange(1, 9)
	return volume.Grid{Size: [3]int{side.Draw(t, "i"), side.Draw(t, "j"), side.Draw(t, "k")}}
}

// at returns the voxel of a slice's pixel by the grid's definition, without strides.
func at(g volume.Grid, axis, k, row, column int) int {
	index := map[int][3]int{0: {k, column, row}, 1: {column, k, row}, 2: {column, row, k}}[axis]
	return index[0] + g.Size[0]*(index[1]+g.Size[1]*index[2])
}

func TestRowsAndColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		c := Config{Axis: rapid.IntRange(0, 2).Draw(t, "axis"), Fit: Pad}
		c.Height, c.Width = c.SliceSize(g)
		data := make([]float32, g.Len())
		for i := range data {
			data[i] = float32(i)
		}
		for k := range c.Slices(g) {
			for i, v := range c.Image(data, g, k) {
				if want := at(g, c.Axis, k, i/c.Width, i%c.Width); int(v) != want {
					t.Fatalf("axis %d, slice %d, pixel (%d, %d): got voxel %v, want %d", c.Axis, k, i/c.Width, i%c.Width, v, want)
				}
			}
		}
	})
}

func TestPadAndBackIsTheIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const classes = 3
		g := drawGrid(t)
		c := Config{Axis: rapid.IntRange(0, 2).Draw(t, "axis"), Fit: Pad}
		h, w := c.SliceSize(g)
		c.Height, c.Width = h+rapid.IntRange(0, 5).Draw(t, "rows"), w+rapid.IntRange(0, 5).Draw(t, "columns")
		mask := &volume.Mask{Grid: g, Data: rapid.SliceOfN(rapid.Uint8Range(0, classes-1), g.Len(), g.Len()).Draw(t, "mask")}
		back := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
		for k := range c.Slices(g) {
			back.SetSlice(c.Axis, k, backThrough(c, c.Labels(mask.Data, g, k), classes, g, k))
		}
		if !slices.Equal(back.Data, mask.Data) {
			t.Fatalf("got %v, want %v", back.Data, mask.Data)
		}
	})
}

// backThrough takes labels on the canvas, as certain probabilities, to the slice's own pixels.
func backThrough(c Config, labels []uint8, classes int, g volume.Grid, k int) []uint8 {
	probs := make([]float32, len(labels)*classes)
	for i, class := range labels {
		probs[i*classes+int(class)] = 1
	}
	h, w := c.SliceSize(g)
	own := make([]float32, h*w*classes)
	c.Back(probs, classes, g, k, own)
	slice := make([]uint8, h*w)
	Argmax(slice, own, classes)
	return slice
}

func TestPadValuesAndCut(t *testing.T) {
	g := volume.Grid{Size: [3]int{3, 2, 2}}
	data := []float32{5, 6, 7, 8, 9, 10 /* next slice */, -4, 0, 0, 0, 0, 0}
	c := Config{Axis: 2, Height: 4, Width: 2, Fit: Pad}
	// Rows are padded with the least value of the volume; of three columns the first is cut (offset -1).
	want := []float32{-4, -4, 6, 7, 9, 10, -4, -4}
	if got := c.Image(data, g, 0); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got := backThrough(c, []uint8{1, 1, 1, 1, 1, 1, 1, 1}, 2, g, 0)
	if want := []uint8{0, 1, 1, 0, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("back: got %v, want %v: pixels that were cut off are background", got, want)
	}
}

// Linear interpolation must return a linear image exactly, at the place where the pixel's centre lies, except within
// half a source pixel of the border, where there is nothing to interpolate with.
func TestResizeOfARampIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{Axis: rapid.IntRange(0, 2).Draw(t, "axis"), Fit: Resize}
		g := drawGrid(t)
		c.Height, c.Width = rapid.IntRange(1, 20).Draw(t, "height"), rapid.IntRange(1, 20).Draw(t, "width")
		h, w := c.SliceSize(g)
		k := rapid.IntRange(0, c.Slices(g)-1).Draw(t, "k")
		ramp := func(y, x float64) float64 { return 3*y - 2*x + 1 }
		data := make([]float32, g.Len())
		for y := range h {
			for x := range w {
				data[at(g, c.Axis, k, y, x)] = float32(ramp(float64(y)+0.5, float64(x)+0.5))
			}
		}
		for i, got := range c.Image(data, g, k) {
			y := (float64(i/c.Width) + 0.5) / float64(c.Height) * float64(h)
			x := (float64(i%c.Width) + 0.5) / float64(c.Width) * float64(w)
			y, x = min(max(y, 0.5), float64(h)-0.5), min(max(x, 0.5), float64(w)-0.5)
			if want := ramp(y, x); math.Abs(float64(got)-want) > 1e-4 {
				t.Fatalf("%d x %d to %d x %d, pixel %d: got %v, want %v", h, w, c.Height, c.Width, i, got, want)
			}
		}
	})
}

func TestBackOfConstantIsConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const classes = 4
		c := Config{Axis: rapid.IntRange(0, 2).Draw(t, "axis"), Height: 7, Width: 5, Fit: Resize}
		g := drawGrid(t)
		class := rapid.IntRange(0, classes-1).Draw(t, "class")
		probs := make([]float32, 7*5*classes)
		for i := class; i < len(probs); i += classes {
			probs[i] = 1
		}
		h, w := c.SliceSize(g)
		out := make([]float32, h*w*classes)
		c.Back(probs, classes, g, 0, out)
		for i, p := range out {
			if want := i%classes == class; (p == 1) != want || (p == 0) == want {
				t.Fatalf("pixel %d, class %d: got %v", i/classes, i%classes, p)
			}
		}
	})
}

// Back must be the same linear interpolation as Image, one class at a time.
func TestBackAgainstImage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const classes = 3
		c := Config{Axis: 2, Height: rapid.IntRange(1, 8).Draw(t, "h"), Width: rapid.IntRange(1, 8).Draw(t, "w"), Fit: Resize}
		g := volume.Grid{Size: [3]int{rapid.IntRange(1, 8).Draw(t, "i"), rapid.IntRange(1, 8).Draw(t, "j"), 1}}
		n := c.Height * c.Width * classes
		probs := rapid.SliceOfN(rapid.Float32Range(0, 1), n, n).Draw(t, "probs")
		out := make([]float32, g.Len()*classes)
		c.Back(probs, classes, g, 0, out)
		inverse := Config{Axis: 2, Height: g.Size[1], Width: g.Size[0], Fit: Resize}
		for class := range classes {
			one := make([]float32, c.Height*c.Width)
			for i := range one {
				one[i] = probs[i*classes+class]
			}
			for i, want := range inverse.Image(one, volume.Grid{Size: [3]int{c.Width, c.Height, 1}}, 0) {
				if got := out[i*classes+class]; math.Abs(float64(got-want)) > 1e-6 {
					t.Fatalf("pixel %d, class %d: got %v, want %v", i, class, got, want)
				}
			}
		}
	})
}

func TestLabelsAreNearest(t *testing.T) {
	g := volume.Grid{Size: [3]int{4, 1, 1}}
	mask := []uint8{1, 2, 3, 4}
	for width, want := range map[int][]uint8{
		8: {1, 1, 2, 2, 3, 3, 4, 4},
		4: {1, 2, 3, 4},
		2: {2, 4}, // centres at 1.0 and 3.0: between two pixels, the latter
		3: {1, 3, 4},
	} {
		if got := (Config{Axis: 2, Height: 1, Width: width, Fit: Resize}).Labels(mask, g, 0); !slices.Equal(got, want) {
			t.Errorf("width %d: got %v, want %v", width, got, want)
		}
	}
}

func TestDiskThroughResizeAndBack(t *testing.T) {
	for _, side := range []int{90, 160, 256, 320} {
		for axis := range 3 {
			g := volume.Grid{Size: [3]int{side, side, side}}
			g.Size[axis] = 1
			c := Config{Axis: axis, Height: 128, Width: 128, Fit: Resize}
			mask := make([]uint8, side*side)
			for i := range mask {
				y, x := float64(i/side)-0.45*float64(side), float64(i%side)-0.52*float64(side)
				if math.Hypot(y, x) < float64(side)/4 {
					mask[i] = 1
				}
			}
			back := backThrough(c, c.Labels(mask, g, 0), 2, g, 0)
			both, sum := 0, 0
			for i := range mask {
				both += int(mask[i] & back[i])
				sum += int(mask[i] + back[i])
			}
			if dice := 2 * float64(both) / float64(sum); dice < 0.97 {
				t.Errorf("side %d, axis %d: Dice %.4f, want over 0.97", side, axis, dice)
			}
		}
	}
}

func TestArgmax(t *testing.T) {
	nan := float32(math.NaN())
	got := make([]uint8, 5)
	Argmax(got, []float32{.2, .5, .3, .4, .4, .2, .3, .3, .4, nan, .1, .2, nan, nan, nan}, 3)
	if want := []uint8{1, 0, 2, 2, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: ties go to the lowest class", got, want)
	}
}
