package model

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/volume"
)

func grid() volume.Grid {
	return volume.Grid{Size: [3]int{14, 12, 3}, Unit: volume.Millimetre, Affine: [3][4]float64{{-1, 0, 0.1, 5}, {0, -1.5, 0, 6}, {0.1, 0, 3, 7}}}
}

// untrained is a model with random weights: what is tested here does not depend on what it has learned.
func untrained(t *testing.T) *Model {
	t.Helper()
	e := ref.New(1)
	t.Cleanup(func() { e.Close() })
	net := unet.New(e, unet.Config{Classes: 3, Width: 2}, random.Stream(1, "init"))
	for _, p := range net.Params().List { // large enough for every class to win somewhere
		x, rng := p.Export(), random.Stream(1, p.Name)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		p.Import(x)
	}
	net.Params().Changed()
	return &Model{
		Net: net,
		Info: Info{
			Preprocess:  preprocess.Config{Axis: 2, Height: 16, Width: 16, Fit: preprocess.Pad, ClipLow: 1, ClipHigh: 99},
			Classes:     []string{"background", "head", "body"},
			Orientation: "LPS", Spacing: [3]float64{1, 1.5, 3}, Preset: "quick", Cases: 4, Slices: 12,
		},
	}
}

func image() *volume.Volume {
	v := &volume.Volume{Grid: grid(), Stored: "int16"}
	rng := random.Stream(2, "image")
	for range v.Len() {
		v.Data = append(v.Data, float32(rng.IntN(1000)))
	}
	return v
}

func segment(t *testing.T, m *Model, v *volume.Volume) *Prediction {
	t.Helper()
	p, err := m.Segment(t.Context(), []*volume.Volume{v}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSaveAndLoad(t *testing.T) {
	m := untrained(t)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	e := ref.New(1)
	defer e.Close()
	got, err := Load(e, path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Info, got.Info); diff != "" {
		t.Errorf("(-saved +loaded):\n%s", diff)
	}
	want, have := segment(t, m, image()), segment(t, got, image())
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("the loaded model predicts otherwise:\n%s", diff)
	}
	if _, err := unet.Load(e, path); err != nil {
		t.Errorf("as a network: %v", err)
	}

	bare := filepath.Join(t.TempDir(), "bare.safetensors")
	if err := m.Net.Save(bare); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(e, bare); err == nil || !strings.Contains(err.Error(), "does not say how its network was trained") {
		t.Errorf("a network alone: %v", err)
	}
}

func TestLoadRefusals(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	for want, metadata := range map[string]string{
		"unexpected EOF":     `{`,
		"unknown field":      `{"colour": 1}`,
		"canvas":             `{"preprocess": {"axis": 2, "height": 16, "width": 99999, "fit": "pad", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b", "c"]}`,
		"fit":                `{"preprocess": {"axis": 2, "height": 16, "width": 16, "fit": "x", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b", "c"]}`,
		"2 class names for":  `{"preprocess": {"axis": 2, "height": 16, "width": 16, "fit": "pad", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b"]}`,
		`orientation "LLS"`:  `{"preprocess": {"axis": 2, "height": 16, "width": 16, "fit": "pad", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b", "c"], "orientation": "LLS"}`,
		"label values [4 2]": `{"preprocess": {"axis": 2, "height": 16, "width": 16, "fit": "pad", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b", "c"], "values": [4, 2]}`,
		"label values [1]":   `{"preprocess": {"axis": 2, "height": 16, "width": 16, "fit": "pad", "clip-low": 1, "clip-high": 99}, "classes": ["a", "b", "c"], "values": [1]}`,
		"wide.safetensors: ": `{}`,
	} {
		f := untrained(t).Net.File()
		f.Metadata[key] = metadata
		path := filepath.Join(t.TempDir(), "wide.safetensors")
		if err := safetensors.Write(path, f); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(e, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Whichever way the axes of an image run, each place in the patient gets the same class and the same uncertainty.
func TestSegmentInAnyOrientation(t *testing.T) {
	m, v := untrained(t), image()
	want := segment(t, m, v)
	if want.Mask.Grid != v.Grid || want.Uncertainty.Grid != v.Grid || len(want.Warnings) > 0 {
		t.Fatalf("grid or warnings: %v", want.Warnings)
	}
	classes := slices.Compact(slices.Sorted(slices.Values(want.Mask.Data)))
	if len(classes) < 2 {
		t.Fatal("the network predicts one class: nothing is tested")
	}
	for _, e := range want.Uncertainty.Data {
		if !(e >= 0 && e <= float32(math.Log(3))+1e-5) {
			t.Fatalf("entropy %v", e)
		}
	}
	for _, orientation := range []string{"RAS", "SPL", "ILA"} {
		turned, err := v.Turned(orientation)
		if err != nil {
			t.Fatal(err)
		}
		got := segment(t, m, turned)
		if got.Mask.Grid != turned.Grid {
			t.Errorf("%s: the mask lies elsewhere than the image", orientation)
		}
		mask, err := got.Mask.Turned("LPS")
		if err != nil {
			t.Fatal(err)
		}
		entropy, err := got.Uncertainty.Turned("LPS")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(mask.Data, want.Mask.Data) || !slices.Equal(entropy.Data, want.Uncertainty.Data) {
			t.Errorf("%s: another prediction than in LPS", orientation)
		}
	}
}

// Slices larger than the canvas are predicted to their border.
func TestSegmentBeyondTheCanvas(t *testing.T) {
	m, v := untrained(t), image()
	want := segment(t, m, v)
	m.Preprocess.Height, m.Preprocess.Width = 8, 8 // a canvas of 16 x 16 is made of it for slices of 12 x 14
	if diff := cmp.Diff(want, segment(t, m, v)); diff != "" {
		t.Errorf("with a smaller canvas:\n%s", diff)
	}
	m.Preprocess.Fit = preprocess.Resize
	if p, err := m.canvas(v.Grid); err != nil || p != m.Preprocess {
		t.Errorf("the canvas of resized slices grew: %+v", p)
	}
}

func TestSegmentWarnings(t *testing.T) {
	m, v := untrained(t), image()
	for name, test := range map[string]struct {
		change func(*Model, *volume.Volume)
		want   string
	}{
		"coarser":    {func(_ *Model, v *volume.Volume) { v.Affine[1][1] = -3 }, "the pixels are 3 mm wide, those of the training cases were 1.5 mm"},
		"no spacing": {func(_ *Model, v *volume.Volume) { v.Unit = volume.Voxel }, "say nothing about spacing"},
		"no origin":  {func(m *Model, _ *volume.Volume) { m.Orientation = "" }, "say nothing about spacing"},
		"thicker":    {func(_ *Model, v *volume.Volume) { v.Affine[2][2] = 9 }, ""},
		"neither":    {func(m *Model, v *volume.Volume) { m.Orientation, v.Unit = "", volume.Voxel }, ""},
	} {
		m, v := *m, *v
		test.change(&m, &v)
		got := strings.Join(segment(t, &m, &v).Warnings, "\n")
		if !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	v.Data[5] = float32(math.NaN())
	if p, err := m.Segment(t.Context(), []*volume.Volume{v}, false, nil); err != nil || !strings.Contains(strings.Join(p.Warnings, " "), "1 voxels are NaN") {
		t.Errorf("NaN: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Segment(ctx, []*volume.Volume{image()}, false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	ras := volume.Grid{Size: [3]int{1, 1, 1}, Unit: volume.Millimetre, Affine: [3][4]float64{{9, 0, 0, 0}, {0, 9, 0, 0}, {0, 0, 9, 0}}}
	wide := grid()
	wide.Affine[1][1] = -2
	unknown := volume.Grid{Size: [3]int{1, 1, 1}, Unit: volume.Voxel, Affine: ras.Affine}
	d := &dataset.Dataset{Classes: []string{"background", "x"}, Cases: []dataset.Case{{Grid: ras}, {Grid: grid()}, {Grid: wide}, {Grid: wide}, {Grid: unknown}}}
	got := Describe(d, []int{0, 1, 2, 3, 4}, preprocess.Config{Axis: 1})
	if got.Orientation != "LPS" || math.Abs(got.Spacing[1]-2) > 1e-9 || got.Cases != 5 || len(got.Classes) != 2 || got.Preprocess.Axis != 1 {
		t.Errorf("got %+v", got)
	}
	if got := Describe(d, []int{4}, preprocess.Config{}); got.Orientation != "" || got.Spacing != [3]float64{} {
		t.Errorf("without geometry: %+v", got)
	}
}
