package dataset

import (
	"os"
	"path/filepath"
	"slices"
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
	named(t, dir, "twice", []string{"gland", "gland"}, []uint8{1, 2})
	named(t, dir, "none", []string{"Segment_1"}, []uint8{1})
	writeText(t, `{"labels": {"0": "background", "1": "gland", "2": "lesion"}}`, dir, "dataset.json")
	d := open(t, dir)
	if ids(d) != "sound*" {
		t.Errorf("cases %s", ids(d))
	}
	wantProblem(t, d.Problems, "other", true, `segment "tumour"`, "gland, lesion")
	wantProblem(t, d.Problems, "twice", true, "two segments")
	wantProblem(t, d.Problems, "none", true, `"Segment_1"`)
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
