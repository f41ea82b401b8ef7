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
