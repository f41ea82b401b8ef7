package volume

import (
	"slices"
	"strings"
	"testing"
)

// directed returns a grid of 1 mm whose index axes grow in the given world directions, such as "LPS".
func directed(directions string) Grid {
	g := Grid{Size: [3]int{2, 2, 2}, Unit: Millimetre}
	for column, d := range directions {
		row, sign := strings.IndexRune("RAS", d), 1.0
		if row < 0 {
			row, sign = strings.IndexRune("LPI", d), -1
		}
		g.Affine[row][column] = sign
	}
	return g
}

// A slice is shown as radiologists look at it, however it lies in the file: an axial one with the patient's right on the
// left and the front above.
func TestView(t *testing.T) {
	for _, test := range []struct {
		directions string
		axis       int
		stored     string // edges: left, right, top, bottom
		shown      string
		want       View
	}{
		{"LPS", 2, "RLAP", "RLAP", View{}},
		{"RAS", 2, "LRPA", "RLAP", View{FlipX: true, FlipY: true}},
		{"RPS", 2, "LRAP", "RLAP", View{FlipX: true}},
		{"PLS", 2, "APRL", "RLAP", View{Transpose: true}},
		{"LPI", 1, "RLSI", "RLSI", View{}},                             // coronal
		{"LPS", 1, "RLIS", "RLSI", View{FlipY: true}},                  //
		{"LPS", 0, "APIS", "APSI", View{FlipY: true}},                  // sagittal: the front on the left
		{"RAS", 0, "PAIS", "APSI", View{FlipX: true, FlipY: true}},     //
		{"LSP", 0, "ISAP", "APSI", View{Transpose: true, FlipY: true}}, // rows grow back, columns to the head
	} {
		edges := func(letters string) Edges { return Edges{letters[:1], letters[1:2], letters[2:3], letters[3:]} }
		test.want.Edges = edges(test.shown)
		s := directed(test.directions).Slices(test.axis)
		if got := s.Edges(); got != edges(test.stored) {
			t.Errorf("%s across axis %d: stored with edges %v, want %s", test.directions, test.axis, got, test.stored)
		}
		if got := s.View(); got != test.want {
			t.Errorf("%s across axis %d: %+v, want %+v", test.directions, test.axis, got, test.want)
		}
	}
	g := directed("RAS")
	g.Unit = Voxel
	if v := g.Slices(2).View(); v != (View{}) {
		t.Errorf("a file without geometry tells sides, or is turned: %v", v)
	}
}

func TestTurn(t *testing.T) {
	pixels := []uint8{
		1, 2, 3,
		4, 5, 6,
	}
	for _, test := range []struct {
		view View
		want []uint8
		h, w int
	}{
		{View{}, []uint8{1, 2, 3, 4, 5, 6}, 2, 3},
		{View{FlipX: true}, []uint8{3, 2, 1, 6, 5, 4}, 2, 3},
		{View{FlipY: true}, []uint8{4, 5, 6, 1, 2, 3}, 2, 3},
		{View{Transpose: true}, []uint8{1, 4, 2, 5, 3, 6}, 3, 2},
		{View{Transpose: true, FlipX: true}, []uint8{4, 1, 5, 2, 6, 3}, 3, 2},
	} {
		got, h, w := Turn(test.view, pixels, 2, 3)
		if !slices.Equal(got, test.want) || h != test.h || w != test.w {
			t.Errorf("%+v: %v, %d x %d", test.view, got, h, w)
		}
	}
	if pixels[0] != 1 || pixels[5] != 6 {
		t.Error("the slice itself was turned")
	}
}
