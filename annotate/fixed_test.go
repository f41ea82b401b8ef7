package annotate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/nn/safetensors"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
)

// The file of a network that is never trained names it: neither another network nor one with another description passes for it, and it
// is not taken for one that was trained.
func TestFixedNetworkIsKnownByItsFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path, saved := write("other.onnx", "weights"), filepath.Join(dir, "0001.safetensors")
	learner := func() annotate.Learner { return must(annotate.FixedNetwork(&model.Model{}, path)) }
	n := must(learner().Train(t.Context(), train.Config{}, preprocess.Config{}, train.Set{}, 0, nil))
	if err := n.Save(saved, model.Info{}); err != nil {
		t.Fatal(err)
	}
	load := func() error {
		_, err := learner().Load(saved, model.Info{})
		return err
	}
	if err := load(); err != nil {
		t.Error(err)
	}
	write("other.yaml", "transpose: true")
	if err := load(); err == nil || !strings.Contains(err.Error(), "is of another network or description, other.onnx") {
		t.Errorf("another description: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "other.yaml")); err != nil {
		t.Fatal(err)
	}
	write("other.onnx", "other weights")
	if err := load(); err == nil || !strings.Contains(err.Error(), "is of another network") {
		t.Errorf("another network: %v", err)
	}
	if _, err := annotate.Networks(ref.New(1)).Load(saved, model.Info{}); err == nil || !strings.Contains(err.Error(), "other.onnx, which was not trained here: give it with --model") {
		t.Errorf("as one that was trained: %v", err)
	}
	if err := safetensors.Write(saved, &safetensors.File{}); err != nil {
		t.Fatal(err)
	}
	if err := load(); err == nil || !strings.Contains(err.Error(), "serve it without --model") {
		t.Errorf("one that was trained: %v", err)
	}
}
