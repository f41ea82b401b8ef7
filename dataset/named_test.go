package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// named writes an image and a mask with segments of these names and values: segment n has n+1 voxels.
func named(t *testing.T, dir, id string, names []string, values []uint8) {
	t.Helper()
	writeImage(t, grid(), 0, dir, id+".nrrd")
	s := &volume.Segmentation{Grid: grid(), Layers: [][]uint8{make([]uint8, grid().Len())}}
	at := 0
	for n, name := range names {
		s.Segments = append(s.Segments, volume.Segment{Name: name, Value: values[n]})
		for range n + 1 {
			s.Layers[0][at] = values[n]
			at++
		}
	}
	if err := volume.WriteSegmentation(filepath.Join(dir, id+".seg.nrrd"), s); err != nil {
		t.Fatal(err)
	}
}

// voxels counts the voxels of each class in the reference of a case.
func voxels(t *testing.T, d *Dataset, id string) []int {
	t.Helper()
	m, err := d.Reference(d.Index(id))
	if err != nil {
		t.Fatal(err)
	}
	n := make([]int, len(d.Classes))
	for _, c := range m.Data {
		n[c]++
	}
	return n[1:]
}

// The names of the segments decide the class, whatever their values and their order.
func TestSegmentsByName(t *testing.T) {
	for _, json := range []string{"", `{"labels": {"background": 0, "gland": 1, "lesion": 2}}`} {
		dir := t.TempDir()
		named(t, dir, "a", []string{"gland", "lesion"}, []uint8{1, 2})
		named(t, dir, "b", []string{"lesion", "Gland "}, []uint8{1, 2})
		named(t, dir, "c", []string{"lesion"}, []uint8{1})
		if json != "" {
			writeText(t, json, dir, "dataset.json")
		}
		d := open(t, dir)
		if !slices.Equal(d.Classes, []string{"background", "gland", "lesion"}) || len(d.Problems) > 0 {
			t.Errorf("classes %q, problems %v", d.Classes, d.Problems)
		}
		for id, want := range map[string][]int{"a": {1, 2}, "b": {2, 1}, "c": {0, 1}} {
			if got := voxels(t, d, id); !slices.Equal(got, want) {
				t.Errorf("case %s: %v voxels of gland and lesion, want %v", id, got, want)
			}
		}
	}
}

// Names that are no class, and two segments of one name, are listed, and the other cases are used.
func TestSegmentsWithoutClass(t *testing.T) {
	dir := t.TempDir()
	named(t, dir, "sound", []string{"gland", "lesion"}, []uint8{1, 2})
	named(t, dir, "other", []string{"gland", "tumour"}, []uint8{1, 2})
	named(t, dir, "twice", []string{"gland", "Gland"}, []uint8{1, 2})
	named(t, dir, "none", []string{"Segment_3"}, []uint8{3})
	writeText(t, `{"labels": {"0": "background", "1": "gland", "2": "lesion"}}`, dir, "dataset.json")
	d := open(t, dir)
	if ids(d) != "sound*" {
		t.Errorf("cases %s", ids(d))
	}
	wantProblem(t, d.Problems, "other", true, `segment "tumour"`, "gland, lesion")
	wantProblem(t, d.Problems, "twice", true, "two segments")
	wantProblem(t, d.Problems, "none", true, `"Segment_3"`)
}

// Beside masks that have only numbers the names must have one value each; otherwise the numbers mean nothing.
func TestNamesBesideNumbers(t *testing.T) {
	dir := t.TempDir()
	image := func(id string, values ...uint8) {
		writeImage(t, grid(), 0, dir, "images", id+".nrrd")
		if values != nil {
			writeMask(t, grid(), values, dir, "labels", id+".nii")
		}
	}
	segments := func(id string, names ...string) {
		image(id)
		named(t, filepath.Join(dir, "made"), id, names, []uint8{1, 3})
		rename(t, filepath.Join(dir, "made", id+".seg.nrrd"), filepath.Join(dir, "labels", id+".seg.nrrd"))
	}
	image("n", 3, 3, 1)
	image("stray", 4)
	segments("a", "gland", "lesion")
	d := open(t, dir)
	if got := voxels(t, d, "n"); !slices.Equal(d.Classes, []string{"background", "gland", "class 2", "lesion"}) || !slices.Equal(got, []int{1, 0, 2}) {
		t.Errorf("classes %q, voxels %v", d.Classes, got)
	}
	wantProblem(t, d.Problems, "stray", true, "label value 4 has no name")
	segments("b", "lesion", "gland")
	d = open(t, dir)
	if ids(d) != "a* b*" || !slices.Equal(voxels(t, d, "b"), []int{2, 1}) {
		t.Errorf("cases %s, classes %q", ids(d), d.Classes)
	}
	wantProblem(t, d.Problems, "n", true, "numbers, whose meaning differs")
}

// A mask that names its segments does so whatever it is called.
func TestSegmentsInOtherNRRD(t *testing.T) {
	for _, folder := range []bool{true, false} {
		dir, made := t.TempDir(), t.TempDir()
		named(t, made, "a", []string{"liver", "spleen"}, []uint8{1, 2})
		named(t, made, "b", []string{"spleen", "liver"}, []uint8{1, 2})
		for _, id := range []string{"a", "b"} {
			if folder {
				writeImage(t, grid(), 0, dir, "images", id+".nii")
				rename(t, filepath.Join(made, id+".seg.nrrd"), filepath.Join(dir, "labels", id+".nrrd"))
			} else {
				writeImage(t, grid(), 0, dir, id+".mha")
				rename(t, filepath.Join(made, id+".seg.nrrd"), filepath.Join(dir, id+map[string]string{"a": ".nrrd", "b": "_label.nrrd"}[id]))
			}
		}
		d := open(t, dir)
		if ids(d) != "a* b*" || !slices.Equal(d.Classes, []string{"background", "liver", "spleen"}) || len(d.Problems) > 0 {
			t.Fatalf("%s: cases %s, classes %q, problems %v", d.Layout, ids(d), d.Classes, d.Problems)
		}
		if a, b := voxels(t, d, "a"), voxels(t, d, "b"); !slices.Equal(a, []int{1, 2}) || !slices.Equal(b, []int{2, 1}) {
			t.Errorf("voxels of liver and spleen: %v, %v", a, b)
		}
	}
}

// Segments without a name, as 3D Slicer makes them, are numbers: they are the classes that names have the number of, and nothing where that is not known.
func TestNamelessSegments(t *testing.T) {
	type mask struct {
		id     string
		names  []string
		values []uint8
	}
	for name, test := range map[string]struct {
		masks   []mask
		json    string
		classes []string
		cases   string
		voxels  []int // of n's classes
		told    string
	}{
		"one name": {[]mask{{"a", []string{"prostate"}, []uint8{1}}, {"n", []string{"Segment_1"}, []uint8{1}}, {"c", []string{"prostate"}, []uint8{1}}}, "",
			[]string{"background", "prostate"}, "a* c* n*", []int{1}, ""},
		"names with gaps": {[]mask{{"a", []string{"liver", "spleen"}, []uint8{2, 5}}, {"n", []string{"Segment_2", "segment 5"}, []uint8{2, 5}}}, "",
			[]string{"background", "class 1", "liver", "class 3", "class 4", "spleen"}, "a* n*", []int{0, 1, 0, 0, 2}, ""},
		"numbers differ": {[]mask{{"a", []string{"gland", "lesion"}, []uint8{1, 2}}, {"b", []string{"lesion", "gland"}, []uint8{1, 2}}, {"n", []string{"Segment_1"}, []uint8{1}}}, "",
			[]string{"background", "gland", "lesion"}, "a* b*", nil, `its segment "Segment_1" has no name but a number, whose meaning differs`},
		"a number too many": {[]mask{{"a", []string{"gland"}, []uint8{1}}, {"n", []string{"gland", "Segment_2"}, []uint8{1, 2}}}, "",
			[]string{"background", "gland"}, "a*", nil, `its segment "Segment_2" has no name, and no class has the label value 2: the classes are gland`},
		"contradiction": {[]mask{{"a", []string{"gland"}, []uint8{1}}, {"n", []string{"Segment_2"}, []uint8{1}}}, "",
			[]string{"background", "gland"}, "a*", nil, `its segment "Segment_2" has the number 1: give it the name of a class`},
		"twice": {[]mask{{"a", []string{"lesion", "gland"}, []uint8{2, 1}}, {"n", []string{"lesion", "Segment_2"}, []uint8{1, 2}}, {"c", []string{"lesion"}, []uint8{2}}}, "",
			[]string{"background", "lesion", "gland"}, "a* c*", nil, `its segment "Segment_2" has no name but a number, whose meaning differs`},
		"dataset.json": {[]mask{{"a", []string{"gland"}, []uint8{2}}, {"n", []string{"Segment_1"}, []uint8{1}}}, `{"labels": {"background": 0, "gland": 1, "lesion": 2}}`,
			[]string{"background", "gland", "lesion"}, "a* n*", []int{1, 0}, ""},
		"dataset.json, twice": {[]mask{{"a", []string{"gland"}, []uint8{2}}, {"n", []string{"Segment_1", "gland"}, []uint8{1, 2}}}, `{"labels": {"background": 0, "gland": 1, "lesion": 2}}`,
			[]string{"background", "gland", "lesion"}, "a*", nil, `two segments, "gland" and "gland", are both class "gland"`},
		"dataset.json with gaps": {[]mask{{"a", []string{"liver"}, []uint8{1}}, {"n", []string{"Segment_2", "Segment_5", "Segment_9"}, []uint8{2, 5, 9}}},
			`{"labels": {"background": 0, "liver": 2, "spleen": 5, "ignore": 9}}`, []string{"background", "liver", "spleen"}, "a* n*", []int{1, 2}, "label values with gaps"},
		"nothing but numbers": {[]mask{{"a", []string{"Segment_1"}, []uint8{1}}, {"n", []string{"Segment_2"}, []uint8{2}}}, "",
			[]string{"background", "Segment_1", "Segment_2"}, "a* n*", []int{0, 1}, ""},
		"numbers with gaps": {[]mask{{"a", []string{"Segment_2"}, []uint8{2}}, {"n", []string{"Segment_2", "Segment_5"}, []uint8{2, 5}}}, "",
			[]string{"background", "Segment_2", "Segment_5"}, "a* n*", []int{1, 2}, "5 is class 2 (Segment_5)"},
	} {
		dir := t.TempDir()
		for _, m := range test.masks {
			named(t, dir, m.id, m.names, m.values)
		}
		if test.json != "" {
			writeText(t, test.json, dir, "dataset.json")
		}
		d := open(t, dir)
		if ids(d) != test.cases || !slices.Equal(d.Classes, test.classes) {
			t.Errorf("%s: cases %s, classes %q, problems %v", name, ids(d), d.Classes, d.Problems)
			continue
		}
		if told := fmt.Sprint(d.Problems); !strings.Contains(told, test.told) || test.told == "" && len(d.Problems) > 0 {
			t.Errorf("%s: told %s, want %q", name, told, test.told)
		}
		if test.voxels == nil {
			continue
		}
		m, err := d.Reference(d.Index("n"))
		if err != nil {
			t.Fatal(err)
		}
		n, ignored := make([]int, len(d.Classes)), 0
		for _, v := range m.Data {
			if v == volume.Ignored {
				ignored++
			} else {
				n[v]++
			}
		}
		if !slices.Equal(n[1:], test.voxels) || (ignored == 3) != strings.Contains(test.json, "ignore") {
			t.Errorf("%s: voxels %v, %d ignored, want %v", name, n[1:], ignored, test.voxels)
		}
	}
}

// A name that only one of several cases has is told: it may be a slip that became a class.
func TestRareNames(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"a", "b"} {
		named(t, dir, id, []string{"gland", "lesion"}, []uint8{1, 2})
	}
	if d := open(t, dir); len(d.Problems) > 0 {
		t.Errorf("two cases: %v", d.Problems)
	}
	named(t, dir, "c", []string{"Gland", "leison"}, []uint8{1, 3})
	d := open(t, dir)
	wantProblem(t, d.Problems, "c", false, `only case with a segment called "leison"`)
	if len(d.Problems) != 1 || !d.Problems[0].Note {
		t.Errorf("%v", d.Problems)
	}
	writeText(t, `{"labels": {"background": 0, "gland": 1, "lesion": 2, "leison": 3}}`, dir, "dataset.json")
	if d := open(t, dir); len(d.Problems) > 0 {
		t.Errorf("named in dataset.json: %v", d.Problems)
	}
}

// A segmentation of a DICOM case lies on the slices of its series, and its segments' names are the classes. The folder may be a link.
func TestSegmentationOfSeries(t *testing.T) {
	dir := t.TempDir()
	ct, err := filepath.Abs("../volume/testdata/ct")
	if err != nil {
		t.Fatal(err)
	}
	create(t, dir, "labels", "a.dcm")
	link(t, ct, filepath.Join(dir, "a"))
	link(t, ct, filepath.Join(dir, "b"))
	series, _, err := dicom.Find(ct, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{{Name: "liver", Value: 1}}}
	s.Layers[0][300] = 1
	if err := dicom.WriteSegmentation(filepath.Join(dir, "labels", "a.dcm"), s, series, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if ids(d) != "a* b" || !slices.Equal(d.Classes, []string{"background", "liver"}) || !slices.Equal(voxels(t, d, "a"), []int{1}) {
		t.Errorf("layout %s, cases %s, classes %q, problems %v", d.Layout, ids(d), d.Classes, d.Problems)
	}
	if m, err := d.Reference(0); err != nil || m.Data[300] != 1 {
		t.Errorf("the voxel lies elsewhere: %v", err)
	}
}

// Labels off by what scaled integers leave are reported.
func TestRoundedReported(t *testing.T) {
	dir := t.TempDir()
	writeImage(t, grid(), 0, dir, "images", "a.nii")
	v := &volume.Volume{Grid: grid(), Data: make([]float32, grid().Len()), Stored: "float32"}
	v.Data[3], v.Data[4] = 0.999, 1
	if err := volume.WriteVolume(create(t, dir, "labels", "a.nii"), v); err != nil {
		t.Fatal(err)
	}
	r, err := Inspect(t.Context(), open(t, dir), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, r.Problems, "a", false, "1 voxels of the mask are not quite whole numbers")
}

// Values with gaps are classes by value, and a dataset.json that names some values has no classes for the others.
func TestLabelGaps(t *testing.T) {
	for json, want := range map[string][]string{
		"": {"background", "value 1", "value 2", "value 4"},
		`{"labels": {"background": 0, "necrosis": 1, "oedema": 2, "enhancing": 4}}`: {"background", "necrosis", "oedema", "enhancing"},
	} {
		dir := t.TempDir()
		writeImage(t, grid(), 0, dir, "images", "a.nii.gz")
		writeMask(t, grid(), []uint8{1, 2, 2, 4, 4, 4}, dir, "labels", "a.nii.gz")
		if json != "" {
			writeText(t, json, dir, "dataset.json")
		}
		d := open(t, dir)
		if !slices.Equal(d.Classes, want) || !slices.Equal(voxels(t, d, "a"), []int{1, 2, 3}) {
			t.Errorf("classes %q, problems %v", d.Classes, d.Problems)
		}
		wantProblem(t, d.Problems, "", false, "4 is class 3 ("+want[3]+")")
	}
}

// A DICOM SEG beside an image that is no series lies where its header says, though it has as many voxels as the image.
func TestSEGOnAnotherPlace(t *testing.T) {
	from, dir := unpack(t, "sequences.zip"), t.TempDir()
	seg := filepath.Join(from, "labels", "p1.dcm")
	s, _, err := source.ReadSegmentation(seg, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	for name, by := range map[string][3]float64{"same": {}, "beside": {2, 0, 0}, "below": {0, 0, -1}} {
		g := s.Grid
		at := g.World(by[0], by[1], by[2])
		for r := range 3 {
			g.Affine[r][3] = at[r]
		}
		writeImage(t, g, 0, dir, "images", name+".nii")
		writeText(t, string(data), dir, "labels", name+".dcm")
	}
	d := open(t, dir)
	if ids(d) != "beside* same*" {
		t.Fatalf("cases %s, problems %v", ids(d), d.Problems)
	}
	wantProblem(t, d.Problems, "below", true, "lies outside the image")
	beside, err := d.Reference(0)
	if err != nil {
		t.Fatal(err)
	}
	same, err := d.Reference(1)
	if err != nil {
		t.Fatal(err)
	}
	if at := slices.Index(same.Data, 1); slices.Index(beside.Data, 1) != at-2 {
		t.Errorf("the first voxel is %d, on the image two voxels beside it %d", at, slices.Index(beside.Data, 1))
	}
}
