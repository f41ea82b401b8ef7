package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// A model of masks whose label values leave gaps predicts masks of these values, which evaluate compares by value.
func TestPredictWritesLabelValues(t *testing.T) {
	dir := t.TempDir()
	path := func(elements ...string) string { return filepath.Join(append([]string{dir}, elements...)...) }
	do := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, args); code != done {
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
		return out.String() + errs.String()
	}
	if err := phantomtest.Write(path("data"), 3, record.PhantomSeed); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"phantom_000", "phantom_001", "phantom_002"} {
		m, err := volume.ReadMask(path("data", "labelsTr", id+".nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		sum, count := 0, 0
		for n, v := range m.Data {
			if v > 0 {
				sum, count = sum+m.Size.Voxel(n)[1], count+1
			}
		}
		for n, v := range m.Data {
			if v > 0 {
				m.Data[n] = 5 // the upper half, and the lower
				if m.Size.Voxel(n)[1] < sum/count {
					m.Data[n] = 2
				}
			}
		}
		if err := volume.WriteMask(path("data", "labelsTr", id+".nii.gz"), m); err != nil {
			t.Fatal(err)
		}
	}
	text := `{"labels": {"background": 0, "first": 2, "second": 5}}`
	if err := os.WriteFile(path("data", "dataset.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if told := do("train", "--data", path("data"), "--out", path("m.safetensors"), "--preset", "demo"); !strings.Contains(told, "label values with gaps: 2 is class 1 (first), 5 is class 2 (second)") {
		t.Errorf("told: %s", told)
	}
	do("predict", path("m.safetensors"), path("data"), path("masks"))
	m, err := volume.ReadMask(path("masks", "phantom_000.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	values := slices.Compact(slices.Sorted(slices.Values(m.Data)))
	if !slices.Equal(values, []uint8{0, 2, 5}) {
		t.Errorf("the prediction holds %v", values)
	}
	s, notes := evaluated(t, "--pred", path("masks"), "--ref", path("data"))
	if len(s.Classes) != 2 || s.Classes[0].Class != 2 || s.Classes[1].Class != 5 || notes != "" {
		t.Fatalf("classes %+v, told %q", s.Classes, notes)
	}
	for _, c := range s.Classes {
		if !(c.Dice3D.Value > 0.3) {
			t.Errorf("class %d: Dice %v", c.Class, c.Dice3D.Value)
		}
	}
	if told := do("predict", path("m.safetensors"), path("data", "imagesTr", "phantom_000.nii.gz"), path("one.seg.nrrd")); !strings.Contains(told, "voxels of value 5") {
		t.Errorf("told: %s", told)
	}
	seg, err := volume.ReadSegmentation(path("one.seg.nrrd"))
	if err != nil {
		t.Fatal(err)
	}
	if len(seg.Segments) != 2 || seg.Segments[0].Name != "first" || seg.Segments[0].Value != 2 || seg.Segments[1].Name != "second" || seg.Segments[1].Value != 5 ||
		!slices.Equal(seg.Layers[0], m.Data) {
		t.Errorf("segments %+v", seg.Segments)
	}

	config := "data: " + path("data") + "\nstrategies: [random]\ninitial-sets: 1\ninitial-size: 4\ncycles: 0\npreset: demo\ntrain: {steps: 1, width: 4}\n"
	if err := os.WriteFile(path("small.yaml"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	do("simulate", path("small.yaml"), "--out", path("run"))
	var data record.Data
	recorded, err := os.ReadFile(path("run", record.DataFile))
	if err == nil {
		err = json.Unmarshal(recorded, &data)
	}
	if err != nil || !slices.Equal(data.Values, []int{2, 5}) {
		t.Errorf("recorded values %v, %v", data.Values, err)
	}
}
