package dicom

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// contourSeries writes three oblique slices of 3 columns and 2 rows, 0.25 x 0.5 x 3 mm, and returns their series.
func contourSeries(t *testing.T, over values) *Series {
	dir := t.TempDir()
	right, down := [3]float64{0.6, 0.8, 0}, [3]float64{-0.48, 0.36, -0.8}
	normal := cross(right, down)
	for i := range 3 {
		var at [3]float64
		for r := range 3 {
			at[r] = 100 + 3*float64(i)*normal[r]
		}
		v := values{tag.ImageOrientationPatient: decimals(append(right[:], down[:]...)...)}
		maps.Copy(v, over)
		putFile(t, dir, string(rune('a'+i)), plane(i, at, v))
	}
	all, _, err := Scan(dir)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// drawContour returns a contour through points of the series' index space.
func drawContour(t *testing.T, s *Series, kind string, points ...[3]float64) []*lib.Element {
	var data []string
	for _, p := range points {
		w := s.World(p[0], p[1], p[2])
		data = append(data, shortDecimals(-w[0], -w[1], w[2])...)
	}
	return values{tag.ContourGeometricType: []string{kind}, tag.ContourData: data}.elements(t)
}

func structureSet(t *testing.T, s *Series, regions map[int][][]*lib.Element) string {
	var names, contours [][]*lib.Element
	for n := 1; n <= len(regions); n++ {
		names = append(names, values{tag.ROINumber: []string{string(rune('0' + n))}, tag.ROIName: []string{"region" + string(rune('0'+n))}}.elements(t))
		contours = append(contours, values{tag.ReferencedROINumber: []string{string(rune('0' + n))}, tag.ROIDisplayColor: []string{"1", "2", "3"},
			tag.ContourSequence: regions[n]}.elements(t))
	}
	slices.Reverse(contours) // found by number, not by order
	return putFile(t, t.TempDir(), "rs.dcm", plane(1, [3]float64{}, values{
		tag.SOPClassUID: []string{structureSetClass}, tag.PixelData: nil, tag.StructureSetROISequence: names, tag.ROIContourSequence: contours,
		tag.ReferencedFrameOfReferenceSequence: [][]*lib.Element{values{
			tag.RTReferencedStudySequence: [][]*lib.Element{values{
				tag.RTReferencedSeriesSequence: [][]*lib.Element{values{tag.SeriesInstanceUID: []string{s.UID}}.elements(t)},
			}.elements(t)},
		}.elements(t)},
	}))
}

func square(x0, y0, x1, y1, z float64) [][3]float64 {
	return [][3]float64{{x0, y0, z}, {x1, y0, z}, {x1, y1, z}, {x0, y1, z}}
}

func TestReadContours(t *testing.T) {
	s := contourSeries(t, nil)
	path := structureSet(t, s, map[int][][]*lib.Element{
		1: {
			drawContour(t, s, "CLOSED_PLANAR", square(-0.5, -0.5, 2.5, 1.5, 1)...),
			drawContour(t, s, "CLOSED_PLANAR", square(0.5, -0.4, 1.5, 0.6, 1)...), // a hole
			drawContour(t, s, "CLOSED_PLANAR", square(-9, -9, 0.6, 99, 0)...),     // beyond the borders
			drawContour(t, s, "POINT", [3]float64{1, 1, 1}),
			drawContour(t, s, "CLOSED_PLANAR", square(0, 0, 1, 1, 7)...),
			drawContour(t, s, "CLOSED_PLANAR", [3]float64{0, 0, 0}, [3]float64{2, 0, 2}, [3]float64{2, 1, 2}),
		},
		2: {drawContour(t, s, "CLOSED_PLANAR", square(1.5, 0.5, 9, 9, 1.8)...)},
		3: {drawContour(t, s, "CLOSED_PLANAR", square(1.5, 0.5, 9, 9, 1)...)},
	})
	got, warnings, err := ReadContours(path, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 contours are points", "1 contours lie outside", "1 contours are oblique", "1 contours lie within another one and are taken as holes"} {
		wantWarning(t, warnings, want)
	}
	if len(warnings) != 4 {
		t.Errorf("warnings %q", warnings)
	}
	first := []uint8{1, 0, 0, 1, 0, 0 /**/, 1, 0, 1, 1, 1, 1 /**/, 0, 0, 0, 0, 0, 2}
	second := []uint8{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0}
	if len(got.Layers) != 2 || !slices.Equal(got.Layers[0], first) || !slices.Equal(got.Layers[1], second) {
		t.Errorf("layers %v", got.Layers)
	}
	if x := got.Segments[2]; x.Name != "region3" || x.Layer != 1 || x.Color != [3]uint8{1, 2, 3} {
		t.Errorf("segment %+v", x)
	}
	other := contourSeries(t, values{tag.SeriesInstanceUID: []string{"1.2.77"}})
	if _, warnings, err = ReadContours(path, other); err != nil {
		t.Fatal(err)
	}
	wantWarning(t, warnings, "drawn on another series: 1.2.3")
}

// Regions without contours, and contours without a region, are told.
func TestContoursWithoutRegion(t *testing.T) {
	s := contourSeries(t, nil)
	some := [][]*lib.Element{drawContour(t, s, "CLOSED_PLANAR", square(-0.5, -0.5, 2.5, 1.5, 1)...)}
	path := structureSet(t, s, map[int][][]*lib.Element{1: some, 2: nil, 3: some})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, warnings, err := ReadContours(path, s)
	if err != nil || len(warnings) != 1 || warnings[0] != `regions without contours stay empty: "region2"` {
		t.Errorf("%q, %v", warnings, err)
	}
	// (3006,0084), the number of the region that contours are of, in the first item of the contours, those of region 3
	old, lost := []byte("\x06\x30\x84\x00IS\x02\x003 "), []byte("\x06\x30\x84\x00IS\x02\x009 ")
	if !bytes.Contains(data, old) {
		t.Fatal("no number of a region")
	}
	if err := os.WriteFile(path, bytes.Replace(data, old, lost, 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, warnings, err = ReadContours(path, s); err != nil {
		t.Fatal(err)
	}
	wantWarning(t, warnings, `stay empty: "region2", "region3"`)
	wantWarning(t, warnings, "1 contours belong to no region and were left out")
}

func TestReadContoursRefuses(t *testing.T) {
	s := contourSeries(t, nil)
	_, _, err := ReadContours(s.Files()[0], s)
	wantError(t, "image", err, "no structure set")
	bad := values{tag.ContourGeometricType: []string{"CLOSED_PLANAR"}, tag.ContourData: []string{"1", "2"}}.elements(t)
	_, _, err = ReadContours(structureSet(t, s, map[int][][]*lib.Element{1: {bad}}), s)
	wantError(t, "two numbers", err, `region "region1": contour 1 has no coordinates in threes`)
	_, _, err = ReadContours(structureSet(t, s, nil), s)
	wantError(t, "none", err, "0 regions")
}

// A region has the contours of every item with its number, and regions with one number are refused.
func TestContoursInSeveralItems(t *testing.T) {
	s := contourSeries(t, nil)
	write := func(numbers, drawn string) string { // of the regions, and of the items, whose contours lie on slices 0, 1 …
		var names, contours [][]*lib.Element
		for _, n := range numbers {
			names = append(names, values{tag.ROINumber: []string{string(n)}, tag.ROIName: []string{"region" + string(n)}}.elements(t))
		}
		for k, n := range drawn {
			contours = append(contours, values{tag.ReferencedROINumber: []string{string(n)},
				tag.ContourSequence: [][]*lib.Element{drawContour(t, s, "CLOSED_PLANAR", square(-0.5, -0.5, 2.5, 1.5, float64(k))...)}}.elements(t))
		}
		return putFile(t, t.TempDir(), "rs.dcm", plane(1, [3]float64{}, values{
			tag.SOPClassUID: []string{structureSetClass}, tag.PixelData: nil, tag.StructureSetROISequence: names, tag.ROIContourSequence: contours,
		}))
	}
	got, _, err := ReadContours(write("12", "121"), s)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{1, 1, 1, 1, 1, 1 /**/, 2, 2, 2, 2, 2, 2 /**/, 1, 1, 1, 1, 1, 1}; !slices.Equal(got.Layers[0], want) {
		t.Errorf("voxels %v", got.Layers[0])
	}
	if _, _, err := ReadContours(write("11", "11"), s); err == nil || !strings.Contains(err.Error(), "have one number, 1") {
		t.Errorf("two regions of one number: %v", err)
	}
}
