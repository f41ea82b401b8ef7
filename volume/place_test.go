package volume

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A mask put on a grid whose axes are permuted, flipped and longer keeps every voxel at its world coordinates, and comes back
// as it was.
func TestMaskOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		m := &Mask{Grid: g, Data: rapid.SliceOfN(rapid.Byte(), g.Len(), g.Len()).Draw(t, "data")}
		order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "to")
		h := Grid{Unit: g.Unit}
		first := [3]float64{}
		var low, flipped [3]bool
		for a, to := range order {
			before, after := rapid.IntRange(0, 2).Draw(t, "before"), rapid.IntRange(0, 2).Draw(t, "after")
			h.Size[to] = g.Size[a] + before + after
			flipped[a] = rapid.Bool().Draw(t, "flip")
			first[a] = -float64(before)
			sign := 1.0
			if flipped[a] {
				first[a], sign = float64(g.Size[a]-1+before), -1
			}
			for r := range 3 {
				h.Affine[r][to] = sign * g.Affine[r][a]
			}
			low[a] = before > 0
		}
		w := g.World(first[0], first[1], first[2])
		for r := range 3 {
			h.Affine[r][3] = w[r] + 0.03*h.Affine[r][0] // a little off
		}
		on, err := m.On(h)
		if err != nil {
			t.Fatal(err)
		}
		for v, class := range m.Data {
			i, j, k := v%g.Size[0], v/g.Size[0]%g.Size[1], v/g.Size[0]/g.Size[1]
			at := h.Index(g.World(float64(i), float64(j), float64(k)))
			n := int(at[0]+0.5) + h.Size[0]*(int(at[1]+0.5)+h.Size[1]*int(at[2]+0.5))
			if on.Data[n] != class {
				t.Fatalf("voxel (%d, %d, %d): class %d, want %d", i, j, k, on.Data[n], class)
			}
		}
		back, err := on.On(g)
		if err != nil || !slices.Equal(back.Data, m.Data) {
			t.Fatalf("back: %v, want %v, %v", back, m.Data, err)
		}
	})
}

func TestMaskOnRefuses(t *testing.T) {
	g := unitGrid(3, 3, 1)
	m := &Mask{Grid: g, Data: []uint8{1, 0, 0, 0, 0, 0, 0, 0, 0}}
	half, wide, turned, away := g, g, g, g
	half.Affine[0][3] += 0.5
	wide.Affine[0][0] *= 1.2
	turned.Affine[0][1], turned.Affine[1][0] = 0.5, -0.5
	away.Affine[0][3] -= 1
	for name, c := range map[string]struct {
		to   Grid
		want string
	}{"half a voxel": {half, "do not coincide"}, "spacing": {wide, "do not coincide"}, "turned": {turned, "do not coincide"}, "outside": {away, "lies outside the image"}} {
		_, err := m.On(c.to)
		wantError(t, name, err, c.want)
	}
}

// The covering grid runs along the axes of the first, whatever those of the second are, and both masks lie on it unchanged.
func TestGridCover(t *testing.T) {
	g := unitGrid(4, 3, 2) // LPS
	h := Grid{Size: [3]int{5, 2, 3}, Unit: Millimetre}
	h.Affine = [3][4]float64{{0, 1, 0, -4}, {0, 0, -1, 0}, {2, 0, 0, -2}} // S R P: i to the head, j to the right, k to the back
	c, err := g.Cover(h)
	if err != nil {
		t.Fatal(err)
	}
	// h has x = -4, -3 (i = 4, 3 of g), y = 0, -1, -2 (j = 0 to 2) and z = -2 to 6 (k = -1 to 3).
	if c.Size != [3]int{5, 3, 5} || c.World(0, 0, 0) != [3]float64{0, 0, -2} || c.World(1, 1, 1) != [3]float64{-1, -1, 0} || c.Unit != Millimetre {
		t.Errorf("got %+v", c)
	}
	for _, grid := range []Grid{g, h} {
		m := &Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		for v := range m.Data {
			m.Data[v] = uint8(v + 1)
		}
		on, err := m.On(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := on.On(grid); err != nil || !slices.Equal(back.Data, m.Data) {
			t.Errorf("there and back: %v, %v", back, err)
		}
	}
	away, half := g, g
	away.Affine[0][3] -= 4
	half.Affine[0][3] += 0.5
	_, err = g.Cover(away)
	wantError(t, "beside", err, "no voxel in common")
	_, err = g.Cover(half)
	wantError(t, "half a voxel", err, "do not coincide")
}
