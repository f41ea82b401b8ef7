package volume

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMaskOf(t *testing.T) {
	classes := []string{"background", "prostate", "tumour"}
	of := func(a, b string) *Segmentation {
		return &Segmentation{Grid: Grid{Size: [3]int{4, 1, 1}}, Layers: [][]uint8{{0, 1, 2, 1}}, Segments: []Segment{{Name: a, Value: 1}, {Name: b, Value: 2}}}
	}
	for _, c := range []struct {
		s    *Segmentation
		want []uint8
		err  string
	}{
		{of("prostate", "tumour"), []uint8{0, 1, 2, 1}, ""},
		{of("tumour", "prostate"), []uint8{0, 2, 1, 2}, ""},
		{of("Tumour", " PROSTATE "), []uint8{0, 2, 1, 2}, ""},
		{of("tumour", "organ"), nil, `no class has the name of segment "organ": the classes are prostate, tumour`},
		{of("", "background"), nil, `no class has the name of segment "", "background"`},
		{of("tumour", "Tumour"), nil, `two segments, "tumour" and "Tumour", are both class "tumour"`},
	} {
		m, err := c.s.MaskOf(classes)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v, want %q", c.s.Segments, err, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(m.Data, c.want) {
			t.Errorf("%v: %v, %v, want %v", c.s.Segments, m, err, c.want)
		}
	}
	// Segments in layers, in any order of values; those that overlap fit in no mask.
	layers := &Segmentation{Grid: Grid{Size: [3]int{4, 1, 1}}, Layers: [][]uint8{{0, 1, 0, 0}, {0, 0, 1, 0}}, Segments: []Segment{{Name: "tumour", Value: 1}, {Name: "prostate", Value: 1, Layer: 1}}}
	if m, err := layers.MaskOf(classes); err != nil || !slices.Equal(m.Data, []uint8{0, 2, 1, 0}) {
		t.Errorf("%v, %v", m, err)
	}
	layers.Layers[1][1] = 1
	if _, err := layers.MaskOf(classes); err == nil || !strings.Contains(err.Error(), "overlap at voxel (1, 0, 0)") {
		t.Error(err)
	}
	// One segment only, and names that differ only in their case.
	one := &Segmentation{Grid: Grid{Size: [3]int{1, 1, 1}}, Layers: [][]uint8{{7}}, Segments: []Segment{{Name: "tumour", Value: 7}}}
	if m, err := one.MaskOf(classes); err != nil || m.Data[0] != 2 {
		t.Errorf("%v, %v", m, err)
	}
	one.Segments[0].Name = "GTV"
	if _, err := one.MaskOf([]string{"", "gtv", "Gtv"}); err == nil || !strings.Contains(err.Error(), `fits the classes "gtv" and "Gtv"`) {
		t.Error(err)
	}
	one.Segments[0].Name = "gtv"
	if m, err := one.MaskOf([]string{"", "Gtv", "gtv"}); err != nil || m.Data[0] != 2 {
		t.Errorf("%v, %v", m, err)
	}
}

// Names are accepted if and only if masks with them can be read back, from what is written of them.
func TestCheckClassNames(t *testing.T) {
	got, err := CheckClassNames([]string{"liver", " tumour ", "Ärzte", "class 3"})
	if err != nil || !slices.Equal(got, []string{"liver", "tumour", "Ärzte", "class 3"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := CheckClassNames(nil); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	for _, c := range []struct {
		names string // separated by commas
		want  string
	}{
		{"a,a", "two classes have the name \"a\""}, {"A,b,a", "two classes"}, {"a, A ", "two classes"}, {"\u00e4,a\u0308", "two classes"},
		{"a,", "the name of class 2 is empty"}, {" ,b", "the name of class 1 is empty"}, {"", "is empty"},
		{"background,x", "as what is of no class"}, {"x, Background", "as what is of no class"},
		{"ignore", "nobody annotated"}, {"b,Unsure", "nobody annotated"}, {"VOID", "nobody annotated"}, {"not labelled", "nobody annotated"},
		{"a\nb", "control character"}, {"a,b\tc", "control character"}, {"a\u0085b", "control character"}, {"a\x00", "control character"},
	} {
		if got, err := CheckClassNames(strings.Split(c.names, ",")); err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %q, %v, want %q", c.names, got, err, c.want)
		}
	}
	// What is accepted comes back from a file, value by value.
	names := []string{"liver", "Ärzte", "left kidney", "class 9", "a=b;c:d", "\"x\"", "unsure of it"}
	if _, err := CheckClassNames(names); err != nil {
		t.Fatal(err)
	}
	m := &Mask{Grid: Grid{Size: [3]int{len(names), 1, 1}, Unit: Millimetre, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}}
	for i := range names {
		m.Data = append(m.Data, uint8(i+1))
	}
	path := filepath.Join(t.TempDir(), "a.seg.nrrd")
	if err := WriteSegmentation(path, NewSegmentation(m, append([]string{"background"}, names...))); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSegmentation(path)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := s.MaskOf(append([]string{"background"}, names...)); err != nil || !slices.Equal(back.Data, m.Data) {
		t.Errorf("%v, %v", back, err)
	}
}

// Names that stand in a file win over those that are given, which count by number only where the file has none.
func TestNamesOfSegments(t *testing.T) {
	for _, c := range []struct {
		in, names, want []string // segments have the values 1, 2 …
		err             string
	}{
		{[]string{"Segment_1", ""}, []string{"liver", " spleen "}, []string{"liver", "spleen"}, ""},
		{[]string{"spleen", "liver"}, []string{"liver", "spleen"}, []string{"spleen", "liver"}, ""},
		{[]string{"Spleen "}, []string{"liver", "spleen", "cyst"}, []string{"Spleen "}, ""},
		{[]string{"spleen", "cyst"}, []string{"liver", "spleen"}, nil, `its segment "cyst" is none of the classes liver, spleen`},
		{[]string{"spleen", "unsure"}, []string{"spleen"}, []string{"spleen", "unsure"}, ""},
		{[]string{"spleen", "Segment_2"}, []string{"spleen", "liver"}, []string{"spleen", "Segment_2"}, ""},
		{[]string{"Segment_2", "Segment_1"}, []string{"liver", "spleen"}, []string{"Segment_2", "Segment_1"}, ""},
		{[]string{"Segment_1", "class 2"}, []string{"", "spleen"}, []string{"Segment_1", "spleen"}, ""},
		{[]string{"spleen", "liver"}, nil, []string{"spleen", "liver"}, ""},
	} {
		s := &Segmentation{}
		for i, name := range c.in {
			s.Segments = append(s.Segments, Segment{Name: name, Value: uint8(i + 1)})
		}
		err := s.Name(c.names)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %q: %v, want %s", c.in, c.names, err, c.err)
			}
			continue
		}
		var got []string
		for _, segment := range s.Segments {
			got = append(got, segment.Name)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q, %q: %q, %v, want %q", c.in, c.names, got, err, c.want)
		}
	}
}

// Two segments of one name are not written; names of classes that FoldName takes for one are.
func TestTwoSegmentsOfOneName(t *testing.T) {
	s := &Segmentation{Grid: unitGrid(3, 1, 1), Layers: [][]uint8{{0, 1, 2}}, Segments: []Segment{{Name: "liver", Value: 1}, {Name: "liver ", Value: 2}}}
	path := filepath.Join(t.TempDir(), "a.seg.nrrd")
	wantError(t, "one name", WriteSegmentation(path, s), `the segments 1 and 2 are both called "liver"`)
	for _, name := range []string{"Liver", ""} {
		s.Segments[1].Name = name
		if err := WriteSegmentation(path, s); err != nil {
			t.Error(err)
		}
	}
}
