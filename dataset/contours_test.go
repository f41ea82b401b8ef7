package dataset

import (
	"archive/zip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// unpack unpacks an archive of testdata to a folder and returns it.
func unpack(t *testing.T, name string) string {
	t.Helper()
	files, err := zip.OpenReader(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	dir := filepath.Join(t.TempDir(), "set")
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Structure sets are masks of their cases, in the folder of masks and in that of the series itself, and their regions' names are the classes,
// whatever their numbers.
func TestContoursAsMasks(t *testing.T) {
	dir := unpack(t, "rtstruct.zip")
	var want map[string]map[string][][3]int // by case and region: column, row, slice
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if ids(d) != "a* b*" || !slices.Equal(d.Classes, []string{"background", "organ", "lesion"}) || len(d.Problems) > 0 {
		t.Fatalf("cases %s, classes %q, problems %v", ids(d), d.Classes, d.Problems)
	}
	for i, c := range d.Cases {
		m, err := d.Reference(i)
		if err != nil {
			t.Fatal(err)
		}
		expected := make([]uint8, m.Len())
		for class, name := range d.Classes[1:] {
			for _, at := range want[c.ID][name] {
				expected[at[0]+m.Size[0]*(at[1]+m.Size[1]*at[2])] = uint8(class + 1)
			}
		}
		if !slices.Equal(m.Data, expected) {
			t.Errorf("case %s: %d voxels, want %d", c.ID, len(slices.DeleteFunc(slices.Clone(m.Data), func(v uint8) bool { return v == 0 })),
				len(slices.DeleteFunc(expected, func(v uint8) bool { return v == 0 })))
		}
	}
	masks, err := Masks(dir)
	if err != nil || filepath.Base(masks["b"]) != "RS.dcm" {
		t.Errorf("masks %v, %v", masks, err)
	}

	// A SEG in the series' folder is one too, but of several none is.
	series, _, err := dicom.Find(filepath.Join(dir, "a"), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{{Name: "organ", Value: 1}}}
	s.Layers[0][300] = 1
	if err := os.Rename(filepath.Join(dir, "labels", "a.dcm"), filepath.Join(dir, "contours")); err != nil {
		t.Fatal(err)
	}
	if err := dicom.WriteSegmentation(filepath.Join(dir, "a", "seg.dcm"), s, series, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir)
	if m, err := d.Reference(0); ids(d) != "a* b*" || err != nil || m.Data[300] == 0 {
		t.Errorf("cases %s, %v, problems %v", ids(d), err, d.Problems)
	}
	if err := os.Rename(filepath.Join(dir, "contours"), filepath.Join(dir, "a", "contours.dcm")); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir)
	wantProblem(t, d.Problems, "a", false, "holds 2 segmentations or structure sets (contours.dcm, seg.dcm …), none of which is used", "in labels")
	if ids(d) != "a b*" {
		t.Errorf("cases %s", ids(d))
	}
}

// nnU-Net's names in the folders images and labels are channels, unless masks are called after each.
func TestNumberedImages(t *testing.T) {
	for _, c := range []struct{ masks, ids, layout string }{
		{"a b", "a* b*", NNUNet},
		{"a_seg", "a* b", NNUNet},
		{"a_0000 b_0000", "a_0000* a_0001 b_0000* b_0001", Plain},
		{"", "a b", NNUNet},
	} {
		dir := t.TempDir()
		for _, id := range []string{"a_0000", "a_0001", "b_0000", "b_0001"} {
			writeImage(t, grid(), 5, dir, "images", id+".nii.gz")
		}
		for _, id := range strings.Fields(c.masks) {
			writeMask(t, grid(), []uint8{0, 1}, dir, "labels", id+".nii.gz")
		}
		d := open(t, dir)
		if ids(d) != c.ids || d.Layout != c.layout {
			t.Errorf("masks %q: layout %s, cases %s, want %s", c.masks, d.Layout, ids(d), c.ids)
		}
		if c.layout == NNUNet {
			if err := d.UseChannels(Selection{AllChannels}, false); err != nil || len(d.Channels) != 2 || len(d.Cases) != 2 {
				t.Errorf("masks %q: channels %v, %v", c.masks, d.Channels, err)
			}
		}
	}
}

// One PatientID for all cases is no patient, which is told; two are.
func TestOnePatientID(t *testing.T) {
	ct, err := filepath.Abs("../volume/testdata/ct")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link(t, ct, filepath.Join(dir, "a"))
	link(t, ct, filepath.Join(dir, "b"))
	d := open(t, dir)
	wantProblem(t, d.Problems, "", false, "all 2 DICOM cases have one PatientID: it is taken as that of an anonymiser", "--patient")
	if d.Cases[0].Patient() == d.Cases[1].Patient() || !d.Problems[0].Note {
		t.Error("the cases are kept together, or that is no note")
	}
	d = open(t, unpack(t, "rtstruct.zip"))
	if len(d.Problems) > 0 {
		t.Errorf("two patients: %v", d.Problems)
	}
}
