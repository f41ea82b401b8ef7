package dicom

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
)

// A written structure set reads back to the same voxels, with holes, parts in holes, overlapping regions and oblique slices; and dicom3tools takes it for valid.
func TestWriteContoursRoundTrip(t *testing.T) {
	series, s := drawnOn(t)
	random := rand.New(rand.NewPCG(1, 2))
	second := make([]uint8, series.Len())
	for v := range second { // noise, which overlaps the others
		second[v] = uint8(random.IntN(2))
	}
	s.Layers = append(s.Layers, second)
	s.Segments = append(s.Segments, volume.Segment{Name: "noise", Layer: 1, Value: 1, Color: [3]uint8{9, 8, 7}}, volume.Segment{Name: "nothing", Layer: 1, Value: 5})
	path := filepath.Join(t.TempDir(), "contours.dcm")
	if err := WriteContours(path, s, series, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Codes{}); err != nil {
		t.Fatal(err)
	}
	back, warnings, err := ReadContours(path, series)
	if err != nil || len(back.Segments) != 4 {
		t.Fatal(back, err)
	}
	for _, w := range warnings { // parts within holes are contours of their own, as in any drawing
		if !strings.Contains(w, "stay empty") {
			t.Errorf("warning %q", w)
		}
	}
	for i, a := range s.Segments {
		b := back.Segments[i]
		if b.Name != a.Name || b.Color != a.Color {
			t.Errorf("%+v, want %+v", b, a)
		}
		for v := range s.Layers[0] {
			if (s.Layers[a.Layer][v] == a.Value) != (back.Layers[b.Layer][v] == b.Value) {
				t.Fatalf("segment %s differs at voxel %v", a.Name, s.Size.Voxel(v))
			}
		}
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drawn := f.items(tag.ROIContourSequence)[0].items(tag.ContourSequence)
	if image := drawn[0].inner(tag.ContourImageSequence).text(tag.ReferencedSOPInstanceUID); image != series.slices[1].text(tag.SOPInstanceUID) {
		t.Errorf("the first contour refers to %s", image)
	}
	if n := drawn[0].whole(tag.NumberOfContourPoints, 0); n < 8 || 3*n != len(drawn[0].reals(tag.ContourData)) {
		t.Errorf("%d points", n)
	}
	if found := dciodvfy(t, path); len(found) > 0 {
		t.Errorf("dciodvfy: %q", found)
	}
}

// Names of 64 characters, which are more bytes, are read as they were written, and stay apart.
func TestLongNames(t *testing.T) {
	series, s := drawnOn(t)
	long := strings.Repeat("поджелудочная ", 5)[:2*60]
	s.Segments[0].Name, s.Segments[1].Name = long+" 1", long+" 2"
	for what, write := range map[string]func(path string) error{
		"SEG":      func(path string) error { return WriteSegmentation(path, s, series, time.Unix(0, 0)) },
		"RTSTRUCT": func(path string) error { return WriteContours(path, s, series, time.Unix(0, 0), Codes{}) },
	} {
		path := filepath.Join(t.TempDir(), "names.dcm")
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		back, _, err := ReadSegments(path, series)
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range s.Segments {
			if !slices.ContainsFunc(back.Segments, func(b volume.Segment) bool { return b.Name == segment.Name }) {
				t.Errorf("%s: no %q among %+v", what, segment.Name, back.Segments)
			}
		}
	}
	if got := printable(strings.Repeat("x", 63) + "ж\n"); got != strings.Repeat("x", 63)+"..." {
		t.Errorf("for an error: %q", got)
	}
}

// A contour of more than 64 kB is written whole.
func TestLongContours(t *testing.T) {
	dir := t.TempDir()
	putFile(t, dir, "a.dcm", plane(1, [3]float64{}, values{tag.Rows: []int{200}, tag.Columns: []int{200}, tag.PixelData: pixels(make([]byte, 2*200*200)...)}))
	series, _ := find(t, dir, "")
	m := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	for v := range m.Data { // a comb
		if x, y := v%200, v/200; y == 0 || x%2 == 0 {
			m.Data[v] = 1
		}
	}
	for k := 1; k < 199; k += 4 { // with teeth that are frayed
		for y := 1; y < 200; y += 2 {
			m.Data[k+y*200] = 1
		}
	}
	path := filepath.Join(dir, "contours.dcm")
	if err := WriteContours(path, volume.NewSegmentation(m, nil), series, time.Time{}, Codes{}); err != nil {
		t.Fatal(err)
	}
	back, _, err := ReadContours(path, series)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.Layers[0], m.Data) {
		t.Error("the comb comes back otherwise")
	}
}
