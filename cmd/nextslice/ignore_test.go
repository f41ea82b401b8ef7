package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/volume"
)

// The reference's rows 4 and 5 hold the value to ignore; what is predicted there counts in nothing.
func TestEvaluateIgnore(t *testing.T) {
	for _, value := range []uint8{2, 255} {
		dir, g := t.TempDir(), ras([3]int{6, 6, 2})
		ref := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
		pred := &volume.Mask{Grid: g, Data: make([]uint8, g.Len())}
		for i := range ref.Data {
			switch row := i / 6 % 6; {
			case row >= 4:
				ref.Data[i], pred.Data[i] = value, uint8(i%2)
			case row < 2:
				ref.Data[i] = 1
			}
			if row := i / 6 % 6; row < 1 {
				pred.Data[i] = 1
			}
		}
		pred.Data[6] = value // background
		refs, preds := filepath.Join(dir, "refs", "labelsTr", "a.nii.gz"), filepath.Join(dir, "preds", "a.nii.gz")
		for _, path := range []string{refs, preds, filepath.Join(dir, "refs", "imagesTr", "a_0000.nii.gz")} {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		for path, m := range map[string]*volume.Mask{refs: ref, preds: pred, filepath.Join(dir, "refs", "imagesTr", "a_0000.nii.gz"): ref} {
			if err := volume.WriteMask(path, m); err != nil {
				t.Fatal(err)
			}
		}
		check := func(args ...string) {
			t.Helper()
			s, notes := evaluated(t, args...)
			if len(s.Classes) != 1 || s.Classes[0].Class != 1 || math.Abs(s.Classes[0].Dice3D.Value-2./3) > 1e-12 || s.Classes[0].Precision.Value != 1 || notes != "" {
				t.Errorf("value %d, %v: %+v, %s", value, args, s.Classes, notes)
			}
		}
		check("--pred", preds, "--ref", refs, "--ignore", map[uint8]string{2: "2", 255: "255"}[value])
		if value == 2 {
			err := os.WriteFile(filepath.Join(dir, "refs", "dataset.json"), []byte(`{"labels": {"background": 0, "gland": 1, "ignore": 2}}`), 0o666)
			if err != nil {
				t.Fatal(err)
			}
			check("--pred", filepath.Dir(preds), "--ref", filepath.Join(dir, "refs"))
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), nil, &out, &errs, []string{"evaluate", "--pred", "x", "--ref", "y", "--ignore", "256"}); code != misuse || !strings.Contains(errs.String(), "want a label value from 1 to 255") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}

// Training and simulation take masks with ignored voxels: slices that are ignored throughout are not in the pool.
func TestTrainAndSimulateIgnore(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	var outs, errs bytes.Buffer
	if err := phantomtest.Write(data, 3, record.PhantomSeed); err != nil {
		t.Fatal(err)
	}
	masks, err := filepath.Glob(filepath.Join(data, "labelsTr", "*"))
	if err != nil || len(masks) != 3 {
		t.Fatalf("masks %v, %v", masks, err)
	}
	slices, inPool := 0, 0 // that are not ignored throughout
	for n, path := range masks {
		m, err := volume.ReadMask(path)
		if err != nil {
			t.Fatal(err)
		}
		area := m.Size[0] * m.Size[1]
		for i := range m.Data {
			if k := i / area; k < 2 || i%m.Size[0] < 5 {
				m.Data[i] = 9
			}
		}
		slices += m.Size[2] - 2
		if n > 0 {
			inPool += m.Size[2] - 2
		}
		if err := volume.WriteMask(path, m); err != nil {
			t.Fatal(err)
		}
	}
	small := []string{"--preset", "demo", "--set", "steps=3", "--set", "width=8"}
	args := append([]string{"train", "--data", data, "--out", filepath.Join(dir, "m.safetensors"), "--ignore", "9"}, small...)
	outs.Reset()
	if code := run(t.Context(), nil, &outs, &errs, args); code != done {
		t.Fatal(errs.String())
	}
	if want := "trained on " + strconv.Itoa(slices) + " slices of 3 cases"; !strings.Contains(outs.String(), want) {
		t.Errorf("got %q, want %q", outs.String(), want)
	}
	config := filepath.Join(dir, "c.yaml")
	text := "data: " + data + "\nignore: 9\nstrategies: [random]\ninitial-sets: 1\ncycles: 1\npreset: demo\ncanvas: [32, 32]\ntrain: {steps: 3, width: 8}\nsplit: {test-cases: [phantom_000], validation: 0}\n"
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "run")
	if code := run(t.Context(), nil, &outs, &errs, []string{"simulate", config, "--out", out}); code != done {
		t.Fatal(errs.String())
	}
	record, err := os.ReadFile(filepath.Join(out, "data.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `"pool_items": ` + strconv.Itoa(inPool) + ","; !strings.Contains(string(record), want) {
		t.Errorf("pool of another size than %s: %s", want, record)
	}
	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	if err != nil || !strings.Contains(string(kept), "ignore: 9") {
		t.Errorf("config.yaml: %s, %v", kept, err)
	}
}
