package figure

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// grid returns a grid of 1 mm whose index axes grow in the given world directions, such as "LPS".
func gridOf(directions string, size [3]int) volume.Grid {
	g := volume.Grid{Size: size, Unit: "mm"}
	for column, d := range directions {
		row := strings.IndexRune("RAS", d)
		sign := 1.0
		if row < 0 {
			row, sign = strings.IndexRune("LPI", d), -1
		}
		g.Affine[row][column] = sign
	}
	return g
}

// Two classes side by side: the contour goes around both and between them.
func TestEdges(t *testing.T) {
	labels := []uint8{
		0, 0, 0, 0,
		0, 1, 2, 0,
		0, 0, 0, 0,
	}
	if got, want := edges(labels, 4, 0, 0, 4, 3), "M1 1h2M1 2h2M1 1v1M2 1v1M3 1v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Cut out at the class's own border the contour is closed there too.
	if got, want := edges(labels, 4, 1, 1, 2, 2), "M0 0h1M0 1h1M0 0v1M1 0v1"; got != want {
		t.Errorf("cut out: got %s, want %s", got, want)
	}
	if got := edges(make([]uint8, 12), 4, 0, 0, 4, 3); got != "" {
		t.Errorf("contour of nothing: %s", got)
	}
}

func TestNewPicture(t *testing.T) {
	g := gridOf("RAS", [3]int{60, 50, 3})
	ref := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
	pred := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
	v := &volume.Volume{Grid: g, Data: make([]float32, g.Len())}
	at := func(i, j, k int) int { return i + 60*(j+50*k) }
	ref.Data[at(20, 30, 1)], ref.Data[at(21, 30, 1)], ref.Data[at(20, 30, 2)] = 1, 1, 1
	pred.Data[at(22, 30, 1)] = 1
	v.Data[at(20, 30, 1)] = 9
	p := preprocess.Config{Axis: 2, Height: 64, Width: 64, Fit: preprocess.Pad}
	if k := LargestSlice(p, ref); k != 1 {
		t.Fatalf("slice %d has the most foreground, want 1", k)
	}
	picture := NewPicture("x", p, v, 1, ref, []*volume.Mask{pred}, []Prediction{{Strategy: "random", Dice: 0.5}})
	// Three pixels of a row and a margin of 12 on each side.
	if picture.size != [2]int{27, 25} {
		t.Errorf("size %v", picture.size)
	}
	// i grows to the right of the patient and is turned: the prediction at i = 22 is the leftmost.
	if got, want := picture.Predictions[0].path, "M12 12h1M12 13h1M12 12v1M13 12v1"; got != want {
		t.Errorf("prediction %s, want %s", got, want)
	}
	if got, want := picture.reference, "M13 12h2M13 13h2M13 12v1M15 12v1"; got != want {
		t.Errorf("reference %s, want %s", got, want)
	}
	slice, panels := picture.HTML("s1")
	for _, want := range []string{`id="s1"`, "data:image/png;base64,"} {
		if !strings.Contains(string(slice), want) {
			t.Errorf("%q is not in %s", want, slice)
		}
	}
	for _, want := range []string{`href="#s1"`, "random, 50.0 %", ">R</text>"} {
		if !strings.Contains(string(panels), want) {
			t.Errorf("%q is not in %s", want, panels)
		}
	}
}
