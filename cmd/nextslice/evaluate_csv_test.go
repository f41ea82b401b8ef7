package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/volume"
)

// CSV says what makes its numbers weak, as JSON does: how many values are behind a mean, which are undefined, which distances stand for an empty mask, the unit of
// each case, the tolerances, and what two empty masks count.
func TestEvaluateCSVCounts(t *testing.T) {
	dir := t.TempDir()
	size := [3]int{12, 10, 6}
	voxels := volume.Grid{Size: size, Unit: volume.Voxel, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	for name, c := range map[string]struct {
		g         volume.Grid
		pred, ref uint8 // 0 is an empty mask
	}{"a.nrrd": {ras(size), 1, 1}, "b.nrrd": {ras(size), 0, 1}, "c.nrrd": {ras(size), 0, 0}, "d.nrrd": {voxels, 1, 1}} {
		writeMask(t, filepath.Join(dir, "pred", name), c.g, c.pred, [3]int{2, 2, 2}, [3]int{6, 6, 4})
		writeMask(t, filepath.Join(dir, "ref", name), c.g, c.ref, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	}
	evaluate := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		args = append([]string{"evaluate", "--pred", filepath.Join(dir, "pred"), "--ref", filepath.Join(dir, "ref"), "--nsd-tolerance", "1.5", "--lesion-overlap", "0.25"}, args...)
		if code := run(t.Context(), nil, &out, &errs, args); code != done {
			t.Fatal(code, errs.String())
		}
		return out.String()
	}
	rows, err := csv.NewReader(strings.NewReader(evaluate("--csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const last = "lesion_f1" // of the older columns, which stand where they stood
	added := 0
	for i, name := range rows[0] {
		if name == last {
			added = i + 1
		}
	}
	var got [][]string
	for _, row := range rows {
		got = append(got, append([]string{row[0], row[3]}, row[added:]...))
	}
	// Of 6 slices of a case 2 hold the class in a mask. b has no prediction, c is empty on both sides.
	want := [][]string{
		{"case", "unit", "dice_3d_n", "dice_3d_undefined", "dice_2d_n", "dice_2d_undefined", "distance_n", "distance_undefined", "distance_flagged", "nsd_n", "nsd_undefined", "precision_n", "precision_undefined",
			"recall_n", "recall_undefined", "volume_difference_n", "volume_difference_undefined", "relative_volume_difference_n", "relative_volume_difference_undefined", "lesion_f1_n",
			"nsd_tolerance", "lesion_overlap", "empty"},
		{"a", "mm", "1", "0", "2", "4", "1", "0", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "2", "1.5", "0.25", "undefined"},
		{"b", "mm", "1", "0", "2", "4", "1", "0", "1", "1", "0", "0", "1", "1", "0", "1", "0", "1", "0", "1", "1.5", "0.25", "undefined"},
		{"c", "mm", "0", "1", "0", "6", "0", "1", "0", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1.5", "0.25", "undefined"},
		{"d", "voxel", "1", "0", "2", "4", "1", "0", "0", "1", "0", "1", "0", "1", "0", "1", "0", "1", "0", "2", "1.5", "0.25", "undefined"},
		{"mean", "mixed", "3", "1", "6", "18", "3", "1", "1", "3", "1", "2", "2", "3", "1", "3", "1", "3", "1", "5", "1.5", "0.25", "undefined"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := evaluate()
	for _, line := range []string{"case   class     unit    dice_3d", "b      class 1   mm      0.000", "d      class 1   voxel   1.000", "mean   class 1   mixed   0.667"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in\n%s", line, text)
		}
	}
	var s struct {
		Empty      string
		Tolerances struct {
			NSD           float64
			LesionOverlap float64 `json:"lesion_overlap"`
		}
	}
	if err := json.Unmarshal([]byte(evaluate("--json", "--empty", "one")), &s); err != nil || s.Empty != "one" || s.Tolerances.NSD != 1.5 || s.Tolerances.LesionOverlap != 0.25 {
		t.Errorf("%+v, %v", s, err)
	}
}
