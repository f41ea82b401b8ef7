package volume

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// Whatever the orientation, each voxel keeps its value at its place, and turned back all is as before.
func TestTurned(t *testing.T) {
	g := Grid{Size: [3]int{2, 3, 4}, Unit: Millimetre, Affine: [3][4]float64{{-0.5, 0.1, 0.2, 7}, {0.05, -2, 0.3, 8}, {0.03, 0.2, 3, 9}}}
	v := &Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "int16"}
	m := &Mask{Grid: g, Data: make([]uint8, g.Len())}
	for i := range v.Data {
		v.Data[i], m.Data[i] = float32(i), uint8(i)
	}
	count := 0
	for _, letters := range [][3]string{{"LR", "PA", "SI"}, {"SI", "LR", "PA"}, {"PA", "SI", "LR"}, {"PA", "LR", "SI"}, {"LR", "SI", "PA"}, {"SI", "PA", "LR"}} {
		for bits := range 8 {
			var to []byte
			for a := range 3 {
				to = append(to, letters[a][bits>>a&1])
			}
			turned, err := v.Turned(string(to))
			if err != nil {
				t.Fatal(err)
			}
			if got := turned.Orientation(); got != string(to) {
				t.Fatalf("to %s: got %s", to, got)
			}
			for index, x := range turned.Data {
				i, j, k := index%turned.Size[0], index/turned.Size[0]%turned.Size[1], index/turned.Size[0]/turned.Size[1]
				at := g.Index(turned.World(float64(i), float64(j), float64(k)))
				old := int(math.Round(at[0])) + g.Size[0]*(int(math.Round(at[1]))+g.Size[1]*int(math.Round(at[2])))
				if x != v.Data[old] {
					t.Fatalf("to %s: voxel (%d, %d, %d) is %g, want %g", to, i, j, k, x, v.Data[old])
				}
			}
			mask, err := m.Turned(string(to))
			if err != nil || !mask.Same(turned.Grid, 1e-9) {
				t.Fatalf("to %s: the mask lies elsewhere, or %v", to, err)
			}
			back, err := mask.Turned(g.Orientation())
			if err != nil || !back.Same(g, 1e-9) || !slices.Equal(back.Data, m.Data) {
				t.Fatalf("to %s and back: %v", to, err)
			}
			count++
		}
	}
	if count != 48 {
		t.Errorf("%d orientations, want 48", count)
	}
	if same, err := v.Turned(g.Orientation()); err != nil || same != v {
		t.Errorf("a volume of that orientation was copied")
	}
	for _, wrong := range []string{"", "LP", "LPSA", "LRS", "lps", "LPX"} {
		if _, err := v.Turned(wrong); err == nil || !strings.Contains(err.Error(), "want one of L R") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}
