package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/volume"
)

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	writeText(t, `{"name": "Three", "labels": {"background": 0, "gland": 1, "lesion": 2}}`, dir, "dataset.json")
	writeImage(t, grid(), 100, dir, "a.nii")
	writeMask(t, grid(), []uint8{0, 1, 1, 2, 0}, dir, "labels/final/a.nii")
	writeImage(t, grid(), 0, dir, "b.nii")
	writeMask(t, grid(), nil, dir, "labels/final/b.nii")
	turned := grid()
	turned.Affine[0][0] *= -1
	v := &volume.Volume{Grid: turned, Data: make([]float32, grid().Len()), Stored: "float32"}
	v.Data[5] = float32(math.NaN())
	if err := volume.WriteVolume(filepath.Join(dir, "c.nii"), v); err != nil {
		t.Fatal(err)
	}
	writeMask(t, turned, []uint8{9}, dir, "labels/final/c.nii")
	writeImage(t, grid(), 0, dir, "d.nii")

	d := open(t, dir)
	var seen []string
	r, err := Inspect(t.Context(), d, nil, func(done, total int) {
		if done != len(seen) || total != 4 {
			t.Errorf("progress %d of %d after %v", done, total, seen)
		}
	}, func(c CaseReport) { seen = append(seen, c.ID) })
	if err != nil {
		t.Fatal(err)
	}
	want := CaseReport{
		ID: "a", Size: [3]int{5, 4, 3}, Spacing: [3]float64{0.6, 0.6, 3.6}, Unit: "mm", Orientation: "LPS", Stored: "float32",
		Intensity: &Intensity{Min: 100, Low: 100.59, Median: 129.5, High: 158.41, Max: 159},
		Labels:    []LabelCount{{0, "background", 57}, {1, "gland", 2}, {2, "lesion", 1}},
		Slices:    3, Foreground: 1,
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-4 })
	if diff := cmp.Diff(want, r.Cases[0], near); diff != "" {
		t.Error(diff)
	}
	if want := (Totals{Cases: 4, Labelled: 3, Empty: 1, Slices: 12, LabelledSlices: 9, ForegroundSlices: 2, Unusable: 1}); r.Totals != want {
		t.Errorf("totals %+v, want %+v", r.Totals, want)
	}
	wantProblem(t, r.Problems, "b", false, "no foreground")
	wantProblem(t, r.Problems, "c", false, "1 of 60 voxels")
	wantProblem(t, r.Problems, "c", false, "all voxels of the image are 0")
	wantProblem(t, r.Problems, "c", false, "label value 9")
	wantProblem(t, r.Problems, "c", false, "RPS", "LPS")
	if len(r.Problems) != 5 {
		t.Errorf("problems: %v", r.Problems)
	}

	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("through JSON: %s", diff)
	}

	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	wantText := `Three (layout: MONAI Label)

case       size          spacing  unit  axes     type  min      1%  median     99%  max  slices  foreground  gland  lesion  other
a     5 x 4 x 3  0.6 x 0.6 x 3.6    mm   LPS  float32  100  100.59   129.5  158.41  159       3           1      2       1      0
b     5 x 4 x 3  0.6 x 0.6 x 3.6    mm   LPS  float32    0    0.59    29.5   58.41   59       3           0      0       0      0
c     5 x 4 x 3  0.6 x 0.6 x 3.6    mm   RPS  float32    0       0       0       0    0       3           1      0       0      1
d     5 x 4 x 3  0.6 x 0.6 x 3.6    mm   LPS  float32    0    0.59    29.5   58.41   59       3           -      -       -      -

Slices are cut across k. The column foreground counts those that show some; the columns after it count the voxels of each class.

Problems:
  c: its axes run RPS, those of most cases LPS, so its slices would be mirrored or turned: reorient it
  b: the mask has no foreground
  c: 1 of 60 voxels are NaN or infinite: they count as background
  c: all voxels of the image are 0
  c: label value 9 has no class: the classes are 0 to 2; renumber the mask, or name the value in dataset.json

4 cases, 3 with a mask; 12 slices across k, 2 of the 9 with a mask show foreground; classes: background, gland, lesion; 1 empty mask; 1 case that cannot be used and would be left out; 5 problems.
`
	if diff := cmp.Diff(wantText, text.String()); diff != "" {
		t.Error(diff)
	}
}

// Values are counted as they are in the files, of numbers with gaps and of segments, and each in the column of its class.
func TestInspectValues(t *testing.T) {
	counts := func(dir, id string) (labels []LabelCount, columns string) {
		t.Helper()
		d := open(t, dir)
		r, err := Inspect(t.Context(), d, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if strings.HasPrefix(line, id+" ") {
				fields := strings.Fields(line)
				columns = strings.Join(fields[len(fields)-3:], " ")
			}
		}
		return r.Cases[d.Index(id)].Labels, columns
	}
	for json, classes := range map[string][3]string{
		"": {"value 1", "value 2", "value 4"}, `{"labels": {"background": 0, "necrosis": 1, "oedema": 2, "enhancing": 4}}`: {"necrosis", "oedema", "enhancing"},
	} {
		dir := t.TempDir()
		for _, id := range []string{"a", "b"} {
			writeImage(t, grid(), 0, dir, "images", id+".nii.gz")
		}
		writeMask(t, grid(), []uint8{1, 2, 2, 4, 4, 4}, dir, "labels", "a.nii.gz")
		writeMask(t, grid(), []uint8{4}, dir, "labels", "b.nii.gz")
		if json != "" {
			writeText(t, json, dir, "dataset.json")
		}
		labels, columns := counts(dir, "a")
		if diff := cmp.Diff([]LabelCount{{0, "background", 54}, {1, classes[0], 1}, {2, classes[1], 2}, {4, classes[2], 3}}, labels); diff != "" || columns != "1 2 3" {
			t.Errorf("a: %s %s", columns, diff)
		}
		labels, columns = counts(dir, "b")
		if diff := cmp.Diff([]LabelCount{{0, "background", 59}, {4, classes[2], 1}}, labels); diff != "" || columns != "0 0 1" {
			t.Errorf("b: %s %s", columns, diff)
		}
	}
	dir := t.TempDir()
	named(t, dir, "a", []string{"liver", "spleen", "unsure"}, []uint8{2, 5, 1})
	named(t, dir, "b", []string{"spleen", "Liver"}, []uint8{1, 7})
	labels, columns := counts(dir, "a")
	if diff := cmp.Diff([]LabelCount{{0, "background", 54}, {2, "liver", 1}, {5, "spleen", 2}, {1, "ignore", 3}}, labels); diff != "" || columns != "1 2 3" {
		t.Errorf("segments: %s %s", columns, diff)
	}
	labels, columns = counts(dir, "b")
	if diff := cmp.Diff([]LabelCount{{0, "background", 57}, {7, "liver", 2}, {1, "spleen", 1}}, labels); diff != "" || columns != "2 1 0" {
		t.Errorf("segments: %s %s", columns, diff)
	}
}

func TestInspectOfDamageAfterOpen(t *testing.T) {
	d := threeCases(t)
	writeText(t, "gone", d.Cases[0].Image)
	writeText(t, "gone", d.Cases[0].Label)
	small := grid()
	small.Size[2] = 1
	writeMask(t, small, nil, d.Cases[2].Label)
	r, err := Inspect(t.Context(), d, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, r.Problems, "a", false, "image cannot be read")
	wantProblem(t, r.Problems, "a", false, "mask cannot be read")
	wantProblem(t, r.Problems, "c", false, "5 x 4 x 5", "5 x 4 x 1")
	if err := r.WriteText(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

func TestInspectIsCancelled(t *testing.T) {
	d := threeCases(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := Inspect(ctx, d, nil, nil, func(CaseReport) { n++; cancel() })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("after %d cases: got %v", n, err)
	}
}

// From the generator to the slices: what a first user does.
func TestPhantom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	if err := phantom.Write(t.Context(), dir, 2, 1, nil); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	if d.Layout != Decathlon || d.Name != "Phantom" || strings.Join(d.Classes, " ") != "background prostate" {
		t.Errorf("got %+v", d)
	}
	r, err := Inspect(t.Context(), d, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 || r.Totals.Labelled != 2 || r.Axis != 2 || r.Totals.ForegroundSlices < 15 || r.Totals.Slices-r.Totals.ForegroundSlices < 8 {
		t.Errorf("got %+v, problems %v", r.Totals, r.Problems)
	}
	c := d.Preprocess(-1)
	s, err := Load(t.Context(), d, []int{0, 1}, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Items) != r.Totals.Slices || c.Height != 128 || c.Width != 128 || c.Fit != "pad" || c.Axis != 2 {
		t.Errorf("%d slices of %d, canvas %+v", len(s.Items), r.Totals.Slices, c)
	}
}

func TestInspectRealCases(t *testing.T) {
	d := open(t, shared(t, "promise12"))
	d.Cases = d.Cases[9:12]
	r, err := Inspect(t.Context(), d, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 || r.Totals.Labelled != 3 || r.Totals.Slices != 55 || r.Totals.ForegroundSlices < 20 {
		t.Errorf("%+v, problems %v", r.Totals, r.Problems)
	}
}
