package source

import (
	"archive/zip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

var ct = filepath.Join("..", "testdata", "ct")

// small unpacks the small files of other programs.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := zip.OpenReader(filepath.Join("..", "testdata", "small.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestKindOf(t *testing.T) {
	dir := small(t)
	series := filepath.Join(dir, "series")
	if err := os.CopyFS(series, os.DirFS(ct)); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(dir, "IM0001") // a DICOM file whose name says nothing
	if err := os.Link(filepath.Join(series, "IM1.dcm"), bare); err != nil {
		t.Fatal(err)
	}
	check := func(want Kind, path ...string) {
		t.Helper()
		if got, err := KindOf(filepath.Join(append([]string{dir}, path...)...)); err != nil || got != want {
			t.Errorf("%v is %d, %v, want %d", path, got, err, want)
		}
	}
	check(Volume, "masks", "a.mha")
	check(Volume, "masks", "uint8.img")
	check(Volume, "index.json")
	check(Picture, "pictures", "grey.jpg")
	check(Segments, "segments", "one.seg.nrrd")
	if err := os.Link(filepath.Join(dir, "segments", "one.seg.nrrd"), filepath.Join(dir, "segments", "one.nrrd")); err != nil {
		t.Fatal(err)
	}
	check(Segments, "segments", "one.nrrd")
	check(Series, "series", "IM1.dcm")
	check(Series, "IM0001")
	check(Series, "series")
	check(Cases, "masks")
	check(Cases, "pictures")
	check(Series) // for the file IM0001 in it
	if err := os.Rename(filepath.Join(dir, "pictures", "grey.png"), filepath.Join(series, "grey.png")); err != nil {
		t.Fatal(err)
	}
	check(Series, "series") // a picture beside the slices is a key image
	if err := os.Rename(filepath.Join(dir, "masks", "a.mha"), filepath.Join(series, "a.mha")); err != nil {
		t.Fatal(err)
	}
	check(Cases, "series")
	if _, err := KindOf(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestOpenAndRead(t *testing.T) {
	image, err := Open(ct, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := image.Read(volume.OnlyChannel)
	if err != nil || image.Series == nil || v.Size != (volume.Size{16, 12, 4}) || image.Size != v.Size || image.Channels != 1 {
		t.Errorf("series of %v, %v", image.Size, err)
	}
	if _, err := image.Read(1); err == nil || !strings.Contains(err.Error(), "there is no channel 1") {
		t.Errorf("channel 1 of a series: %v", err)
	}
	one, _, err := Read(filepath.Join(ct, "IM2.dcm"), "", 0)
	if err != nil || !slices.Equal(one.Data, v.Data) {
		t.Errorf("the series of a file: %v", err)
	}
	_, _, err = Read(filepath.Join(small(t), "channels", "four.nii.gz"), "", volume.OnlyChannel)
	var several *volume.ChoiceError
	if !errors.As(err, &several) || several.Of != "channels" || !slices.Equal(several.Choices, []string{"0", "1", "2"}) {
		t.Errorf("three channels: %v, %+v", err, several)
	}
}

// Two series in a folder are listed by their UIDs, and either can be chosen.
func TestChoiceOfSeries(t *testing.T) {
	dir := t.TempDir()
	const uid, other = "1.2.826.0.1.3680043.8.498.6", "1.2.826.0.1.3680043.8.498.9"
	for _, name := range []string{"IM1.dcm", "IM2.dcm", "IM3.dcm", "IM4.dcm"} {
		data, err := os.ReadFile(filepath.Join(ct, name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), uid, other)
		text = strings.ReplaceAll(text, "1.2.826.0.1.3680043.8.498.7", "1.2.826.0.1.3680043.8.498.2") // SOP instances
		for path, text := range map[string]string{"a" + name: string(data), "b" + name: text} {
			if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := Open(dir, "")
	var several *volume.ChoiceError
	if !errors.As(err, &several) || several.Of != "series" || !slices.Equal(slices.Sorted(slices.Values(several.Choices)), []string{uid, other}) {
		t.Fatalf("two series: %v, %+v", err, several)
	}
	for _, choice := range several.Choices {
		if image, err := Open(dir, choice); err != nil || image.Series.UID != choice || image.Size[2] != 4 {
			t.Errorf("series %s: %v", choice, err)
		}
	}
}

func TestReadSegmentation(t *testing.T) {
	dir := small(t)
	s, _, err := ReadSegmentation(filepath.Join(dir, "segments", "two.seg.nrrd"), nil)
	if err != nil || len(s.Segments) != 3 {
		t.Fatalf("%v", err)
	}
	if _, err := ReadMask(filepath.Join(dir, "segments", "two.seg.nrrd")); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("overlapping segments as a mask: %v", err)
	}
	if m, err := ReadMask(filepath.Join(dir, "masks", "c.nrrd")); err != nil || slices.Max(m.Data) != 2 {
		t.Errorf("a mask: %v", err)
	}
	if _, err := ReadMask(ct); err == nil || !strings.Contains(err.Error(), "not a mask: voxel (0, 0, 0) is -205") {
		t.Errorf("an image as a mask: %v", err)
	}
}
