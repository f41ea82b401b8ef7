package dicom

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
)

// Contours without their series are filled on the voxels of any grid of the same lattice as on the series itself: axes in every order and
// direction, cropped and enlarged again, with slices left out between.
func TestReadContoursOn(t *testing.T) {
	series, s := drawnOn(t)
	second := make([]uint8, series.Len()) // two slices with one between, which stays empty
	for _, k := range []int{0, 2} {
		second[series.Size[0]*(4+series.Size[1]*k)+5] = 1
	}
	s.Layers = append(s.Layers, second)
	s.Segments = append(s.Segments, volume.Segment{Name: "apart", Layer: 1, Value: 1})
	path := filepath.Join(t.TempDir(), "contours.dcm")
	if err := WriteContours(path, s, series, time.Unix(0, 0), Codes{}); err != nil {
		t.Fatal(err)
	}
	want, _, err := ReadContours(path, series)
	if err != nil {
		t.Fatal(err)
	}
	plain := series.Grid.Orientation()
	pairs := [3]string{"LR", "AP", "SI"}
	axisOf := func(c byte) int { return strings.IndexFunc("LRAPSI", func(r rune) bool { return r == rune(c) }) / 2 }
	seen := 0
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for flips := range 8 {
			orientation := ""
			for a, b := range order {
				orientation += string(pairs[axisOf(plain[b])][flips>>a&1])
			}
			g, err := series.Grid.Turned(orientation)
			if err != nil {
				t.Fatal(err)
			}
			for _, crop := range []bool{false, true} {
				if crop { // contours reach beyond it
					for a := range 3 {
						g.Size[a]--
					}
					w := g.World(1, 1, 1)
					for r := range 3 {
						g.Affine[r][3] = w[r]
						g.Size[r]--
					}
				}
				name := fmt.Sprint(orientation, crop)
				got, warnings, err := ReadContoursOn(path, g, true)
				if err != nil {
					t.Fatal(name, err)
				}
				for _, w := range warnings {
					if strings.Contains(w, "joined") || strings.Contains(w, "outside") {
						t.Errorf("%s: %s", name, w)
					}
				}
				back, err := got.On(series.Grid)
				if err != nil {
					t.Fatal(name, err)
				}
				for i, x := range want.Segments {
					y := back.Segments[i]
					for v := range want.Layers[x.Layer] {
						if (want.Layers[x.Layer][v] == x.Value) != (back.Layers[y.Layer][v] == y.Value) {
							t.Fatalf("%s: %s differs at %v", name, x.Name, series.Size.Voxel(v))
						}
					}
				}
				seen++
			}
		}
	}
	if seen != 96 {
		t.Errorf("%d grids", seen)
	}
	// Every other slice alone: that there are as many slices as images says that these are the slices.
	every := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: s.Segments[2:]}
	every.Segments[0].Layer = 0
	for k := 0; k < series.Size[2]; k += 2 {
		every.Layers[0][series.Size[0]*(4+series.Size[1]*k)+5] = 1
	}
	other := filepath.Join(t.TempDir(), "every.dcm")
	if err := WriteContours(other, every, series, time.Unix(0, 0), Codes{}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ReadContoursOn(other, series.Grid, true); err != nil || series.Size[2] < 5 || !slices.Equal(got.Layers[0], every.Layers[0]) {
		t.Errorf("every other slice: %v", err)
	}

	g := series.Grid
	g.Size[2] = 1 // only the first slice, and nothing beyond it
	got, warnings, err := ReadContoursOn(path, g, false)
	if err != nil || got.Size != g.Size {
		t.Fatal(got, err)
	}
	wantWarning(t, warnings, `region "Kidney_Left": `)
	wantWarning(t, warnings, "lie outside")
}

// On voxels that are finer or coarser than the slices contours are joined in space, and that is told.
func TestReadContoursOnOtherSlices(t *testing.T) {
	s := contourSeries(t, nil)
	var drawn [][]*lib.Element
	for k := range 3 {
		drawn = append(drawn, drawContour(t, s, "CLOSED_PLANAR", square(-0.5, -0.5, 2.5, 1.5, float64(k))...))
	}
	path := structureSet(t, s, map[int][][]*lib.Element{1: drawn})
	fine := s.Grid // a third of the distance; the contours lie at every third slice
	fine.Size[2] = 9
	for r := range 3 {
		fine.Affine[r][2] /= 3
		fine.Affine[r][3] -= fine.Affine[r][2]
	}
	part := fine // what it lacks is added
	part.Size = volume.Size{2, 1, 4}
	for _, g := range []volume.Grid{fine, part} {
		got, warnings, err := ReadContoursOn(path, g, true)
		if err != nil {
			t.Fatal(err)
		}
		wantWarning(t, warnings, "joined in space")
		on, err := got.On(fine)
		if err != nil {
			t.Fatal(err)
		}
		for v, x := range on.Layers[0] {
			if x != 1 {
				t.Errorf("%v: voxel %v is empty", g.Size, on.Size.Voxel(v))
			}
		}
	}
	voxels := fine
	voxels.Unit = volume.Voxel
	_, _, err := ReadContoursOn(path, voxels, true)
	wantError(t, "no unit", err, "without position and spacing")
	far := s.Grid
	for r := range 3 {
		far.Affine[r][3] += 5000
	}
	_, _, err = ReadContoursOn(path, far, true)
	wantError(t, "far", err, "belongs to another image")
	skewed := s.Grid
	skewed.Affine[0][0] += 0.2
	_, _, err = ReadContoursOn(path, skewed, true)
	wantError(t, "skewed", err, "right angles")
}

// The series that a structure set was drawn on is found in its own folder, and no other.
func TestDrawnOn(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		at := [3]float64{0, 0, 3 * float64(i)}
		putFile(t, dir, fmt.Sprint("a", i, ".dcm"), plane(i, at, values{tag.SeriesInstanceUID: []string{"1.2.5"}, tag.SOPInstanceUID: []string{fmt.Sprint("1.2.5.", i)}}))
		putFile(t, dir, fmt.Sprint("b", i, ".dcm"), plane(i, at, values{tag.SeriesInstanceUID: []string{"1.2.6"}, tag.SOPInstanceUID: []string{fmt.Sprint("1.2.6.", i)}}))
	}
	series, _, err := Find(dir, "1.2.6")
	if err != nil {
		t.Fatal(err)
	}
	s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{{Name: "a", Value: 1}}}
	s.Layers[0][0] = 1
	path := filepath.Join(dir, "rs.dcm")
	if err := WriteContours(path, s, series, time.Unix(0, 0), Codes{}); err != nil {
		t.Fatal(err)
	}
	if on := DrawnOn(path); on == nil || on.UID != "1.2.6" {
		t.Errorf("drawn on %v", on)
	}
	alone := filepath.Join(t.TempDir(), "rs.dcm")
	if err := WriteContours(alone, s, series, time.Unix(0, 0), Codes{}); err != nil {
		t.Fatal(err)
	}
	if on := DrawnOn(alone); on != nil {
		t.Errorf("alone: %v", on)
	}
}
