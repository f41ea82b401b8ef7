package dataset

import (
	"archive/zip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Data sets that nibabel, SimpleITK, pynrrd and Pillow wrote, against what numpy finds in them
// (internal/bench/volume_layouts.py).
func TestDataSetsOfOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	files, err := zip.OpenReader("testdata/layouts.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct {
		Folder, Layout string
		Classes        []string
		Cases          map[string]struct {
			Size       [3]int
			Range      [5]float64 // least, percentiles 1, 50, 99, greatest
			Voxels     []int      // of each class; nil without a mask
			Foreground int        // slices
		}
	}
	if err := json.Unmarshal(text, &index); err != nil || len(index) != 7 {
		t.Fatal(len(index), err)
	}
	for _, want := range index {
		if want.Layout == Slicer {
			want.Classes = []string{"background", "gland", "lesion"} // as its segments are called
		}
		d := open(t, filepath.Join(dir, want.Folder))
		r, err := Inspect(t.Context(), d, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.Layout != want.Layout || !slices.Equal(d.Classes, want.Classes) || len(r.Cases) != len(want.Cases) || len(r.Problems) > 0 {
			t.Errorf("%s: layout %s, classes %q, %d cases, problems %v; want %s, %q, %d",
				want.Folder, d.Layout, d.Classes, len(r.Cases), r.Problems, want.Layout, want.Classes, len(want.Cases))
		}
		for _, c := range r.Cases {
			w, ok := want.Cases[c.ID]
			if !ok || c.Size != w.Size || c.Foreground != w.Foreground || (c.Labels != nil) != (w.Voxels != nil) {
				t.Errorf("%s: case %+v, want %+v", want.Folder, c, w)
				continue
			}
			if got := (3 - c.Spacing[2]); want.Folder != "pictures" && (math.Abs(got) > 1e-6 || c.Unit != "mm" || c.Orientation != "LPS" && c.Orientation != "LAS") {
				t.Errorf("%s: case %s: spacing %v %s, axes %s", want.Folder, c.ID, c.Spacing, c.Unit, c.Orientation)
			}
			i := c.Intensity
			for n, got := range []float64{i.Min, i.Low, i.Median, i.High, i.Max} {
				if math.Abs(got-w.Range[n]) > 1e-4 {
					t.Errorf("%s: case %s: intensities %+v, want %v", want.Folder, c.ID, *i, w.Range)
					break
				}
			}
			for _, l := range c.Labels {
				if class := slices.Index(want.Classes, l.Class); class < 0 || l.Voxels != w.Voxels[class] || want.Folder != "pictures" && l.Value != class {
					t.Errorf("%s: case %s: %+v, want %v", want.Folder, c.ID, l, w.Voxels)
				}
			}
		}
	}
}
