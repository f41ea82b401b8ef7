package volume

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAxis(t *testing.T) {
	for word, want := range map[string]int{"i": 0, "j": 1, "k": 2, "0": 0, "1": 1, "2": 2, "auto": AutoAxis} {
		got, err := ParseAxis(word)
		if err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", word, got, err, want)
		}
		if got >= 0 && word >= "a" && AxisName(got) != word {
			t.Errorf("axis %d is called %s, want %s", got, AxisName(got), word)
		}
	}
	for _, word := range []string{"", "K", "3", "-1", "ij", "axial"} {
		if _, err := ParseAxis(word); err == nil || !strings.Contains(err.Error(), "want i, j, k or auto") {
			t.Errorf("%q: got %v", word, err)
		}
	}
}

// Pixels lie where the definition of rows and columns says, by strides and without, and are put back where they were.
func TestSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 9)
		g := Grid{Size: [3]int{side.Draw(t, "i"), side.Draw(t, "j"), side.Draw(t, "k")}}
		axis := rapid.IntRange(0, 2).Draw(t, "axis")
		v, back := &Volume{Grid: g, Data: make([]float32, g.Len())}, &Volume{Grid: g, Data: make([]float32, g.Len())}
		m, maskBack := &Mask{Grid: g, Data: make([]uint8, g.Len())}, &Mask{Grid: g, Data: make([]uint8, g.Len())}
		for i := range v.Data {
			v.Data[i], m.Data[i] = float32(i), uint8(i)
		}
		s := g.Slices(axis)
		for n := range s.Count {
			pixels := v.Slice(axis, n)
			for y := range s.Height {
				for x := range s.Width {
					at := map[int][3]int{0: {n, x, y}, 1: {x, n, y}, 2: {x, y, n}}[axis]
					want := at[0] + g.Size[0]*(at[1]+g.Size[1]*at[2])
					if got := pixels[y*s.Width+x]; got != float32(want) || n*s.Step+y*s.Down+x*s.Right != want {
						t.Fatalf("axis %d, slice %d, pixel (%d, %d): got voxel %v, want %d", axis, n, y, x, got, want)
					}
					if g.Size.Voxel(want) != at {
						t.Fatalf("voxel %d is %v, want %v", want, g.Size.Voxel(want), at)
					}
				}
			}
			back.SetSlice(axis, n, pixels)
			maskBack.SetSlice(axis, n, m.Slice(axis, n))
		}
		if !slices.Equal(back.Data, v.Data) || !slices.Equal(maskBack.Data, m.Data) {
			t.Fatalf("axis %d: the slices put back are not the volume", axis)
		}
	})
}

func TestSlicesRefuse(t *testing.T) {
	g := unitGrid(3, 2, 1)
	m := &Mask{Grid: g, Data: make([]uint8, g.Len())}
	for name, wrong := range map[string]func(){
		"axis":   func() { g.Slices(3) },
		"auto":   func() { g.Slices(AutoAxis) },
		"slice":  func() { m.Slice(2, 1) },
		"below":  func() { m.Slice(2, -1) },
		"pixels": func() { m.SetSlice(2, 0, make([]uint8, 5)) },
		"data":   func() { (&Mask{Grid: g}).Slice(2, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			wrong()
		}()
	}
}

func TestPixelSizeAndPosition(t *testing.T) {
	g := Grid{Size: [3]int{3, 5, 7}, Affine: [3][4]float64{{-1, 0, 0, 10}, {0, 0, 3, 20}, {0, 2, 0, 30}}}
	for axis, want := range [3][2]float64{{3, 2}, {3, 1}, {2, 1}} {
		if row, column := g.Slices(axis).PixelSize(); row != want[0] || column != want[1] {
			t.Errorf("axis %d: got %v, %v, want %v", axis, row, column, want)
		}
	}
	for axis, want := range [3]float64{10 - 2, 30 + 2*2, 20 + 3*2} { // x falls along i, z grows along j, y along k
		if got := g.Slices(axis).Position(2); got != want {
			t.Errorf("axis %d: slice 2 lies at %v, want %v", axis, got, want)
		}
	}
}

// Of a grid that is tilted by 20° about the patient's R axis the position is a plane's distance along its normal, toward S or A whichever way the slices
// are numbered. By hand, with the origin (-10, -20, 30): along k, -20 * -sin 20° + 30 * cos 20° = 6.840403 + 28.190779 = 35.031181; along j,
// -20 * cos 20° + 30 * sin 20° = -18.793852 + 10.260604 = -8.533248.
func TestPositionOfTiltedSlices(t *testing.T) {
	const sin, cos = 0.3420201433256687, 0.9396926207859084
	g := Grid{Size: [3]int{40, 30, 7}, Unit: Millimetre, Affine: [3][4]float64{{1, 0, 0, -10}, {0, cos, -3 * sin, -20}, {0, sin, 3 * cos, 30}}}
	down := g
	down.Affine[1][2], down.Affine[2][2] = 3*sin, -3*cos
	for _, c := range []struct {
		grid Grid
		axis int
		want float64 // of slice 2
	}{{g, 2, 35.031181 + 2*3}, {down, 2, 35.031181 - 2*3}, {g, 1, -8.533248 + 2}, {g, 0, -10 + 2}} {
		if got := c.grid.Slices(c.axis).Position(2); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("%s, axis %d: slice 2 lies at %v, want %v", c.grid.Orientation(), c.axis, got, c.want)
		}
	}
}
