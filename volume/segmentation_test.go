package volume

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func unitGrid(i, j, k int) Grid {
	return Grid{Size: [3]int{i, j, k}, Unit: Millimetre, Affine: [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 2, 0}}}
}

func TestSegmentationRoundTrip(t *testing.T) {
	one := &Segmentation{Grid: unitGrid(3, 2, 1), Layers: [][]uint8{{0, 2, 2, 0, 7, 0}}, Segments: []Segment{
		{Name: "zone: a \\ b\nc", Color: [3]uint8{1, 128, 255}, Value: 2}, {Name: "Prostate", Color: [3]uint8{9, 8, 7}, Value: 7},
	}}
	two := &Segmentation{Grid: unitGrid(3, 2, 1), Layers: [][]uint8{{0, 1, 1, 0, 2, 0}, {1, 1, 0, 0, 0, 0}}, Segments: []Segment{
		{Name: "A", Value: 1}, {Name: "B", Value: 2}, {Name: "C", Value: 1, Layer: 1},
	}}
	for _, s := range []*Segmentation{one, two} {
		path := filepath.Join(t.TempDir(), "a.seg.nrrd")
		if err := WriteSegmentation(path, s); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSegmentation(path)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("got %+v, %v, want %+v", got, err, s)
		}
	}
}

// What an NRRD file is says its header, whatever it is called.
func TestSegmentationByHeader(t *testing.T) {
	dir := t.TempDir()
	s := &Segmentation{Grid: unitGrid(3, 2, 1), Layers: [][]uint8{{0, 2, 2, 0, 7, 0}}, Segments: []Segment{{Name: "liver", Value: 2}, {Name: "spleen", Value: 7}}}
	path := filepath.Join(dir, "a.seg.nrrd")
	if err := WriteSegmentation(path, s); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Replace(data, []byte("Segment0_"), []byte("Note:="+strings.Repeat("x", 1<<15)+"\nSegment0_"), 1)
	plain := nrrdFile([]byte{0, 2, 2, 0, 7, 0}, "type: uchar", "dimension: 2", "sizes: 3 2", "encoding: raw")
	detached := "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 3 2\nencoding: raw\ndata file: v.raw\nSegment0_ID:=Segment_1\nSegment0_Name:=liver\nSegment0_LabelValue:=2\n"
	for name, test := range map[string]struct {
		data []byte
		want bool
	}{
		"b.nrrd": {data, true}, "c.NRRD": {long, true}, "d.nhdr": {[]byte(detached), true}, "e.nrrd": {plain, false}, "f.seg.nrrd": {plain, true}, "g.nrrd": {[]byte("nothing"), false},
		"h.mha": {data, false}, "i.nrrd": {nil, false},
	} {
		path := filepath.Join(dir, name)
		if test.data != nil {
			if err := os.WriteFile(path, test.data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := IsSegmentation(path); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		if WritesSegments(path) != (name == "f.seg.nrrd") {
			t.Errorf("%s: written with names: %v", name, WritesSegments(path))
		}
	}
	got, err := ReadSegmentation(filepath.Join(dir, "b.nrrd"))
	if err != nil || len(got.Segments) != 2 || got.Segments[1].Name != "spleen" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A value that no segment of its layer has is an error, and no background.
func TestValuesWithoutSegment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.seg.nrrd")
	for want, s := range map[string]*Segmentation{
		"":                                      {Layers: [][]uint8{{0, 1, 2, 0, 0, 1}}, Segments: []Segment{{Name: "liver", Value: 1}, {Name: "spleen", Value: 2}}},
		"the value 3, first at voxel (1, 1, 0)": {Layers: [][]uint8{{0, 1, 2, 0, 3, 4}}, Segments: []Segment{{Name: "liver", Value: 1}, {Name: "spleen", Value: 2}}},
		"the value 2, first at voxel (2, 0, 0)": {Layers: [][]uint8{{0, 2, 0, 0, 0, 0}, {0, 1, 2, 0, 0, 0}}, Segments: []Segment{{Name: "liver", Value: 2}, {Name: "spleen", Value: 1, Layer: 1}}},
	} {
		s.Grid = unitGrid(3, 2, 1)
		if err := WriteSegmentation(path, s); err != nil {
			t.Fatal(err)
		}
		_, err := ReadSegmentation(path)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wantError(t, want, err, want)
		if len(s.Layers) > 1 {
			_, err = ReadMask(path)
			wantError(t, want, err, want)
		}
	}
}

func TestSegmentationMask(t *testing.T) {
	s := &Segmentation{Grid: unitGrid(3, 2, 1), Layers: [][]uint8{{0, 1, 1, 0, 5, 9}, {1, 0, 0, 0, 0, 0}}, Segments: []Segment{
		{Name: "A", Value: 1}, {Name: "B", Value: 5}, {Name: "C", Value: 1, Layer: 1},
	}}
	m, names, err := s.Mask()
	if err != nil || !slices.Equal(m.Data, []uint8{3, 1, 1, 0, 2, 0}) || !slices.Equal(names, []string{"background", "A", "B", "C"}) {
		t.Errorf("values used twice: %v %v %v", m, names, err)
	}
	s.Segments[2].Value = 2
	s.Layers[1][0] = 2
	m, names, err = s.Mask()
	if err != nil || !slices.Equal(m.Data, []uint8{2, 1, 1, 0, 5, 0}) || !slices.Equal(names, []string{"background", "A", "C", "Segment_3", "Segment_4", "B"}) {
		t.Errorf("values of their own: %v %v %v", m, names, err)
	}
	s.Layers[1][4] = 2
	_, _, err = s.Mask()
	wantError(t, "overlap", err, `segments "B" and "C" overlap at voxel (1, 1, 0)`)
}

// 3D Slicer before 4.11 wrote a layer of 0 and 1 for every segment and no key for layer or value.
func TestSegmentationOfOldSlicer(t *testing.T) {
	data := nrrdFile([]byte{1, 0, 0, 1, 0, 0, 0, 0}, "type: uchar", "dimension: 4", "sizes: 2 2 2 1", "kinds: list domain domain domain",
		"space directions: none (1,0,0) (0,1,0) (0,0,1)", "encoding: raw", "Segment0_ID:=a", "Segment0_Name:=left", "Segment1_ID:=b", "Segment0_Color:=1 0.5 2")
	fsys := fstest.MapFS{"a.seg.nrrd": {Data: data}}
	m, err := parse(fsys, "a.seg.nrrd")
	if err != nil {
		t.Fatal(err)
	}
	mask, err := m.readMask(fsys)
	if err != nil || !slices.Equal(mask.Data, []uint8{1, 2, 0, 0}) {
		t.Errorf("%v %v", mask, err)
	}
	classes, _, _ := m.readClasses(fsys)
	s, err := m.segmentation(classes)
	if err != nil || s.Segments[0].Name != "left" || s.Segments[1].Name != "b" || s.Segments[0].Color != [3]uint8{255, 128, 255} {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := m.read(fsys, OnlyChannel); err == nil {
		t.Error("layers were read as an image")
	}
}

func TestNewSegmentation(t *testing.T) {
	m := &Mask{Grid: unitGrid(2, 2, 1), Data: []uint8{0, 1, 4, 1}}
	var names []string
	for _, s := range NewSegmentation(m, []string{"background", "Anterior", "Posterior"}).Segments {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "Anterior Posterior Segment_4" {
		t.Errorf("segments %s", got)
	}
	path := filepath.Join(t.TempDir(), "a.seg.nrrd")
	if err := WriteMask(path, m); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadMask(path); err != nil || !slices.Equal(got.Data, m.Data) {
		t.Errorf("%v %v", got, err)
	}
}

func TestSegmentationHostile(t *testing.T) {
	for want, line := range map[string]string{
		"LabelValue is":     "Segment0_LabelValue:=0",
		"Layer is 7":        "Segment0_Layer:=7",
		"Layer is \"many\"": "Segment0_Layer:=many",
	} {
		fsys := fstest.MapFS{"a.nrrd": {Data: nrrdSmall("Segment0_ID:=a", line)}}
		m, err := parse(fsys, "a.nrrd")
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := m.readClasses(fsys)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.segmentation(data)
		wantError(t, line, err, want)
	}
}
