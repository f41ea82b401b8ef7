package dataset

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/fuzztest"
)

const decathlonJSON = `{"name": "Prostate", "labels": {"0": "background", "1": "gland", "2": "lesion"}, "training": [
	{"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"},
	{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}]}`

func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		layout  string
		name    string // "" is the folder's
		images  []string
		masks   []string
		json    string
		want    string
		classes []string
	}{
		{Decathlon, "Prostate", []string{"imagesTr/a.nii.gz", "imagesTr/b.nii.gz"}, []string{"labelsTr/a.nii.gz", "labelsTr/b.nii.gz"},
			decathlonJSON, "a* b*", []string{"background", "gland", "lesion"}},
		{Decathlon, "", []string{"imagesTr/a.nii.gz"}, []string{"labelsTr/a.nii"}, "", "a*", []string{"background", "class 1"}},
		{NNUNet, "", []string{"imagesTr/p_001_0000.nii.gz", "imagesTr/p_002_0000.nii.gz"}, []string{"labelsTr/p_001.nii.gz", "labelsTr/p_002.nii.gz"},
			`{"channel_names": {"0": "T2"}, "labels": {"background": 0, "PZ": 1, "TZ": 2}, "numTraining": 2, "file_ending": ".nii.gz"}`,
			"p_001* p_002*", []string{"background", "PZ", "TZ"}},
		{NNUNet, "v1", []string{"imagesTr/a_0000.nii.gz", "imagesTr/b_0000.nii.gz"}, []string{"labelsTr/a.nii.gz", "labelsTr/b.nii.gz"},
			strings.Replace(decathlonJSON, "Prostate", "v1", 1), "a* b*", []string{"background", "gland", "lesion"}},
		{Promise12, "", []string{"Case00.nii", "Case01.nii"}, []string{"Case00_segmentation.nii", "Case01_segmentation.nii"}, "",
			"Case00* Case01*", []string{"background", "class 1"}},
		{MONAILabel, "", []string{"x.nii.gz", "y.nii.gz", "z.nii.gz"}, []string{"labels/final/y.nii.gz"}, "",
			"x y* z", []string{"background", "class 1"}},
		{Plain, "", []string{"images/1.nii", "images/2.nii"}, []string{"labels/1.nii.gz"}, "", "1* 2", []string{"background", "class 1"}},
		{Plain, "", []string{"images/1.nii"}, nil, "", "1", nil},
		{ImagesOnly, "", []string{"one.nii", "two.nii.gz"}, nil, "", "one two", nil},
	} {
		dir := filepath.Join(t.TempDir(), "folder")
		for _, name := range test.images {
			writeImage(t, grid(), 0, dir, name)
		}
		for _, name := range test.masks {
			writeMask(t, grid(), []uint8{0, 1}, dir, name)
		}
		if test.json != "" {
			writeText(t, test.json, dir, "dataset.json")
		}
		d := open(t, dir)
		if test.name == "" {
			test.name = "folder"
		}
		if d.Layout != test.layout || ids(d) != test.want || d.Name != test.name {
			t.Errorf("%s: got %q, layout %s, cases %s; want %q, %s", test.layout, d.Name, d.Layout, ids(d), test.name, test.want)
		}
		if diff := cmp.Diff(test.classes, d.Classes); diff != "" {
			t.Errorf("%s: classes: %s", test.layout, diff)
		}
		if len(d.Problems) > 0 {
			t.Errorf("%s: problems: %v", test.layout, d.Problems)
		}
		for _, c := range d.Cases {
			if c.Grid.Size != grid().Size || c.Stored != "float32" {
				t.Errorf("%s: %s: header not read: %+v", test.layout, c.ID, c)
			}
		}
	}
}

// Masks beside images are no images where there is a folder labels/final too: they are the masks of cases that have none there.
func TestMasksBesideAndFinal(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.nii.gz", "b.nii.gz", "c.nii.gz"} {
		writeImage(t, grid(), 0, dir, name)
	}
	for n, name := range []string{"a_seg.nii.gz", "b_seg.nii.gz", "d-label.nii.gz", "labels/final/b.nii.gz"} {
		writeMask(t, grid(), []uint8{uint8(n % 2)}, dir, name)
	}
	d := open(t, dir)
	if got, want := ids(d), "a* b* c"; got != want || d.Layout != MONAILabel || filepath.Base(d.Cases[0].Label) != "a_seg.nii.gz" || filepath.Base(d.Cases[1].Label) != "b.nii.gz" {
		t.Fatalf("%s: cases %s, want %s", d.Layout, got, want)
	}
	wantProblem(t, d.Problems, "b", false, "it has two masks", "b_seg.nii.gz: the second is not used")
	wantProblem(t, d.Problems, "d", true, "the mask d-label.nii.gz has no image")
}

// Every kind of damage must be told in words, and must not keep the sound case from being used.
func TestDamagedCases(t *testing.T) {
	dir := t.TempDir()
	g := grid()
	put := func(id string, image, mask volume.Grid, values ...uint8) (string, string) {
		return writeImage(t, image, 0, dir, id+".nii"), writeMask(t, mask, values, dir, id+suffix+".nii")
	}
	put("sound", g, g, 0, 1)

	small := g
	small.Size[2] = 2
	put("size", g, small, 1)

	far := g
	far.Affine[2][3] += 25
	put("far", g, far, 1)

	turned := g
	turned.Affine[0][0] *= -1
	put("turned", g, turned, 1)

	_, mask := put("half", g, g)
	halves := &volume.Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "float32"}
	halves.Data[7] = 0.5
	if err := volume.WriteVolume(mask, halves); err != nil {
		t.Fatal(err)
	}

	image, _ := put("cut", g, g, 1)
	if err := os.Truncate(image, 100); err != nil {
		t.Fatal(err)
	}
	image, _ = put("text", g, g, 1)
	writeText(t, "no image at all", image)

	put("gap", g, g, 0, 1, 7)
	writeImage(t, g, 0, dir, "alone.nii")
	writeMask(t, g, []uint8{1}, dir, "orphan"+suffix+".nii")
	for _, name := range []string{"loop.nii", "loop2.nii"} { // each leads to the other
		if err := os.Symlink(map[string]string{"loop.nii": "loop2.nii", "loop2.nii": "loop.nii"}[name], filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}

	d := open(t, dir)
	if got, want := ids(d), "alone far* gap* sound*"; got != want {
		t.Errorf("cases %s, want %s", got, want)
	}
	p := d.Problems
	wantProblem(t, p, "size", true, "5 x 4 x 3", "5 x 4 x 2")
	wantProblem(t, p, "far", false, "25 mm apart")
	wantProblem(t, p, "turned", true, "outside the image")
	wantProblem(t, p, "half", true, "mask cannot be read", "0.5")
	wantProblem(t, p, "cut", true, "image cannot be read")
	wantProblem(t, p, "text", true, "image cannot be read")
	wantProblem(t, p, "gap", false, "only case with the label value 7")
	wantProblem(t, p, "", false, "1 is class 1 (value 1), 7 is class 2 (value 7)")
	wantProblem(t, p, "alone", false, "no mask")
	wantProblem(t, p, "orphan", true, "no image")
	wantProblem(t, p, "loop", true, "too many")
	wantProblem(t, p, "loop2", true, "too many")
}

func TestDamagedDecathlon(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "unlisted"} {
		writeImage(t, grid(), 0, dir, "imagesTr", name+".nii.gz")
	}
	writeMask(t, grid(), []uint8{1}, dir, "labelsTr/a.nii.gz")
	writeText(t, `{"labels": {"0": "background", "1": "gland"}, "training": [
		{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"},
		{"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"},
		{"image": "./imagesTr/c.nii.gz", "label": "./labelsTr/c.nii.gz"},
		{"image": "../../etc/d.nii.gz", "label": "./labelsTr/d.nii.gz"}]}`, dir, "dataset.json")
	d := open(t, dir)
	if ids(d) != "a*" {
		t.Errorf("cases %s, want a*", ids(d))
	}
	wantProblem(t, d.Problems, "b", true, "mask b.nii.gz is missing")
	wantProblem(t, d.Problems, "c", true, "image c.nii.gz is missing")
	wantProblem(t, d.Problems, "d", true, "outside")
	wantProblem(t, d.Problems, "", false, "1 image (unlisted.nii.gz)")
}

func TestClassesOfJSON(t *testing.T) {
	for _, test := range []struct{ labels, want, problem string }{
		{`{"0": "background", "3": "c", "1": "a"}`, "background a c", ""},
		{`{"b": 2, "a": 1, "background": 0}`, "background a b", ""},
		{`{"background": "0", "a": "1"}`, "background a", ""},
		{`{"whole": [1, 2], "background": 0}`, "", "region"},
		{`{"0": "background", "-1": "a"}`, "", "want a value from 0 to 255"},
		{`{"a": 1.5}`, "", "want a value from 0 to 255"},
		{`{"a": 1, "b": 1}`, "", "two names"},
		{`{"background": 0, "a": 1, "ignore": 1}`, "", "above those of all classes"},
		{`{"background": 0, "ignore": 1, "a": 2}`, "", "above those of all classes"},
		{`{"background": 0, "a": 1, "ignore": 255}`, "background a", ""},
		{`{"0": "background", "1": "a", "2": "ignore"}`, "background a", ""},
	} {
		path := filepath.Join(t.TempDir(), "dataset.json")
		writeText(t, `{"labels": `+test.labels+`}`, path)
		j, err := readJSON(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(j.classes, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.labels, got, test.want)
		}
		if test.problem != "" {
			wantProblem(t, j.problems, "", false, test.problem)
		} else if len(j.problems) > 0 {
			t.Errorf("%s: problems %v", test.labels, j.problems)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(decathlonJSON))
	f.Add([]byte(`{"labels": {"background": 0, "a": "1", "b": [1, 2], "c": 1e400, "255": "d"}, "training": [{}, {"image": "../a"}]}`))
	f.Add([]byte(`{` + partly + `, "annotated": {"b": ["liver", 4], "c": [], "d": null, "e": [1e9, -1]}, "training": [{"image": "a", "annotated": ["spleen"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var j *jsonFile
		var err error
		fuzztest.Bound(t, func() int { j, err = parseJSON(data); return 0 })
		if err != nil {
			return
		}
		if len(j.classes) > 256 || slices.Contains(j.classes, "") && !slices.Contains(slices.Collect(maps.Keys(j.Labels)), "") {
			t.Errorf("classes %q", j.classes)
		}
		l := &listing{}
		if err := l.listed("data", j); err != nil {
			t.Fatal(err)
		}
		for _, c := range l.cases {
			if !strings.HasPrefix(c.Image, "data"+string(filepath.Separator)) && c.Image != "data" {
				t.Errorf("%q lies outside the folder", c.Image)
			}
		}
	})
}

func TestFurtherChannels(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_0000", "a_0001", "b_0000", "b_0001"} {
		writeImage(t, grid(), 0, dir, "imagesTr", name+".nii.gz")
	}
	d := open(t, dir)
	if ids(d) != "a b" || !strings.HasSuffix(d.Cases[0].Image, "a_0000.nii.gz") {
		t.Errorf("cases %s, the first is %s", ids(d), d.Cases[0].Image)
	}
	wantProblem(t, d.Problems, "", false, "2 images of further channels")
}

func TestFoldersThatAreNoDataSet(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "missing")); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("missing folder: got %v", err)
	}
	writeText(t, "x", dir, "notes.txt")
	writeImage(t, grid(), 0, dir, "Task05/imagesTr/a.nii")
	_, err := Open(dir)
	if err == nil {
		t.Fatal("want an error")
	}
	for _, words := range []string{"notes.txt", "try " + filepath.Join(dir, "Task05"), Decathlon, NNUNet, Promise12, MONAILabel, Plain} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}

	broken := t.TempDir()
	writeText(t, `{"labels": `, broken, "dataset.json")
	if _, err := Open(broken); err == nil || !strings.Contains(err.Error(), "dataset.json") {
		t.Errorf("broken JSON: got %v", err)
	}

	useless := t.TempDir()
	writeText(t, "no image", useless, "a.nii")
	if _, err := Open(useless); err == nil || !strings.Contains(err.Error(), "no usable case") || !strings.Contains(err.Error(), "a: ") {
		t.Errorf("no usable case: got %v", err)
	}

	loop := t.TempDir()
	if err := os.Symlink("imagesTr", filepath.Join(loop, "imagesTr")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := Open(loop); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("folder that links to itself: got %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if _, path := err.(*os.PathError); !ok || path {
			return err
		}
		err = inner.Unwrap()
	}
}

func TestNoPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser may read everything")
	}
	dir := t.TempDir()
	writeImage(t, grid(), 0, dir, "a.nii")
	if err := os.Chmod(writeImage(t, grid(), 0, dir, "b.nii"), 0); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if ids(d) != "a" {
		t.Errorf("cases %s, want a", ids(d))
	}
	wantProblem(t, d.Problems, "b", true, "no permission")
}

func TestReference(t *testing.T) {
	dir := t.TempDir()
	g, far := grid(), grid()
	far.Affine[0][3] += 50
	writeImage(t, g, 0, dir, "images/a.nii")
	writeMask(t, far, []uint8{0, 1, 1}, dir, "labels/a.nii")
	d := open(t, dir)
	m, err := d.Reference(0)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Grid.Same(d.Cases[0].Grid, 0) || m.Data[1] != 1 || m.Data[3] != 0 {
		t.Errorf("got %+v: want the mask's voxels on the image's grid", m)
	}
	writeMask(t, g, []uint8{9}, d.Cases[0].Label)
	if _, err := d.Reference(0); err == nil || !strings.Contains(err.Error(), "label value 9") {
		t.Errorf("value without class: got %v", err)
	}
	small := g
	small.Size[0] = 2
	writeMask(t, small, nil, d.Cases[0].Label)
	if _, err := d.Reference(0); err == nil || !strings.Contains(err.Error(), "2 x 4 x 3") {
		t.Errorf("other size: got %v", err)
	}
}

// A mask whose axes run otherwise is turned to lie over its image.
func TestTurnedMask(t *testing.T) {
	dir := t.TempDir()
	g := grid()
	writeImage(t, g, 0, dir, "a.nii")
	// The mask's axes are j, k and the reverse of i of the image.
	turned := volume.Grid{Size: [3]int{g.Size[1], g.Size[2], g.Size[0]}, Unit: g.Unit}
	for r := range 3 {
		last := g.World(float64(g.Size[0]-1), 0, 0)
		turned.Affine[r] = [4]float64{g.Affine[r][1], g.Affine[r][2], -g.Affine[r][0], last[r]}
	}
	values := make([]uint8, turned.Len())
	values[1+4*(2+3*(5-1-3))] = 1 // voxel (3, 1, 2) of the image
	writeMask(t, turned, values, dir, "a"+suffix+".nii")
	d := open(t, dir)
	if len(d.Problems) > 0 {
		t.Errorf("problems: %v", d.Problems)
	}
	m, err := d.Reference(0)
	if err != nil {
		t.Fatal(err)
	}
	if m.Size != g.Size || m.Data[3+5*(1+4*2)] != 1 {
		t.Errorf("voxel (3, 1, 2) is not labelled: %v", m.Data)
	}
}

func TestSlicer(t *testing.T) {
	dir := t.TempDir()
	g := grid()
	writeImage(t, g, 0, dir, "a.nii.gz")
	writeImage(t, g, 0, dir, "b.nii.gz")
	// 3D Slicer saves the part of the image that has labels: here slice 1.
	part := g
	part.Size[2] = 1
	corner := g.World(0, 0, 1)
	for r := range 3 {
		part.Affine[r][3] = corner[r]
	}
	m := &volume.Mask{Grid: part, Data: make([]uint8, part.Len())}
	m.Data[7] = 1
	if err := volume.WriteSegmentation(filepath.Join(dir, "a.seg.nrrd"), volume.NewSegmentation(m, []string{"background", "gland"})); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if d.Layout != Slicer || ids(d) != "a* b" || len(d.Classes) != 2 {
		t.Fatalf("layout %s, cases %s, classes %v, problems %v", d.Layout, ids(d), d.Classes, d.Problems)
	}
	ref, err := d.Reference(0)
	if err != nil {
		t.Fatal(err)
	}
	if ref.Size != g.Size || ref.Data[20+7] != 1 || slices.Index(ref.Data, 1) != 27 {
		t.Errorf("want voxel 7 of slice 1 labelled, got %v", ref.Data)
	}
}

// A folder of a DICOM set is a case whatever stands before its slices, and one that is none, or cannot be read, is told.
func TestFoldersOfADICOMSet(t *testing.T) {
	dir := t.TempDir()
	series := os.DirFS(filepath.Join("..", "volume", "testdata", "ct"))
	for _, name := range []string{"p1", "p2", "p3"} {
		if err := os.CopyFS(filepath.Join(dir, name), series); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 250 {
		writeText(t, "a page", dir, "p1", fmt.Sprintf("%03d.%s", n, []string{"txt", "png", "json"}[n%3]))
	}
	for n := range 20 {
		writeText(t, "of a viewer", dir, "p2", fmt.Sprintf("%03d", n))
	}
	writeText(t, "nothing", dir, "notes", "readme.txt")
	want := "p1 p2 p3"
	if os.Getuid() != 0 { // the superuser may read everything
		want = "p1 p2"
		if err := os.Chmod(filepath.Join(dir, "p3"), 0); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(filepath.Join(dir, "p3"), 0o700)
	}
	d := open(t, dir)
	if ids(d) != want || d.Layout != DICOM {
		t.Fatalf("%s: cases %s, want %s; problems %v", d.Layout, ids(d), want, d.Problems)
	}
	wantProblem(t, d.Problems, "", false, "1 folder (notes) without DICOM files: not used")
	if os.Getuid() != 0 {
		wantProblem(t, d.Problems, "p3", true, "cannot be read", "permission denied")
	}
}

// A file that stands for its series is read with the others of the folder, and so they all are what the image is read from.
func TestFilesOfASeries(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "p1"), os.DirFS(filepath.Join("..", "volume", "testdata", "ct"))); err != nil {
		t.Fatal(err)
	}
	writeText(t, `{"training": ["p1/IM2.dcm"]}`, dir, "dataset.json")
	d := open(t, dir)
	want, err := filepath.Glob(filepath.Join(dir, "p1", "IM*.dcm"))
	if err != nil || len(want) != 4 {
		t.Fatal(want, err)
	}
	if images, _ := d.Cases[0].Files(); d.Cases[0].Grid.Size[2] != 4 || !slices.Equal(slices.Sorted(slices.Values(images)), want) {
		t.Errorf("%v slices of %q", d.Cases[0].Grid.Size, images)
	}
}

func TestDICOM(t *testing.T) {
	series := filepath.Join("..", "volume", "testdata", "ct")
	dir := t.TempDir()
	files, err := os.ReadDir(series)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(series, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		writeText(t, string(data), dir, "patient", f.Name())
	}
	writeText(t, "no image", dir, "other", "notes.dcm")
	d := open(t, dir)
	if d.Layout != DICOM || ids(d) != "patient" || d.Cases[0].Grid.Size[2] != 4 {
		t.Fatalf("layout %s, cases %+v, problems %v", d.Layout, d.Cases, d.Problems)
	}
	wantProblem(t, d.Problems, "other", true, "no image series")
	// A mask of the folder's name makes it a labelled case.
	writeMask(t, d.Cases[0].Grid, []uint8{0, 1}, dir, "labels", "patient.nii.gz")
	if d = open(t, dir); ids(d) != "patient*" || len(d.Classes) != 2 {
		t.Errorf("cases %s, classes %v, problems %v", ids(d), d.Classes, d.Problems)
	}
	s, err := Load(t.Context(), d, []int{0}, d.Preprocess(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Images) != 4 || s.Labels[0] == nil {
		t.Errorf("%d slices", len(s.Images))
	}
	// The same folders in place of the files of images/, beside a file.
	mixed := t.TempDir()
	for _, name := range []string{"images", "imagesTr"} {
		if err := os.CopyFS(filepath.Join(mixed, name, "patient"), os.DirFS(filepath.Join(dir, "patient"))); err != nil {
			t.Fatal(err)
		}
		writeMask(t, d.Cases[0].Grid, []uint8{0, 1}, mixed, strings.Replace(name, "images", "labels", 1), "patient.nii.gz")
	}
	writeImage(t, grid(), 0, mixed, "images", "second.nrrd")
	if m := open(t, mixed); m.Layout != Decathlon || ids(m) != "patient*" {
		t.Errorf("imagesTr: layout %s, cases %s, problems %v", m.Layout, ids(m), m.Problems)
	}
	if err := os.RemoveAll(filepath.Join(mixed, "imagesTr")); err != nil {
		t.Fatal(err)
	}
	if m := open(t, mixed); m.Layout != Plain || ids(m) != "patient* second" {
		t.Errorf("images: layout %s, cases %s, problems %v", m.Layout, ids(m), m.Problems)
	}
	if _, err := Open(filepath.Join(dir, "patient")); err == nil || !strings.Contains(err.Error(), "folder above") {
		t.Errorf("the series' own folder: got %v", err)
	}
}

func TestPromise12(t *testing.T) {
	d := open(t, shared(t, "promise12"))
	if d.Layout != Promise12 || len(d.Cases) != 40 || len(d.Labelled()) != 40 || len(d.Classes) != 2 || len(d.Problems) > 0 {
		t.Errorf("layout %s, %d cases, %d with mask, classes %v, problems %v", d.Layout, len(d.Cases), len(d.Labelled()), d.Classes, d.Problems)
	}
	if g := d.Cases[d.Index("Case25")].Grid; g.Size != [3]int{128, 128, 18} || g.Unit != volume.Voxel {
		t.Errorf("Case25: got %v %s", g.Size, g.Unit)
	}
	if c := d.Preprocess(-1); c.Axis != 2 || c.Height != 128 || c.Width != 128 || c.Fit != "resize" {
		t.Errorf("got %+v", c)
	}
}

func TestHippocampus(t *testing.T) {
	d := open(t, shared(t, "Task04_Hippocampus"))
	want := []string{"background", "Anterior", "Posterior"}
	if d.Layout != Decathlon || len(d.Cases) != 200 || !cmp.Equal(d.Classes, want) || d.Name != "Hippocampus" || len(d.Problems) > 0 {
		t.Errorf("%s: layout %s, %d cases, classes %v, problems %v", d.Name, d.Layout, len(d.Cases), d.Classes, d.Problems)
	}
	if c := d.Preprocess(-1); c.Axis != 2 || c.Fit != "pad" {
		t.Errorf("got %+v", c)
	}
}

func TestFarApartIsMeasured(t *testing.T) {
	a, b := grid(), grid()
	b.Affine[1][3] -= 3
	if got := apart(a, b); math.Abs(got-3) > 1e-12 {
		t.Errorf("got %v, want 3", got)
	}
}
