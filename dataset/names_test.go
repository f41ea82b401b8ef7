package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/nextslice/nextslice/random"
)

// Masks beside images and in folders of masks are told by the names that people use.
func TestMasksByName(t *testing.T) {
	for _, test := range []struct {
		layout, want  string
		images, masks []string
	}{
		{Beside, "c0* c1*", []string{"c0.nii.gz", "c1.nii.gz"}, []string{"c0-label.nii.gz", "c1-label.nii.gz"}},
		{Beside, "c0* c1", []string{"c0.nii.gz", "c1.nii.gz"}, []string{"c0_seg.nii.gz"}},
		{Beside, "a* b* c* d*", []string{"a.nrrd", "b.nii", "c.mha", "d.nii"}, []string{"a_mask.nii", "b_GT.nii", "c-seg.nii", "d_Label.nii"}},
		{Promise12, "a*", []string{"a.nii"}, []string{"a_segmentation.nii"}},
		{Beside, "a_image* b_0000*", []string{"a_image.nii", "b_0000.nii"}, []string{"a_label.nii", "b_seg.nii"}},
		{Plain, "a* b*", []string{"images/a.nii", "images/b.nii"}, []string{"labels/a_seg.nii", "labels/b-label.nrrd"}},
		{Plain, "a_seg*", []string{"images/a_seg.nii"}, []string{"labels/a_seg.nii"}},
		{NNUNet, "a*", []string{"imagesTr/a_0000.nii"}, []string{"labelsTr/a_0000_seg.nii"}},
		// Four digits are a channel only where the siblings say so.
		{Decathlon, "p_2019* p_2020*", []string{"imagesTr/p_2019.nii", "imagesTr/p_2020.nii"}, []string{"labelsTr/p_2019.nii", "labelsTr/p_2020.nii"}},
		{Decathlon, "v_0000* v_0001*", []string{"imagesTr/v_0000.nii", "imagesTr/v_0001.nii"}, []string{"labelsTr/v_0000.nii", "labelsTr/v_0001.nii"}},
		{ImagesOnly, "p_2019 p_2020", []string{"p_2019.nii", "p_2020.nii"}, nil},
		{ImagesOnly, "p_0000 q_0000", []string{"p_0000.nii", "q_0000.nii"}, nil},
	} {
		dir := t.TempDir()
		for _, name := range test.images {
			writeImage(t, grid(), 0, dir, name)
		}
		for _, name := range test.masks {
			writeMask(t, grid(), []uint8{1}, dir, name)
		}
		if d := open(t, dir); d.Layout != test.layout || ids(d) != test.want {
			t.Errorf("%v %v: layout %s, cases %s, problems %v; want %s, %s", test.images, test.masks, d.Layout, ids(d), d.Problems, test.layout, test.want)
		}
	}
}

func TestWithoutFirstChannel(t *testing.T) {
	dir := t.TempDir()
	writeImage(t, grid(), 0, dir, "imagesTr/a_0000.nii")
	writeImage(t, grid(), 0, dir, "imagesTr/b_0001.nii")
	d := open(t, dir)
	if ids(d) != "a" {
		t.Errorf("cases %s", ids(d))
	}
	wantProblem(t, d.Problems, "b_0001", true, "no first channel b_0000")
}

func TestPatientOf(t *testing.T) {
	for id, want := range map[string]string{
		"patient001_frame01": "patient001", "patient001_frame12_x": "patient001", "sub-A1_ses-01_T2w": "sub-A1", "sub-02_run-2": "sub-02",
		"Case07_t1": "Case07", "abc-visit2": "abc", "P12_slice003": "P12", "x_ses-1_run-2": "x", "heart_ED": "heart", "heart_es": "heart",
		"hippocampus_001": "hippocampus_001", "Case00": "Case00", "prostate_12": "prostate_12", "BRATS_003": "BRATS_003", "patients": "patients",
		"subtle_3": "subtle_3", "t2": "t2", "liver_t": "liver_t",
	} {
		if got := patientOf(id); got != want {
			t.Errorf("%s: patient %s, want %s", id, got, want)
		}
	}
}

// Scans of one patient stay together in every split, and a pattern says otherwise.
func TestPatientsByName(t *testing.T) {
	dir := t.TempDir()
	for p := range 4 {
		for _, f := range []string{"01", "12"} {
			id := fmt.Sprintf("patient%03d_frame%s", p, f)
			writeImage(t, grid(), 0, dir, "imagesTr", id+"_0000.nii")
			writeMask(t, grid(), []uint8{1}, dir, "labelsTr", id+".nii")
		}
	}
	d := open(t, dir)
	wantProblem(t, d.Problems, "", false, "8 cases are taken as those of 4 patients", "(patient000_frame01, patient000_frame12)")
	for seed := range 20 {
		s, err := d.Split(SplitConfig{Test: 1}, random.Stream(uint64(seed), "split"))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Test) != 2 || d.Cases[s.Test[0]].Patient() != d.Cases[s.Test[1]].Patient() {
			t.Errorf("seed %d: test %v", seed, s.Test)
		}
	}
	if err := d.UsePatients(".+"); err != nil || d.Grouped != "" || d.Cases[0].Patient() != "patient000_frame01" {
		t.Errorf("each case a patient: %v, %q", err, d.Cases[0].Patient())
	}
}

// A dataset.json as people have it: byte order marks, lists of images, absolute paths, one file name in many folders.
func TestJSONAsPeopleHaveIt(t *testing.T) {
	utf16le := func(text string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(text)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	for name, test := range map[string]struct {
		files []string
		json  func(dir string) string
		want  string
	}{
		"byte order mark": {[]string{"a"}, func(string) string {
			return "\xef\xbb\xbf" + `{"labels": {"0": "background", "1": "gland"}, "training": [{"image": "a.nii", "label": "a_m.nii"}]}`
		}, "a*"},
		"UTF-16": {[]string{"a"}, func(string) string {
			return utf16le(`{"labels": {"0": "background", "1": "gland"}, "training": [{"image": "a.nii", "label": "a_m.nii"}]}`)
		}, "a*"},
		"lists": {[]string{"a", "a2", "b"}, func(string) string {
			return `{"training": [{"image": ["a.nii", "a2.nii"], "label": ["a_m.nii"]}, {"image": ["b.nii"]}]}`
		}, "a* b"},
		"paths alone": {[]string{"a", "b"}, func(string) string { return `{"training": ["a.nii", "b.nii"]}` }, "a b"},
		"absolute": {[]string{"a"}, func(dir string) string {
			return `{"training": [{"image": "` + filepath.ToSlash(filepath.Join(dir, "a.nii")) + `", "label": "` + filepath.ToSlash(filepath.Join(dir, "a_m.nii")) + `"}]}`
		}, "a*"},
		"folders": {[]string{"p1/i", "p2/i"}, func(string) string {
			return `{"training": [{"image": "p1/i.nii", "label": "p1/i_m.nii"}, {"image": "./p2/i.nii", "label": "./p2/i_m.nii"}]}`
		}, "p1* p2*"},
		"deep folders": {[]string{"x/p/i", "y/p/i"}, func(string) string { return `{"training": [{"image": "x/p/i.nii"}, {"image": "y/p/i.nii"}]}` }, "x_p_i y_p_i"},
	} {
		dir := t.TempDir()
		for _, f := range test.files {
			writeImage(t, grid(), 0, dir, f+".nii")
			writeMask(t, grid(), []uint8{1}, dir, f+"_m.nii")
		}
		writeText(t, test.json(dir), dir, "dataset.json")
		d, err := Open(dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range d.Problems {
			if name != "lists" || !strings.Contains(p.Text, "the first of each is read") {
				t.Errorf("%s: %v", name, p)
			}
		}
		if name == "lists" {
			wantProblem(t, d.Problems, "", false, "1 case with a list of images: the first of each is read")
		}
		if ids(d) != test.want {
			t.Errorf("%s: cases %s, want %s", name, ids(d), test.want)
		}
	}
}

// White and 1 that never meet in a mask may be one class of two programs: they are told.
func TestWhiteBesideOne(t *testing.T) {
	for name, test := range map[string]struct {
		values [][]uint8
		told   bool
	}{
		"apart":    {[][]uint8{{1}, {255}, {1}}, true},
		"together": {[][]uint8{{1, 255}, {255}, {1}}, false},
		"no white": {[][]uint8{{1}, {4}, {1}}, false},
		"one":      {[][]uint8{{255}, {255}}, false},
	} {
		dir := t.TempDir()
		for i, values := range test.values {
			writeImage(t, grid(), 0, dir, fmt.Sprintf("images/c%d.nii", i))
			writeMask(t, grid(), values, dir, fmt.Sprintf("labels/c%d.nii", i))
		}
		told := false
		for _, p := range open(t, dir).Problems {
			told = told || strings.Contains(p.Text, "no mask holds two of the label values 0, 1, 255")
		}
		if told != test.told {
			t.Errorf("%s: told %v", name, told)
		}
	}
}

// Paths of a dataset.json that was written on Windows; labels in a list.
func TestJSONOfOthers(t *testing.T) {
	dir := t.TempDir()
	writeImage(t, grid(), 0, dir, "scans/a.nii")
	writeMask(t, grid(), []uint8{1}, dir, "masks/a.nii")
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "dataset.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"labels": {"0": "background", "1": "gland"}, "training": [{"image": ".\\scans\\a.nii", "label": "masks\\a.nii"}]}`)
	if d := open(t, dir); ids(d) != "a*" || len(d.Problems) > 0 {
		t.Errorf("cases %s, %v", ids(d), d.Problems)
	}
	write(`{"labels": ["background", "gland"]}`)
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), `labels: want names and values, {"background": 0, "prostate": 1}, and no list`) {
		t.Errorf("%v", err)
	}
}

// Cases are kept together by the PatientID of their headers, and nothing says it: messages and the groups have the cases' names alone.
func TestPatientIDIsNotTold(t *testing.T) {
	d := &Dataset{}
	for _, c := range [][2]string{{"P001", "4711"}, {"P002", "4711"}, {"P003", "0815"}, {"P004", "0816"}} {
		d.Cases = append(d.Cases, Case{ID: c[0], Label: "mask", patient: c[1]})
	}
	d.guessPatients()
	wantProblem(t, d.Problems, "", false, "2 cases are taken as those of 1 patient and kept together (P001, P002)")
	if d.Cases[0].Patient() != d.Cases[1].Patient() || d.Cases[1].Patient() == d.Cases[2].Patient() {
		t.Errorf("patients %q, %q and %q", d.Cases[0].Patient(), d.Cases[1].Patient(), d.Cases[2].Patient())
	}
	_, err := d.Split(SplitConfig{TestCases: []string{"P001"}, ValidationCases: []string{"P002"}}, random.Stream(1, "split"))
	if err == nil || !strings.Contains(err.Error(), "P001") || !strings.Contains(err.Error(), "P002") {
		t.Errorf("a patient on both sides: %v", err)
	}
	if all := fmt.Sprintf("%+v %v", d, err); strings.Contains(all, "4711") || strings.Contains(all, "081") {
		t.Errorf("a PatientID is left: %s", all)
	}
}

// Cases whose names differ in letter case alone are told: many systems would have one file for the masks of both.
func TestLetterCaseOfCases(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"P1.nii", "p1.nii", "p2.nii"} {
		writeImage(t, grid(), 0, dir, name)
	}
	if _, err := os.Stat(filepath.Join(dir, "P2.NII")); err == nil {
		t.Skip("letter case does not count here")
	}
	d := open(t, dir)
	if ids(d) != "P1 p1 p2" {
		t.Errorf("cases %s", ids(d))
	}
	wantProblem(t, d.Problems, "p1", false, "differ in letter case alone")
}
