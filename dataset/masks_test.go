package dataset

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMasks(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  []string // IDs
	}{
		"PROMISE12":         {[]string{"Case00.mhd", "Case00_segmentation.mhd", "Case01.mhd"}, []string{"Case00"}},
		"images and labels": {[]string{"images/a.nii", "labels/a.nii", "images/b.nii"}, []string{"a"}},
		"nnU-Net":           {[]string{"imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz"}, []string{"a"}},
		"3D Slicer":         {[]string{"a.nrrd", "a.seg.nrrd"}, []string{"a"}},
		"masks only":        {[]string{"a.nii.gz", "b.nii.gz"}, nil},
	} {
		dir := t.TempDir()
		for _, f := range c.files {
			path := filepath.Join(dir, filepath.FromSlash(f))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o666); err != nil { // names are enough
				t.Fatal(err)
			}
		}
		got, err := Masks(dir)
		if err != nil || !slices.Equal(slices.Sorted(maps.Keys(got)), c.want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
	}
	if _, err := Masks(t.TempDir()); err == nil {
		t.Error("an empty folder is no data set")
	}
}

func TestCaseOf(t *testing.T) {
	for name, want := range map[string]string{
		"Case00_segmentation": "Case00", "a-label": "a", "a_Mask": "a", "a-seg": "a", "a_b_GT": "a_b",
		"a": "a", "_seg": "_seg", "segment": "segment", "a_seg_2": "a_seg_2", "benign": "benign",
	} {
		if got, marked := CaseOf(name); got != want || marked != (name != want) {
			t.Errorf("%s: got %s, %v, want %s", name, got, marked, want)
		}
	}
}
