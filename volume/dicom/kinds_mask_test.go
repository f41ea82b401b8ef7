package dicom

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// maskSeries writes a series of 20 x 16 pixels of 1 mm with slices at heights along z.
func maskSeries(t *testing.T, heights []float64, over values) *Series {
	t.Helper()
	s, _ := find(t, putSeries(t, heights, func(int) values {
		v := values{tag.Rows: []int{16}, tag.Columns: []int{20}, tag.PixelSpacing: decimals(1, 1), tag.PixelData: pixels(make([]byte, 2*20*16)...)}
		maps.Copy(v, over)
		return v
	}), "")
	return s
}

// drawn is a closed contour through points of the plane at a height.
type drawn struct {
	kind   string
	z      float64
	points [][2]float64
}

func box(x0, y0, x1, y1 float64) [][2]float64 {
	return [][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

// contoured returns the voxels in each slice of a region with these contours, and the warnings.
func contoured(t *testing.T, on *Series, from string, all ...drawn) ([]int, []string) {
	t.Helper()
	var items [][]*lib.Element
	for _, d := range all {
		var data []float64
		for _, p := range d.points {
			data = append(data, p[0], p[1], d.z)
		}
		kind := d.kind
		if kind == "" {
			kind = "CLOSED_PLANAR"
		}
		items = append(items, values{tag.ContourGeometricType: []string{kind}, tag.ContourData: decimals(data...)}.elements(t))
	}
	path := structureSet(t, &Series{UID: from}, map[int][][]*lib.Element{1: items})
	s, warnings, err := ReadSegments(path, on)
	if err != nil {
		t.Fatal(err)
	}
	return counts(s, 0), warnings
}

// counts returns the voxels of a segment in each slice.
func counts(s *volume.Segmentation, segment int) []int {
	out := make([]int, s.Size[2])
	for v, value := range s.Layers[s.Segments[segment].Layer] {
		if value == s.Segments[segment].Value {
			out[v/(s.Size[0]*s.Size[1])]++
		}
	}
	return out
}

func TestContoursBelongToTheirSlices(t *testing.T) {
	square := box(3.5, 3.5, 9.5, 9.5) // 36 pixels
	at := func(heights ...float64) (out []drawn) {
		for _, z := range heights {
			out = append(out, drawn{z: z, points: square})
		}
		return out
	}
	for name, c := range map[string]struct {
		slices  []float64
		from    string
		all     []drawn
		want    []int
		warning string
	}{
		"even":                       {[]float64{0, 3, 6, 9}, "1.2.3", at(3, 6), []int{0, 36, 36, 0}, ""},
		"reversed":                   {[]float64{9, 6, 3, 0}, "1.2.3", at(6, 3), []int{0, 36, 36, 0}, ""},
		"uneven":                     {[]float64{0, 3, 6, 12, 18, 24}, "1.2.3", at(3, 6, 12, 18, 24), []int{0, 36, 36, 36, 36, 36}, ""},
		"uneven, rounded":            {[]float64{0, 3.04, 6.08, 12.16, 18.24}, "1.2.3", at(3, 6.1, 12.2, 18.2), []int{0, 36, 36, 36, 36}, ""},
		"one slice":                  {[]float64{5}, "1.2.3", at(5), []int{36}, ""},
		"one slice, others outside":  {[]float64{5}, "1.2.3", at(5, 20), []int{36}, "1 contours lie outside the series"},
		"on a missing slice":         {[]float64{0, 3, 9, 12}, "1.2.3", at(3, 6, 9), []int{0, 36, 36, 0}, "1 contours lie between the slices and belong to none"},
		"every second slice":         {[]float64{0, 3, 6, 9, 12}, "1.2.3", at(3, 9), []int{0, 36, 0, 36, 0}, "1 slices between its contours have none and stay empty"},
		"every second slice of five": {[]float64{0, 3, 6, 9, 12}, "1.2.3", at(0, 6, 12), []int{36, 0, 36, 0, 36}, "2 slices between its contours have none"},
		"outside only":               {[]float64{0, 3}, "1.2.3", at(30), []int{0, 0}, "nothing of it lies on a voxel's centre"},
		"finer":                      {[]float64{0, 3, 6, 9, 12, 15}, "1.2.4", at(3.4, 4.9, 6.4, 7.9, 9.4, 10.9, 12.4, 13.9), []int{0, 36, 36, 36, 36, 0}, "drawn on another series: 1.2.4"},
		"much finer":                 {[]float64{0, 3, 6}, "1.2.4", at(2.7, 2.8, 2.9, 3, 3.1, 3.2, 3.3, 3.4), []int{0, 36, 0}, ""},
		"coarser":                    {[]float64{0, 2, 4, 6, 8, 10, 12}, "1.2.4", at(2.5, 7.5, 12.5), []int{36, 36, 36, 36, 36, 36, 36}, ""},
		"coarser, two parts":         {[]float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26}, "1.2.4", at(1, 5, 21, 25), []int{36, 36, 36, 36, 0, 0, 0, 0, 0, 0, 36, 36, 36, 36}, "6 slices between its contours"},
		"half a slice off":           {[]float64{0, 3, 6, 9, 12}, "1.2.4", at(1.5, 4.5, 7.5), []int{36, 36, 36, 0, 0}, ""},
		"far planes":                 {[]float64{0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30}, "1.2.4", at(3.2, 15.2, 27.2), []int{0, 36, 0, 0, 0, 36, 0, 0, 0, 36, 0}, "6 slices between"},
		"a single plane":             {[]float64{0, 3, 6}, "1.2.4", at(4), []int{0, 36, 0}, ""},
	} {
		got, warnings := contoured(t, maskSeries(t, c.slices, nil), c.from, c.all...)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v; %q", name, got, c.want, warnings)
		}
		if wantWarning(t, warnings, c.warning); c.warning == "" && c.from == "1.2.3" && len(warnings) > 0 {
			t.Errorf("%s: %q", name, warnings)
		}
	}
	// Finer contours of a cone: each slice has the contour nearest to it, not what is left of several.
	on := maskSeries(t, []float64{0, 3, 6}, nil)
	var cone []drawn
	for i := range 8 {
		cone = append(cone, drawn{z: float64(i), points: box(3.5, 3.5, 13.5-float64(i), 13.5-float64(i))})
	}
	for _, from := range []string{"1.2.3", "1.2.4"} {
		if got, _ := contoured(t, on, from, cone...); !slices.Equal(got, []int{100, 49, 16}) {
			t.Errorf("cone on series %s: %v", from, got)
		}
	}
	// On slices that are oblique and unevenly spaced.
	tilted := values{tag.ImageOrientationPatient: decimals(0, 1, 0, 0, 0, -1)} // sagittal, the normal is -x
	if got, _ := contoured(t, maskSeries(t, []float64{0}, tilted), "1.2.3", drawn{points: square}); got[0] != 0 {
		t.Errorf("contours across the slices: %v", got)
	}
}

func TestContoursOfOnePlane(t *testing.T) {
	square, inner := box(3.5, 3.5, 9.5, 9.5), box(5.5, 5.5, 7.5, 7.5) // 36 and 4 pixels
	reversed := slices.Clone(square)
	slices.Reverse(reversed)
	turned := slices.Concat(square[2:], square[:2])
	nearly := box(3.51, 3.52, 9.49, 9.48)
	closed := append(slices.Clone(square), square[0])
	const xor = "CLOSEDPLANAR_XOR"
	keyhole := [][2]float64{{3.5, 3.5}, {9.5, 3.5}, {9.5, 9.5}, {3.5, 9.5}, {3.5, 5.5}, {5.5, 5.5}, {5.5, 7.5}, {7.5, 7.5}, {7.5, 5.5}, {5.5, 5.5}, {3.5, 5.5}}
	for name, c := range map[string]struct {
		all     []drawn
		want    int
		warning string
	}{
		"one":                        {[]drawn{{points: square}}, 36, ""},
		"closed":                     {[]drawn{{points: closed}}, 36, ""},
		"twice":                      {[]drawn{{points: square}, {points: square}}, 36, ""},
		"three times":                {[]drawn{{points: square}, {points: square}, {points: square}}, 36, ""},
		"twice, in reverse":          {[]drawn{{points: square}, {points: reversed}}, 36, ""},
		"twice, from another point":  {[]drawn{{points: square}, {points: turned}}, 36, ""},
		"twice, rounded":             {[]drawn{{points: square}, {points: nearly}}, 36, ""},
		"twice, rounded, the larger": {[]drawn{{points: nearly}, {points: square}}, 36, ""},
		"twice, heights rounded":     {[]drawn{{points: square}, {points: square, z: 0.04}}, 36, ""},
		"overlap":                    {[]drawn{{points: square}, {points: box(6.5, 3.5, 12.5, 9.5)}}, 54, ""},
		"a cross":                    {[]drawn{{points: box(1.5, 5.5, 11.5, 7.5)}, {points: box(5.5, 1.5, 7.5, 11.5)}}, 36, ""},
		"side by side":               {[]drawn{{points: square}, {points: box(9.5, 3.5, 12.5, 9.5)}}, 54, ""},
		"sticking out a little":      {[]drawn{{points: square}, {points: box(7.5, 5.5, 9.8, 7.5)}}, 36, ""},
		"a hole":                     {[]drawn{{points: square}, {points: inner}}, 32, "1 contours lie within another one and are taken as holes"},
		"the hole first":             {[]drawn{{points: inner}, {points: square}}, 32, "1 contours lie within"},
		"a hole twice":               {[]drawn{{points: square}, {points: inner}, {points: inner}}, 32, "1 contours lie within"},
		"a hole at the edge":         {[]drawn{{points: square}, {points: box(3.5, 5.5, 5.5, 7.5)}}, 32, "1 contours lie within"},
		"an island in a hole":        {[]drawn{{points: box(1.5, 1.5, 13.5, 13.5)}, {points: square}, {points: inner}}, 144 - 36 + 4, "1 contours lie within"},
		"a keyhole":                  {[]drawn{{points: keyhole}}, 32, ""},
		"XOR":                        {[]drawn{{kind: xor, points: square}, {kind: xor, points: box(6.5, 3.5, 12.5, 9.5)}}, 36, ""},
		"XOR, a hole":                {[]drawn{{kind: xor, points: square}, {kind: xor, points: inner}}, 32, ""},
		"XOR and not":                {[]drawn{{kind: xor, points: square}, {kind: xor, points: inner}, {points: box(6.5, 6.5, 12.5, 7.5)}}, 32 + 1 + 3, ""},
		"two points":                 {[]drawn{{points: square}, {points: square[:2]}}, 36, "1 contours have fewer than 3 points"},
		"between the centres":        {[]drawn{{points: box(3.1, 3.1, 3.4, 3.4)}}, 0, "nothing of it lies on a voxel's centre"},
		"beyond the image":           {[]drawn{{points: box(-5, -5, 50, 50)}}, 320, ""},
		"an open line":               {[]drawn{{points: square}, {kind: "OPEN_PLANAR", points: inner}}, 36, "points or open lines"},
	} {
		got, warnings := contoured(t, maskSeries(t, []float64{0, 2}, nil), "1.2.3", c.all...)
		if got[0] != c.want || got[1] != 0 {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
		if wantWarning(t, warnings, c.warning); c.warning == "" && len(warnings) > 0 {
			t.Errorf("%s: %q", name, warnings)
		}
	}
}

func TestContoursNeedPlaces(t *testing.T) {
	on := maskSeries(t, []float64{0, 2}, values{tag.ImagePositionPatient: nil})
	path := structureSet(t, on, map[int][][]*lib.Element{1: nil})
	_, _, err := ReadSegments(path, on)
	wantError(t, "no position", err, "the series has no position or spacing")
	_, _, err = ReadSegments(path, nil)
	wantError(t, "no series", err, "a structure set (RTSTRUCT): it needs the DICOM series")
	_, _, err = ReadSegments(on.Files()[0], on)
	wantError(t, "image", err, "no mask: neither a DICOM segmentation (SEG) nor a structure set (RTSTRUCT)")
	moved := maskSeries(t, []float64{0, 2}, values{tag.FrameOfReferenceUID: []string{"1.2.99"}})
	set := values{tag.SOPClassUID: []string{structureSetClass}, tag.PixelData: nil, tag.StructureSetROISequence: [][]*lib.Element{values{tag.ROINumber: []string{"1"}}.elements(t)},
		tag.FrameOfReferenceUID: []string{"1.2.8"}}
	_, warnings, err := ReadSegments(putFile(t, t.TempDir(), "rs.dcm", plane(1, [3]float64{}, set)), moved)
	if err != nil {
		t.Fatal(err)
	}
	wantWarning(t, warnings, "another frame of reference than the series")
}

// frame is a frame of a segmentation: its place, its segment and the pixels that belong to it.
type frame struct {
	position [3]float64
	segment  int
	on       []int
}

// putSegmentation writes a binary segmentation of 20 x 16 pixels.
func putSegmentation(t *testing.T, frames []frame, over values) string {
	t.Helper()
	one := func(v values) [][]*lib.Element { return [][]*lib.Element{v.elements(t)} }
	var groups, segments [][]*lib.Element
	data, highest := make([]byte, (len(frames)*320+15)/16*2), 0
	for n, f := range frames {
		groups = append(groups, values{tag.PlanePositionSequence: one(values{tag.ImagePositionPatient: decimals(f.position[:]...)}),
			tag.SegmentIdentificationSequence: one(values{tag.ReferencedSegmentNumber: []int{f.segment}})}.elements(t))
		for _, p := range f.on {
			data[(n*320+p)/8] |= 1 << ((n*320 + p) % 8)
		}
		highest = max(highest, f.segment)
	}
	for n := range highest {
		segments = append(segments, values{tag.SegmentNumber: []int{n + 1}, tag.SegmentLabel: []string{fmt.Sprintf("part %d", n+1)}}.elements(t))
	}
	v := values{tag.SOPClassUID: []string{segClass}, tag.SegmentationType: []string{"BINARY"}, tag.BitsAllocated: []int{1}, tag.BitsStored: []int{1}, tag.HighBit: []int{0},
		tag.PixelRepresentation: []int{0}, tag.Rows: []int{16}, tag.Columns: []int{20}, tag.PixelSpacing: decimals(1, 1), tag.ImagePositionPatient: nil,
		tag.NumberOfFrames: []string{fmt.Sprint(len(frames))}, tag.SegmentSequence: segments, tag.PerFrameFunctionalGroupsSequence: groups, tag.PixelData: pixels(data...)}
	maps.Copy(v, over)
	return putFile(t, t.TempDir(), "seg.dcm", plane(1, [3]float64{}, v))
}

func heightFrames(heights ...float64) []frame {
	var out []frame
	for i, z := range heights {
		out = append(out, frame{position: [3]float64{0, 0, z}, segment: 1, on: []int{i, 21, 22}})
	}
	return out
}

func TestSegmentationOnItsSlices(t *testing.T) {
	for name, c := range map[string]struct {
		slices []float64
		frames []frame
		over   values
		want   []int
		err    string
	}{
		"even":             {[]float64{0, 3, 6}, heightFrames(0, 3), nil, []int{3, 3, 0}, ""},
		"reversed frames":  {[]float64{0, 3, 6}, heightFrames(6, 3), nil, []int{0, 3, 3}, ""},
		"uneven":           {[]float64{0, 3, 6, 12, 18, 25}, heightFrames(3, 6, 12, 18, 25), nil, []int{0, 3, 3, 3, 3, 3}, ""},
		"thickness":        {[]float64{0, 10, 20, 30}, heightFrames(10, 20, 30), values{tag.SliceThickness: decimals(1)}, []int{0, 3, 3, 3}, ""},
		"every second":     {[]float64{0, 3, 6, 9, 12}, heightFrames(3, 9), values{tag.SliceThickness: decimals(3)}, []int{0, 3, 0, 3, 0}, ""},
		"one":              {[]float64{0, 3, 6}, heightFrames(3), nil, []int{0, 3, 0}, ""},
		"rounded":          {[]float64{0, 3, 6}, heightFrames(3.1), nil, []int{0, 3, 0}, ""},
		"one on one":       {[]float64{3}, heightFrames(3), nil, []int{3}, ""},
		"no slice there":   {[]float64{0, 3, 9}, heightFrames(3, 6), nil, nil, "frame 2 lies 3 mm from the nearest slice"},
		"empty frame":      {[]float64{0, 3, 9}, []frame{{position: [3]float64{0, 0, 6}, segment: 1}, heightFrames(3)[0]}, nil, []int{0, 3, 0}, ""},
		"another size":     {[]float64{0, 3}, heightFrames(0), values{tag.PixelSpacing: decimals(2, 2)}, nil, "the pixels of frame 1 do not coincide"},
		"shifted":          {[]float64{0, 3}, []frame{{position: [3]float64{0.5, 0, 0}, segment: 1}}, nil, nil, "the pixels of frame 1 do not coincide"},
		"outside":          {[]float64{0, 3}, []frame{{position: [3]float64{15, 0, 3}, segment: 1, on: []int{0, 5}}}, nil, nil, "pixel (5, 0) of frame 1 belongs to a segment and lies outside"},
		"moved by pixels":  {[]float64{0, 3}, []frame{{position: [3]float64{15, 2, 3}, segment: 1, on: []int{0, 4}}}, nil, []int{0, 2}, ""},
		"mirrored columns": {[]float64{0, 3}, []frame{{position: [3]float64{19, 15, 3}, segment: 1, on: []int{0}}}, values{tag.ImageOrientationPatient: decimals(-1, 0, 0, 0, -1, 0)}, []int{0, 1}, ""},
	} {
		on := maskSeries(t, c.slices, nil)
		s, warnings, err := ReadSegments(putSegmentation(t, c.frames, c.over), on)
		if c.err != "" {
			wantError(t, name, err, c.err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := counts(s, 0); !slices.Equal(got, c.want) || len(warnings) > 0 {
			t.Errorf("%s: %v, want %v; %q", name, got, c.want, warnings)
		}
		if name == "mirrored columns" && s.Layers[0][320+320-1] != 1 {
			t.Error("mirrored columns: the voxel is not in the last corner")
		}
	}
	// Slices that cut those of the series: through the grids.
	on := maskSeries(t, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, nil)
	across := []frame{{position: [3]float64{0, 4, 15}, segment: 1, on: []int{0, 20}}} // row r is slice 15 - r
	s, _, err := ReadSegments(putSegmentation(t, across, values{tag.ImageOrientationPatient: decimals(1, 0, 0, 0, 0, -1)}), on)
	if err != nil || s.Layers[0][15*320+4*20] != 1 || s.Layers[0][14*320+4*20] != 1 {
		t.Errorf("across: %v", err)
	}
}

// Without a series: the slices are as far apart as the frames, or as the header's distance (not its thickness) says.
func TestSegmentationAlone(t *testing.T) {
	for name, c := range map[string]struct {
		frames []frame
		over   values
		size   int
		step   float64
		err    string
	}{
		"thickness below the distance": {heightFrames(50, 40, 30, 20), values{tag.SliceThickness: decimals(1)}, 4, 10, ""},
		"thickness above":              {heightFrames(0, 2, 4), values{tag.SliceThickness: decimals(5)}, 3, 2, ""},
		"no thickness":                 {heightFrames(0, 2, 4), values{tag.SliceThickness: nil}, 3, 2, ""},
		"distance":                     {heightFrames(0, 4, 8), values{tag.SpacingBetweenSlices: decimals(2)}, 5, 2, ""},
		"a gap":                        {heightFrames(0, 2, 8), nil, 5, 2, ""},
		"one frame":                    {heightFrames(7), values{tag.SliceThickness: decimals(5)}, 1, 5, ""},
		"uneven":                       {heightFrames(0, 3, 7.5), nil, 0, 0, "the frames are unevenly spaced, 3 to 4.5 mm apart: give the DICOM series"},
	} {
		s, _, err := ReadSegments(putSegmentation(t, c.frames, c.over), nil)
		if c.err != "" {
			wantError(t, name, err, c.err)
			continue
		}
		if err != nil || s.Size[2] != c.size || math.Abs(s.Affine[2][2]-c.step) > 1e-9 {
			t.Errorf("%s: %v %v", name, s, err)
		}
	}
}

func TestFractionalOfOneBit(t *testing.T) {
	s, warnings, err := ReadSegmentation(putSegmentation(t, heightFrames(0), values{tag.SegmentationType: []string{"FRACTIONAL"}}))
	if err != nil || counts(s, 0)[0] != 3 {
		t.Errorf("%v %v", s, err)
	}
	wantWarning(t, warnings, "at least 1 of 1")
}

// A segment without a label has the name of what it is of.
func TestSegmentNameByCode(t *testing.T) {
	code := [][]*lib.Element{values{tag.CodeMeaning: []string{"Prostate"}}.elements(t)}
	segments := [][]*lib.Element{values{tag.SegmentNumber: []int{1}, tag.SegmentedPropertyTypeCodeSequence: code}.elements(t)}
	s, _, err := ReadSegmentation(putSegmentation(t, heightFrames(0), values{tag.SegmentSequence: segments}))
	if err != nil || s.Segments[0].Name != "Prostate" {
		t.Errorf("%v %v", s, err)
	}
}

// What is written on a series of uneven slices, or of slices with a series UID each, comes back on its slices.
func TestWriteOnUnusualSeries(t *testing.T) {
	for name, over := range map[string]func(i int) values{
		"uneven": nil,
		"joined": func(i int) values {
			return values{tag.SeriesInstanceUID: []string{fmt.Sprintf("1.2.3.%d", i)}, tag.SeriesNumber: []string{"4"}}
		},
	} {
		heights := []float64{0, 3, 6, 12, 19}
		on, _ := find(t, putSeries(t, heights, over), "")
		mask := &volume.Mask{Grid: on.Grid, Data: make([]uint8, on.Len())}
		for k := range heights {
			mask.Data[6*k+k] = uint8(1 + k%2)
		}
		path := filepath.Join(t.TempDir(), "seg.dcm")
		if err := WriteSegmentation(path, volume.NewSegmentation(mask, []string{"background", "a", "b"}), on, time.Unix(0, 0)); err != nil {
			t.Fatal(name, err)
		}
		s, warnings, err := ReadSegments(path, on)
		if err != nil || len(warnings) > 0 {
			t.Fatal(name, err, warnings)
		}
		back, names, err := s.Mask()
		if err != nil || !slices.Equal(back.Data, mask.Data) || !slices.Equal(names, []string{"background", "a", "b"}) {
			t.Errorf("%s: %v %v %v", name, back, names, err)
		}
		f, err := openFile(path)
		if err != nil {
			t.Fatal(err)
		}
		measures := f.inner(tag.SharedFunctionalGroupsSequence).inner(tag.PixelMeasuresSequence)
		if measures.find(tag.SpacingBetweenSlices) != nil {
			t.Errorf("%s: a distance between uneven slices", name)
		}
		if want := map[string]int{"uneven": 1, "joined": 5}[name]; len(f.items(tag.ReferencedSeriesSequence)) != want {
			t.Errorf("%s: %d series named, want %d", name, len(f.items(tag.ReferencedSeriesSequence)), want)
		}
	}
}
