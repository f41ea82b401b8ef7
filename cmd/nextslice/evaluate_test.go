package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/metrics/compare"
	"github.com/nextslice/nextslice/volume"
)

// writeMask writes a mask of a size with a class in the voxels from low up to and without high.
func writeMask(t *testing.T, path string, g volume.Grid, class uint8, low, high [3]int) string {
	t.Helper()
	m := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
	for k := low[2]; k < high[2]; k++ {
		for j := low[1]; j < high[1]; j++ {
			for i := low[0]; i < high[0]; i++ {
				m.Data[i+g.Size[0]*(j+g.Size[1]*k)] = class
			}
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := volume.WriteMask(path, m); err != nil {
		t.Fatal(err)
	}
	return path
}

// ras is a grid of 0.8 x 0.9 x 3 mm whose axes run to the right, the front and the head.
func ras(size [3]int) volume.Grid {
	return volume.Grid{Size: size, Unit: volume.Millimetre, Affine: [3][4]float64{{0.8, 0, 0, -10}, {0, 0.9, 0, -20}, {0, 0, 3, 30}}}
}

// evaluated runs evaluate --json and returns the summary and what was printed beside it.
func evaluated(t *testing.T, args ...string) (s metrics.Summary, notes string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, append([]string{"evaluate", "--json"}, args...)); code != done {
		t.Fatalf("evaluate %v: exit code %d: %s", args, code, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s, errs.String()
}

func refusal(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, append([]string{"evaluate", "--json"}, args...)); code != failed || out.Len() > 0 {
		t.Errorf("evaluate %v: exit code %d, output %q, want a refusal", args, code, out.String())
	}
	if strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("evaluate %v: %q, want one line", args, errs.String())
	}
	return errs.String()
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

// The same mask in the same place, stored along other axes, cropped, or in part beside the reference.
func TestEvaluateInSpace(t *testing.T) {
	dir := t.TempDir()
	low, high := [3]int{5, 6, 2}, [3]int{15, 12, 6}
	g := ras([3]int{30, 28, 12})
	ref := writeMask(t, filepath.Join(dir, "ref.nii.gz"), g, 1, low, high)

	for name, order := range map[string][3]int{"same": {0, 1, 2}, "turned": {2, 0, 1}} {
		for _, back := range [][3]bool{{}, {true, true, false}, {true, true, true}} {
			for _, crop := range []bool{false, true} {
				// Axis a of the stored mask is axis order[a] of the reference, from its far end where back[a].
				first, last := [3]int{}, g.Size
				if crop {
					first, last = [3]int{4, 6, 1}, [3]int{16, 13, 7}
				}
				h := volume.Grid{Unit: volume.Millimetre}
				var from, to [3]int
				origin := first
				for a, b := range order {
					h.Size[a] = last[b] - first[b]
					from[a], to[a] = low[b]-first[b], high[b]-first[b]
					sign := 1.0
					if back[a] {
						sign, origin[b] = -1, last[b]-1
						from[a], to[a] = last[b]-high[b], last[b]-low[b]
					}
					for r := range 3 {
						h.Affine[r][a] = sign * g.Affine[r][b]
					}
				}
				w := g.World(float64(origin[0]), float64(origin[1]), float64(origin[2]))
				for r := range 3 {
					h.Affine[r][3] = w[r]
				}
				for _, ext := range []string{".nii.gz", ".nrrd", ".mha"} {
					pred := writeMask(t, filepath.Join(dir, "pred"+ext), h, 1, from, to)
					for _, pair := range [][2]string{{pred, ref}, {ref, pred}} {
						s, notes := evaluated(t, "--pred", pair[0], "--ref", pair[1])
						c := s.Classes[0]
						if c.Dice3D.Value != 1 || c.HD95.Value != 0 || c.NSD.Value != 1 || c.Lesions.F1.Value != 1 || notes != "" {
							t.Errorf("%s, back %v, cropped %v, %s: %+v %s", name, back, crop, ext, c, notes)
						}
					}
				}
			}
		}
	}

	// Part of the prediction lies outside the reference's grid: it counts as false.
	beside := ras([3]int{30, 28, 12})
	w := g.World(10, 0, 0)
	beside.Affine[0][3] = w[0]
	pred := writeMask(t, filepath.Join(dir, "beside.nii.gz"), beside, 1, [3]int{0, 6, 2}, [3]int{30, 12, 6})
	s, _ := evaluated(t, "--pred", pred, "--ref", ref)
	if got := s.Classes[0]; !near(got.Precision.Value, 5/30.0) || !near(got.Recall.Value, 0.5) || s.Classes[0].Dice2D.N != 4 {
		t.Errorf("beside the reference: %+v", got)
	}
}

func TestEvaluateRefusesOtherVoxels(t *testing.T) {
	dir := t.TempDir()
	g := ras([3]int{12, 10, 6})
	ref := writeMask(t, filepath.Join(dir, "ref.nii.gz"), g, 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	half, wide, far, oblique := g, g, g, g
	half.Affine[0][3] += 0.4
	wide.Affine[2][2] = 2.5
	far.Affine[1][3] += 9 * 10
	oblique.Affine[0][1], oblique.Affine[1][0] = -0.2, 0.2
	for name, c := range map[string]struct {
		g    volume.Grid
		want string
	}{
		"half":    {half, "do not coincide"},
		"wide":    {wide, "do not coincide"},
		"far":     {far, "no voxel in common"},
		"oblique": {oblique, "do not coincide"},
	} {
		pred := writeMask(t, filepath.Join(dir, name+".nii.gz"), c.g, 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
		if text := refusal(t, "--pred", pred, "--ref", ref); !strings.Contains(text, c.want) || !strings.Contains(text, "--by-index") {
			t.Errorf("%s: %q, want %q and what to do", name, text, c.want)
		}
		if s, _ := evaluated(t, "--pred", pred, "--ref", ref, "--by-index"); s.Classes[0].Dice3D.Value != 1 {
			t.Errorf("%s by index: %+v", name, s.Classes[0])
		}
	}
	small := writeMask(t, filepath.Join(dir, "small.nii.gz"), ras([3]int{12, 10, 5}), 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	if text := refusal(t, "--pred", small, "--ref", ref, "--by-index"); !strings.Contains(text, "12 x 10 x 5") {
		t.Errorf("by index: %q", text)
	}
}

// A case that cannot be compared does not stop the others: it is listed, and the exit code says so.
func TestEvaluateLeavesOutBadCases(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		low := [3]int{2, 2, 2}
		writeMask(t, filepath.Join(dir, "ref", id+".nii.gz"), ras([3]int{12, 10, 6}), 1, low, [3]int{6, 6, 4})
		if id != "c" {
			writeMask(t, filepath.Join(dir, "pred", id+".nii.gz"), ras([3]int{12, 10, 6}), 1, low, [3]int{6, 6, 4})
		}
	}
	writeMask(t, filepath.Join(dir, "pred", "d.nii.gz"), ras([3]int{12, 10, 5}), 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	other := ras([3]int{12, 10, 6})
	other.Affine[0][3] += 0.4
	writeMask(t, filepath.Join(dir, "pred", "e.nii.gz"), other, 1, [3]int{2, 2, 2}, [3]int{6, 6, 4})
	if err := os.WriteFile(filepath.Join(dir, "pred", "b.nii.gz"), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	evaluate := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := run(t.Context(), nil, &out, &errs, append([]string{"evaluate", "--pred", filepath.Join(dir, "pred"), "--ref", filepath.Join(dir, "ref")}, args...))
		return code, out.String(), errs.String()
	}
	code, text, errs := evaluate("--json")
	var s compare.Evaluation
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range s.LeftOut {
		ids = append(ids, p.Case)
	}
	if code != failed || s.Cases != 2 || s.Mean.Dice3D.Value != 1 || strings.Join(ids, "") != "cbe" {
		t.Errorf("exit code %d, %d cases, left out %v", code, s.Cases, s.LeftOut)
	}
	for _, want := range []string{"b: read ", "b.nii.gz", "c: ", "holds no prediction of it (left out)", "e: ", "do not coincide", "left out: 3 of 5 cases: the means are those of 2"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not in: %s", want, errs)
		}
	}
	code, text, _ = evaluate("--by-index")
	if code != failed || !strings.Contains(text, "e      class 1   1.000") || strings.Contains(text, "d      class 1") {
		t.Errorf("by index: exit code %d, %s", code, text)
	}
	for _, id := range []string{"a", "d", "e"} {
		os.Remove(filepath.Join(dir, "pred", id+".nii.gz"))
	}
	if code, text, errs := evaluate(); code != failed || text != "" || !strings.Contains(errs, "no case of 5 can be compared") {
		t.Errorf("no case: exit code %d, %s%s", code, text, errs)
	}
}

// Classes that dataset.json does not list as annotated in a case have no measure there.
func TestEvaluateUnannotated(t *testing.T) {
	dir := t.TempDir()
	g := ras([3]int{12, 10, 6})
	for _, id := range []string{"a", "b"} {
		writeMask(t, filepath.Join(dir, "data", "imagesTr", id+".nii.gz"), g, 9, [3]int{}, g.Size)
		pred := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
		pred.Data[5], pred.Data[6] = 1, 4
		if err := os.MkdirAll(filepath.Join(dir, "pred"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := volume.WriteMask(filepath.Join(dir, "pred", id+".nii.gz"), pred); err != nil {
			t.Fatal(err)
		}
		if id == "b" { // the kidney, 4, was not looked for
			pred.Data[6] = 0
		}
		if err := os.MkdirAll(filepath.Join(dir, "data", "labelsTr"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := volume.WriteMask(filepath.Join(dir, "data", "labelsTr", id+".nii.gz"), pred); err != nil {
			t.Fatal(err)
		}
	}
	text := `{"labels": {"background": 0, "liver": 1, "kidney": 4}, "annotated": {"b": ["liver"]}}`
	if err := os.WriteFile(filepath.Join(dir, "data", "dataset.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, _ := evaluated(t, "--pred", filepath.Join(dir, "pred"), "--ref", filepath.Join(dir, "data"))
	if kidney := s.Classes[1]; kidney.Class != 4 || kidney.Dice3D.Value != 1 || kidney.Dice3D.N != 1 || kidney.Dice3D.Undefined != 1 {
		t.Errorf("kidney %+v", kidney)
	}
	if liver := s.Classes[0]; liver.Dice3D.Value != 1 || liver.Dice3D.N != 2 {
		t.Errorf("liver %+v", liver)
	}
}

// A segment called unsure in a reference counts in no measure, and in a prediction it is background.
func TestEvaluateIgnoreByName(t *testing.T) {
	dir := t.TempDir()
	for _, extra := range [][]string{nil, {"--ignore", "7"}} {
		for name, data := range map[string][]uint8{"ref": {1, 1, 2, 0}, "pred": {1, 1, 1, 2}} {
			g := ras([3]int{4, 1, 1})
			s := &volume.Segmentation{Grid: g, Layers: [][]uint8{data}, Segments: []volume.Segment{{Name: "gland", Value: 1}, {Name: "Unsure", Value: 2}}}
			if err := volume.WriteSegmentation(filepath.Join(dir, name+".seg.nrrd"), s); err != nil {
				t.Fatal(err)
			}
		}
		s, _ := evaluated(t, append([]string{"--pred", filepath.Join(dir, "pred.seg.nrrd"), "--ref", filepath.Join(dir, "ref.seg.nrrd")}, extra...)...)
		if len(s.Classes) != 1 || s.Classes[0].Dice3D.Value != 1 {
			t.Errorf("%v: %+v", extra, s.Classes)
		}
	}
}

// writeSquare writes a picture of 64 x 64 pixels with a square of 32 x 32.
func writeSquare(t *testing.T, path string, row int, value uint8) string {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 64, 64))
	for y := row; y < row+32; y++ {
		for x := 16; x < 48; x++ {
			p.SetGray(x, y, color.Gray{Y: value})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, p); err != nil {
		t.Fatal(err)
	}
	return path
}

// Pictures with 0 and 255, alone and against a mask with 1: one class, measured in the plane.
func TestEvaluatePictures(t *testing.T) {
	dir := t.TempDir()
	white := writeSquare(t, filepath.Join(dir, "white.png"), 16, 255)
	shifted := writeSquare(t, filepath.Join(dir, "shifted.png"), 22, 255)
	slice := ras([3]int{64, 64, 1})
	one := writeMask(t, filepath.Join(dir, "one.nii.gz"), slice, 1, [3]int{16, 16, 0}, [3]int{48, 48, 1})

	s, notes := evaluated(t, "--pred", shifted, "--ref", white)
	if len(s.Classes) != 1 || s.Classes[0].Class != 255 || s.Unit != "voxel" || notes != "" {
		t.Fatalf("%+v %s", s, notes)
	}
	if c := s.Classes[0]; c.HD95.Value != 6 || !near(c.ASSD.Value, 3) || s.PerCase[0].Classes[0].Class != 255 {
		t.Errorf("got HD95 %v and ASSD %v, want 6 and 3", c.HD95, c.ASSD)
	}
	for _, pair := range []struct {
		pred, ref, note string
		class           int
	}{
		{white, one, "label values 255 of the predictions stand for 1 of the references", 1},
		{one, white, "label values 1 of the predictions stand for 255 of the references", 255},
	} {
		s, notes := evaluated(t, "--pred", pair.pred, "--ref", pair.ref)
		if len(s.Classes) != 1 || s.Classes[0].Dice3D.Value != 1 || s.Classes[0].Class != pair.class || s.Unit != "mm" {
			t.Errorf("%s: %+v", pair.note, s.Classes)
		}
		if !strings.Contains(notes, pair.note) || !strings.Contains(notes, "only one of them has a place in space") {
			t.Errorf("noted %q, want %q", notes, pair.note)
		}
	}
}

// Labels off by what scaled integers leave are read, counted, and refused when further off.
func TestEvaluateRoundedLabels(t *testing.T) {
	dir := t.TempDir()
	g := ras([3]int{4, 4, 2})
	ref := writeMask(t, filepath.Join(dir, "ref.nii.gz"), g, 26, [3]int{0, 0, 0}, [3]int{2, 2, 2})
	labels := func(name string, off float32) string {
		v := &volume.Volume{Grid: g, Data: make([]float32, g.Len())}
		for k := range 2 {
			for _, x := range []int{0, 1, 4, 5} {
				v.Data[x+16*k] = 26 + off
			}
		}
		path := filepath.Join(dir, name)
		if err := volume.WriteVolume(path, v); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s, notes := evaluated(t, "--pred", labels("near.nii", -0.0002), "--ref", ref)
	if len(s.Classes) != 1 || s.Classes[0].Class != 26 || s.Classes[0].Dice3D.Value != 1 {
		t.Errorf("%+v", s.Classes)
	}
	if !strings.Contains(notes, "near.nii: the values of 8 voxels are not whole numbers") {
		t.Errorf("noted %q", notes)
	}
	if text := refusal(t, "--pred", labels("far.nii", 0.02), "--ref", ref); !strings.Contains(text, "is not a whole number") {
		t.Errorf("%q", text)
	}
}

// A prediction finds its reference in folders of all layouts, under the names that people give to masks.
func TestEvaluateFindsReferences(t *testing.T) {
	g := ras([3]int{8, 8, 4})
	write := func(dir string, low int, names ...string) {
		for _, name := range names {
			writeMask(t, filepath.Join(dir, filepath.FromSlash(name)), g, 1, [3]int{low, 2, 1}, [3]int{low + 3, 5, 3})
		}
	}
	for name, c := range map[string]struct{ images, masks, preds []string }{
		"PROMISE12":         {[]string{"Case00.mha"}, []string{"Case00_segmentation.mha"}, []string{"Case00.nii.gz"}},
		"_seg":              {[]string{"Case00.nii.gz"}, []string{"Case00_seg.nii.gz"}, []string{"Case00.nii.gz"}},
		"-label":            {[]string{"Case00.nrrd"}, []string{"Case00-label.nrrd"}, []string{"Case00.seg.nrrd"}},
		"masks only, _gt":   {nil, []string{"Case00_gt.nii.gz"}, []string{"Case00.nii.gz"}},
		"prediction marked": {nil, []string{"Case00.nii.gz"}, []string{"Case00_Mask.nii.gz"}},
		"3D Slicer":         {[]string{"Case00.nrrd"}, []string{"Case00.seg.nrrd"}, []string{"Case00.nii.gz"}},
		"images and labels": {[]string{"images/Case00.nii.gz"}, []string{"labels/Case00.nii.gz"}, []string{"Case00.mha"}},
		"nnU-Net":           {[]string{"imagesTr/Case00_0000.nii.gz"}, []string{"labelsTr/Case00.nii.gz"}, []string{"Case00.nii.gz"}},
		"MONAI Label":       {[]string{"Case00.nii.gz"}, []string{"labels/final/Case00.nii.gz"}, []string{"Case00.nii.gz"}},
		"with others":       {[]string{"Case00.nii.gz"}, []string{"Case00_seg.nii.gz"}, []string{"Case00.nii.gz", "Case01.nii.gz"}},
	} {
		ref, preds := t.TempDir(), t.TempDir()
		write(ref, 0, c.images...) // another mask: it must not be what is compared
		write(ref, 4, c.masks...)
		write(preds, 4, c.preds...)
		s, notes := evaluated(t, "--pred", preds, "--ref", ref)
		if len(s.PerCase) != 1 || s.PerCase[0].ID != "Case00" || s.Classes[0].Dice3D.Value != 1 {
			t.Errorf("%s: %+v", name, s)
		}
		if strings.Contains(notes, "1 masks have no reference") != (len(c.preds) > 1) {
			t.Errorf("%s: noted %q", name, notes)
		}
		if s, _ := evaluated(t, "--pred", filepath.Join(preds, c.preds[0]), "--ref", ref); s.Classes[0].Dice3D.Value != 1 {
			t.Errorf("%s, one file: %+v", name, s)
		}
	}
	ref, preds := t.TempDir(), t.TempDir()
	write(ref, 4, "a_seg.nii.gz", "a_gt.nii.gz")
	write(preds, 4, "a.nii.gz")
	if text := refusal(t, "--pred", preds, "--ref", ref); !strings.Contains(text, "two masks of a: a_gt.nii.gz and a_seg.nii.gz") {
		t.Errorf("%q", text)
	}
	if text := refusal(t, "--pred", filepath.Join(preds, "a.nii.gz"), "--ref", preds+"/../none"); !strings.Contains(text, "no such file") {
		t.Errorf("%q", text)
	}
	other := t.TempDir()
	write(other, 4, "b.nii.gz")
	if text := refusal(t, "--pred", filepath.Join(preds, "a.nii.gz"), "--ref", other); !strings.Contains(text, "holds no reference named a") {
		t.Errorf("%q", text)
	}
}

// Names of segments decide what is compared, not their numbers; a name that the references do not have is a fault.
func TestEvaluateByName(t *testing.T) {
	dir := t.TempDir()
	write := func(path string, data []uint8, names ...string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		g := ras([3]int{len(data), 1, 1})
		if len(names) == 0 {
			if err := volume.WriteMask(path, &volume.Mask{Grid: g, Data: data}); err != nil {
				t.Fatal(err)
			}
			return
		}
		s := &volume.Segmentation{Grid: g, Layers: [][]uint8{data}}
		for n, name := range names {
			s.Segments = append(s.Segments, volume.Segment{Name: name, Value: uint8(n + 1)})
		}
		if err := volume.WriteSegmentation(path, s); err != nil {
			t.Fatal(err)
		}
	}
	straight, turned := []uint8{1, 1, 1, 2, 0}, []uint8{2, 2, 2, 1, 0}
	write("ref/a.seg.nrrd", straight, "gland", "tumour")
	write("ref/b.seg.nrrd", turned, "Tumour ", "gland")
	write("named/a.seg.nrrd", turned, "tumour", "GLAND")
	write("named/b.seg.nrrd", straight, "gland", "tumour")
	write("numbers/a.nii.gz", straight)
	write("numbers/b.nii.gz", straight)
	write("nameless/a.seg.nrrd", straight, "Segment_1", "Segment 2")
	write("nameless/b.seg.nrrd", straight, "class 1", "class 2")
	for _, preds := range []string{"named", "numbers", "nameless"} {
		s, notes := evaluated(t, "--pred", filepath.Join(dir, preds), "--ref", filepath.Join(dir, "ref"))
		if len(s.Classes) != 2 || s.Classes[0].Dice3D.Value != 1 || s.Classes[1].Dice3D.Value != 1 {
			t.Errorf("%s: %+v", preds, s.Classes)
		}
		if told := strings.Contains(notes, "number their segments differently: in masks of numbers 1, 2 … are taken as gland, tumour"); told != (preds != "named") { // segments without a name are numbers
			t.Errorf("%s: told %q", preds, notes)
		}
	}
	// dataset.json says what numbers mean, here the other way round; also for references of numbers.
	if err := os.WriteFile(filepath.Join(dir, "set.json"), []byte(`{"labels": {"background": 0, "tumour": 1, "gland": 2}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, mask := range map[string][]uint8{"a": turned, "b": turned} {
		write("set/images/"+name+".nii.gz", make([]uint8, 5))
		write("set/labels/"+name+".nii.gz", mask)
	}
	if err := os.Rename(filepath.Join(dir, "set.json"), filepath.Join(dir, "set", "dataset.json")); err != nil {
		t.Fatal(err)
	}
	s, _ := evaluated(t, "--pred", filepath.Join(dir, "named"), "--ref", filepath.Join(dir, "set"))
	if len(s.Classes) != 2 || s.Classes[0].Dice3D.Value != 1 || s.Classes[1].Dice3D.Value != 1 {
		t.Errorf("references of numbers: %+v", s.Classes)
	}
	for want, names := range map[string][]string{`segment "cyst" is none of the references' classes (gland, tumour)`: {"gland", "cyst"}, `"gland" and "Gland" are one class`: {"gland", "Gland"}} {
		write("other/a.seg.nrrd", straight, names...)
		var out, errs bytes.Buffer
		code := run(t.Context(), nil, &out, &errs, []string{"evaluate", "--pred", filepath.Join(dir, "other", "a.seg.nrrd"), "--ref", filepath.Join(dir, "ref", "a.seg.nrrd")})
		if code != failed || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: code %d, %s", names, code, errs.String())
		}
	}
}
