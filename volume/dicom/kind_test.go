package dicom

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"
)

func TestKindOf(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		class string
		want  Kind
	}{
		"image.dcm":    {"1.2.840.10008.5.1.4.1.1.2", Image},
		"seg.dcm":      {segClass, Segmentation},
		"map.dcm":      {labelMapClass, Segmentation},
		"contours.dcm": {structureSetClass, Contours},
	} {
		path := putFile(t, dir, name, plane(1, [3]float64{}, values{tag.SOPClassUID: []string{test.class}}))
		if got, err := KindOf(path); err != nil || got != test.want {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, test.want)
		}
	}
	_, err := KindOf(filepath.Join(dir, "none.dcm"))
	wantError(t, "missing file", err, "none.dcm")

	if err := os.Mkdir(filepath.Join(dir, "folder.dcm"), 0o755); err != nil {
		t.Fatal(err)
	}
	if IsFile(filepath.Join(dir, "folder.dcm")) || !IsFile(filepath.Join(dir, "seg.dcm")) {
		t.Error("IsFile takes a folder for a file, or a file for none")
	}
}

func TestFindByUID(t *testing.T) {
	dir := t.TempDir()
	for number := range 2 {
		at := [3]float64{0, 0, float64(number)}
		putFile(t, dir, "a"+string(rune('0'+number)), plane(number, at, values{tag.SeriesInstanceUID: []string{"1.2.3"}}))
		putFile(t, dir, "b"+string(rune('0'+number)), plane(10+number, at, values{tag.SeriesInstanceUID: []string{"1.2.4"}}))
	}
	_, _, err := Find(dir, "")
	wantError(t, "two series", err, "2 series, choose one: CT")
	_, _, err = Find(dir, "1.2.5")
	wantError(t, "unknown series", err, "no series 1.2.5; there are CT")
	for path, uid := range map[string]string{dir: "1.2.4", filepath.Join(dir, "b0"): ""} {
		s, _, err := Find(path, uid)
		if err != nil {
			t.Fatal(err)
		}
		if s.UID != "1.2.4" || len(s.Files()) != 2 {
			t.Errorf("%s: got %v of %v", path, s, s.Files())
		}
	}
}
