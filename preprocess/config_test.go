package preprocess

import (
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

func TestDerive(t *testing.T) {
	for _, test := range []struct {
		name          string
		sizes         [][3]int
		axis          int
		height, width int
		fit           string
	}{
		{"all fit: multiples of 8", [][3]int{{35, 51, 30}, {40, 47, 41}}, 2, 56, 40, Pad},
		{"exactly 128", [][3]int{{128, 128, 20}}, 2, 128, 128, Pad},
		{"one is larger", [][3]int{{64, 64, 20}, {64, 129, 20}}, 2, 128, 128, Resize},
		{"other axis", [][3]int{{200, 50, 24}}, 0, 24, 56, Pad},
		{"middle axis", [][3]int{{50, 200, 24}}, 1, 24, 56, Pad},
		{"tiny", [][3]int{{3, 4, 24}}, 2, 16, 16, Pad},
	} {
		got := Derive(test.sizes, test.axis)
		want := Config{Axis: test.axis, Height: test.height, Width: test.width, Fit: test.fit, ClipLow: 1, ClipHigh: 99}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, want)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	err := Config{Axis: 3, Height: 0, Width: 8, Fit: "crop", ClipLow: 99, ClipHigh: 1}.Validate()
	if err == nil {
		t.Fatal("want an error")
	}
	for _, word := range []string{"axis", "canvas", "crop", "clip"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
}

func TestCoarsestAxis(t *testing.T) {
	grid := func(i, j, k float64) volume.Grid {
		return volume.Grid{Affine: [3][4]float64{{i, 0, 0, 0}, {0, j, 0, 0}, {0, 0, k, 0}}}
	}
	for _, test := range []struct {
		grids []volume.Grid
		want  int
	}{
		{nil, 2},
		{[]volume.Grid{grid(1, 1, 1)}, 2},
		{[]volume.Grid{grid(-3.6, 0.6, 0.6)}, 0},
		{[]volume.Grid{grid(0.6, 3, 0.6), grid(0.6, 0.6, 3), grid(0.5, 3, 0.5)}, 1},
		{[]volume.Grid{grid(1.05, 1, 1)}, 2},
	} {
		if got := CoarsestAxis(test.grids); got != test.want {
			t.Errorf("%v: got %d, want %d", test.grids, got, test.want)
		}
	}
}
