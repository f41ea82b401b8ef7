package experiment

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/train/recipe"
)

// The precision of a recipe decides what computes an experiment, unless the caller names one; what the engine has not got is refused.
func TestPrecisionOfRecipe(t *testing.T) {
	if !slices.Equal(recipe.Precisions, torch.Precisions) {
		t.Errorf("recipes ask for %v, PyTorch has %v", recipe.Precisions, torch.Precisions)
	}
	c := tinyConfig(t)
	c.InitialSets, c.Train.Steps, c.Strategies = 1, 40, []string{"entropy"}
	run := func(precision string, o Options) (map[string]string, string, error) {
		c := c
		c.Train.Precision = precision
		o.Out, o.Threads = filepath.Join(t.TempDir(), "run"), 1
		if err := Run(t.Context(), c, o); err != nil {
			return nil, "", err
		}
		x, err := record.Read(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		return records(t, o.Out), string(x.Env), nil
	}
	exact, _, err := run("", Options{})
	if err != nil || len(exact) == 0 {
		t.Fatal(err, exact)
	}
	if single, _, err := run("float32", Options{}); err != nil || !cmp.Equal(exact, single) {
		t.Errorf("%v, float32 gives other records than none:\n%s", err, cmp.Diff(exact, single))
	}
	if overridden, _, err := run("bfloat16", Options{Precision: "float32"}); err != nil || !cmp.Equal(exact, overridden) {
		t.Errorf("%v, the option's float32 gives other records:\n%s", err, cmp.Diff(exact, overridden))
	}
	for _, refused := range []struct {
		precision, want string
		options         Options
	}{
		{"tf32", "precision tf32 belongs to --engine torch", Options{}},
		{"exact", "precision exact belongs to --engine torch", Options{}},
		{"bfloat16", "precision bfloat16 is for --engine native", Options{Engine: "ref"}},
		{"bfloat16", "precision bfloat16 is for --engine native", Options{ISA: "avx2"}},
		{"half", "precision: want exact, float32, tf32, bfloat16", Options{}},
	} {
		if _, _, err := run(refused.precision, refused.options); err == nil || !strings.Contains(err.Error(), refused.want) {
			t.Errorf("%s with %+v: %v, want %q", refused.precision, refused.options, err, refused.want)
		}
	}
	rounded, env, err := run("bfloat16", Options{})
	if _, without := engines.NewWith("native", 1, MatrixUnit); without != nil {
		if err == nil || !strings.Contains(err.Error(), "needs a processor with a matrix unit") {
			t.Errorf("no matrix unit: %v", err)
		}
		return
	}
	if err != nil || !strings.Contains(env, `"AMX"`) || cmp.Equal(exact, rounded) {
		t.Errorf("%v: computed by %s the records of float32: %v", err, env, cmp.Equal(exact, rounded))
	}
}

// One engine computes an experiment: its recipes cannot differ in precision.
func TestPrecisionInGrid(t *testing.T) {
	c := tinyConfig(t)
	c.Grid = record.Grid{{Name: "a"}, {Name: "b", Set: []record.Setting{{Key: "precision", Value: "float32"}}}}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "grid: b: precision: one engine computes all recipes") {
		t.Error(err)
	}
}
