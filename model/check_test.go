package model

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/tensor/ref"
)

// A file whose bits have flipped, and a network that has died are told, in the file and with each prediction.
func TestDoubts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := untrained(t).Save(path); err != nil {
		t.Fatal(err)
	}
	if err := Verify(path); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(f *safetensors.File)
		want   string
	}{
		"flipped bit": {func(f *safetensors.File) { f.Tensors[0].Data[5] ^= 2 }, "is damaged"},
		"another class": {func(f *safetensors.File) {
			f.Metadata[key] = strings.Replace(f.Metadata[key], "head", "tail", 1)
		}, "is damaged"},
		"older file": {func(f *safetensors.File) { delete(f.Metadata, sumKey) }, ""},
	} {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		changed := filepath.Join(t.TempDir(), "changed.safetensors")
		if err := safetensors.Write(changed, f); err != nil {
			t.Fatal(err)
		}
		m, err := Load(ref.New(1), changed)
		if err != nil {
			t.Fatal(err)
		}
		told := strings.Join(segment(t, m, image()).Warnings, "\n")
		if err := Verify(changed); (err != nil) != (c.want != "") || !strings.Contains(told, c.want) || c.want == "" && strings.Contains(told, "model file") {
			t.Errorf("%s: %v; warnings %q", name, err, told)
		}
	}
	dead := untrained(t)
	for _, p := range dead.Net.Params().List {
		p.Import(make([]float32, len(p.Export())))
	}
	dead.Net.Params().Changed()
	if told := strings.Join(segment(t, dead, image()).Warnings, "\n"); !strings.Contains(told, "the same at every voxel") {
		t.Errorf("a dead network: %q", told)
	}
	if told := strings.Join(segment(t, untrained(t), image()).Warnings, "\n"); strings.Contains(told, "the same") {
		t.Errorf("a live one: %q", told)
	}
}
