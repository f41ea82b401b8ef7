package dataset

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/random"
)

// writePNG writes a picture whose first row has the given greys, and which is 9 elsewhere.
func writePNG(t *testing.T, first []uint8, rest uint8, path ...string) {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 4, 3))
	for i := range p.Pix {
		p.Pix[i] = rest
	}
	copy(p.Pix, first)
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, p); err != nil {
		t.Fatal(err)
	}
}

// Slices in files of their own: a case each, masks in any greys, and patients that are never divided.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"P1_01", "P1_02", "P1_03", "P2_01", "P3_01", "P3_02", "P4_01"} {
		writePNG(t, []uint8{1, 2, 3}, 9, dir, "images", name+".png")
		writePNG(t, []uint8{0, 128, 255}, 0, dir, "labels", name+".png")
	}
	writePNG(t, nil, 9, dir, "images", "P4_02.png") // without a mask
	d := open(t, dir)
	if got := strings.Join(d.Classes, ", "); got != "background, value 128, value 255" || len(d.Cases) != 8 {
		t.Fatalf("classes %s, %d cases, %v", got, len(d.Cases), d.Problems)
	}
	m, err := d.Reference(0)
	if err != nil || !slices.Equal(m.Data[:4], []uint8{0, 1, 2, 0}) {
		t.Errorf("mask %v, %v", m, err)
	}
	writePNG(t, []uint8{77}, 0, dir, "labels", "P1_01.png")
	if _, err := d.Reference(0); err == nil || !strings.Contains(err.Error(), "the value 77 is not among") {
		t.Errorf("a grey that is new: %v", err)
	}

	for pattern, want := range map[string]string{"(": "missing closing", "Q": "finds nothing in the name of case P1_01", "x*": "finds nothing"} {
		if err := d.UsePatients(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
	if err := d.UsePatients(`^(P\d+)_`); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		s, err := d.Split(SplitConfig{Test: 1, Validation: 1}, random.Stream(seed, "split"))
		if err != nil {
			t.Fatal(err)
		}
		where := map[string]int{}
		for part, list := range [][]int{s.Pool, s.Validation, s.Test} {
			for _, i := range list {
				if old, seen := where[d.Cases[i].Patient()]; seen && old != part {
					t.Fatalf("seed %d: patient %s is divided: %+v", seed, d.Cases[i].Patient(), s)
				}
				where[d.Cases[i].Patient()] = part
			}
		}
		if len(where) != 4 {
			t.Fatalf("seed %d: %d patients in %+v", seed, len(where), s)
		}
	}
	s, err := d.Split(SplitConfig{TestCases: []string{"P1_02"}}, random.Stream(1))
	if err != nil || !slices.Equal(s.Test, []int{0, 1, 2}) {
		t.Errorf("a case given by name: %+v, %v", s, err)
	}
	if _, err := d.Split(SplitConfig{TestCases: []string{"P1_02"}, ValidationCases: []string{"P1_01"}}, random.Stream(1)); err == nil {
		t.Error("a patient of the test and of validation")
	}
}

// Other files and too many greys are as before: a gap is a fault.
func TestGreyValuesOfNoMasks(t *testing.T) {
	dir := t.TempDir()
	var many []uint8
	for v := range uint8(12) {
		many = append(many, 3*v)
	}
	for n, greys := range [][]uint8{many, many[1:], {200, 201, 202, 203, 204, 205, 206, 207}} {
		name := string(rune('a'+n)) + ".png"
		writePNG(t, nil, 9, dir, "images", name)
		writePNG(t, greys, 0, dir, "labels", name)
	}
	d, err := Open(dir)
	if err == nil {
		t.Fatalf("%v", d.Classes)
	}
	if !strings.Contains(err.Error(), "after a gap") {
		t.Error(err)
	}
}

func TestUseChannel(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_0000", "a_0001", "b_0000"} {
		writeImage(t, grid(), 0, dir, "imagesTr", name+".nii.gz")
	}
	d := open(t, dir)
	if err := d.UseChannel(2); err == nil || !strings.Contains(err.Error(), "no case has a channel 2; a: it has no channel 2: there is no file") {
		t.Errorf("a channel that no case has: %v", err)
	}
	d = open(t, dir)
	last := func() string { return d.Problems[len(d.Problems)-1].String() }
	if err := d.UseChannel(1); err != nil || len(d.Cases) != 1 || !strings.Contains(last(), "b: it has no channel 1: there is no file") {
		t.Errorf("a file that is missing: %v, %v", err, d.Problems)
	}
	elsewhere := grid()
	elsewhere.Affine[0][3] += 0.3
	writeImage(t, elsewhere, 0, dir, "imagesTr", "b_0001.nii.gz")
	d = open(t, dir)
	if err := d.UseChannel(1); err != nil || len(d.Cases) != 1 || !strings.Contains(last(), "b: channel 1: it lies on another grid") {
		t.Errorf("a file on another grid: %v, %v", err, d.Problems)
	}
	writeImage(t, grid(), 7, dir, "imagesTr", "b_0001.nii.gz")
	d = open(t, dir)
	if err := d.UseChannel(1); err != nil || len(d.Cases) != 2 {
		t.Fatalf("%v, %v", err, d.Problems)
	}
	if v, err := d.Image(1); err != nil || v.Data[0] != 7 {
		t.Errorf("%v, %v", v, err)
	}
}
