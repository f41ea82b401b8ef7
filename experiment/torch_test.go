package experiment

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/record"
)

// An exact simulation by PyTorch, here on its device cpu, gives the same records in every run, and says what computed. The network learns as with
// the other engines: features, dropout passes, gradients of the head and the loss module come from the worker.
func TestTorch(t *testing.T) {
	if _, err := torch.FindPython(t.Context(), ""); err != nil {
		t.Skip("no PyTorch: ", err)
	}
	c := smallConfig(t, 6)
	c.Strategies = record.Canonical([]string{"dropout(passes=2)", "badge", "learning-loss"})
	c.Train.Steps, c.Cycles, c.Train.Deep = 12, 1, true
	run := func(engine string, jobs int) (string, map[string]string) {
		dir := filepath.Join(t.TempDir(), "run")
		o := Options{Out: dir, Threads: 1, Jobs: jobs, Engine: engine}
		if engine != "" {
			o.Precision = "exact"
		}
		if err := Run(t.Context(), c, o); err != nil {
			t.Fatal(err)
		}
		return dir, records(t, dir)
	}
	dir, first := run("torch:cpu", 1)
	_, again := run("torch:cpu", 1)
	if diff := cmp.Diff(first, again); diff != "" || len(first) < 4 {
		t.Errorf("%d files (-first +second):\n%s", len(first), diff)
	}
	text, err := os.ReadFile(filepath.Join(dir, record.EnvFile))
	if err != nil || !strings.Contains(string(text), `"engine": "torch"`) || !strings.Contains(string(text), `on the processor, exact"`) {
		t.Errorf("%s, %v", text, err)
	}
	x, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := run("", 1)
	y, err := record.Read(other)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range x.Runs {
		a, b := r.Cycles[0].Measures.Mean.Dice3D.Value, y.Runs[i].Cycles[0].Measures.Mean.Dice3D.Value
		if d := a - b; d > 0.02 || d < -0.02 { // rounding grows in a training, and a pixel at the threshold may turn
			t.Errorf("%s: Dice %.4f after the first training, by the engine of the processor %.4f", r.Unit, a, b)
		}
	}
}

func TestEngineNames(t *testing.T) {
	for name, c := range map[string]struct {
		engine Engine
		want   string
	}{
		"unknown":            {Engine{Name: "cuda"}, "or torch for a GPU"},
		"precision":          {Engine{Name: "native", Precision: "tf32"}, "belongs to --engine torch"},
		"python":             {Engine{Python: "python3"}, "belongs to --engine torch"},
		"instruction set":    {Engine{Name: "torch", ISA: "avx2"}, "no instruction set"},
		"two of PyTorch":     {Engine{Name: "torch,torch"}, "one engine of the processor"},
		"unknown behind it":  {Engine{Name: "torch,cuda"}, `engine "cuda"`},
		"no such Python":     {Engine{Name: "torch:cuda:1", Python: "/nowhere"}, "there is no such program"},
		"arithmetic unknown": {Engine{Name: "torch", Precision: "int8"}, `precision "int8"`},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := c.engine.New(t.Context(), 0)
			if err == nil {
				e.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %q", err, c.want)
			}
		})
	}
	t.Setenv(DeviceVariable, "cuda:3")
	for name, want := range map[string][3]string{
		"torch": {"yes", "cuda:3", ""}, "torch:cpu": {"yes", "cpu", ""}, "torch:cuda:1,native": {"yes", "cuda:1", "native"}, "torch,ref": {"yes", "cuda:3", "ref"}, "": {"no"}, "native": {"no"},
	} {
		yes, device, other := Engine{Name: name}.torch()
		if yes != (want[0] == "yes") || yes && (device != want[1] || other != want[2]) {
			t.Errorf("%q: %v, device %q, other engine %q", name, yes, device, other)
		}
	}
	err := Run(context.Background(), smallConfig(t, 6), Options{Out: t.TempDir() + "/run", Engine: "torch,native"})
	if err == nil || !strings.Contains(err.Error(), "the records of a run come from one engine") {
		t.Errorf("two engines in one run: %v", err)
	}
}

// A run that goes on with another PyTorch, device or arithmetic will not repeat to the last bit.
func TestSameBitsOfTorch(t *testing.T) {
	a := record.Env{Engine: "torch", Threads: 1, Detail: "PyTorch 2.15.0 on NVIDIA H200, exact"}
	b := a
	if !a.SameBits(b) {
		t.Error("the same environment twice")
	}
	if b.Detail = "PyTorch 2.15.0 on NVIDIA H200, tf32"; a.SameBits(b) {
		t.Error("another arithmetic")
	}
}
