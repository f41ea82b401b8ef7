package torch_test

import (
	"cmp"
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/nn/unet/unettest"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
)

// These tests run on NEXTSLICE_DEVICE, the processor by default, with the Python that FindPython finds. They are the acceptance test of a
// GPU too: see scripts/gpu-check.sh.

var device = cmp.Or(os.Getenv("NEXTSLICE_DEVICE"), "cpu")

// onGPU picks the size of a test.
func onGPU[T any](gpu, cpu T) T {
	if device == "cpu" {
		return cpu
	}
	return gpu
}

var findPython = sync.OnceValues(func() (string, error) { return torch.FindPython(context.Background(), "") })

// python returns a Python with PyTorch; without one the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	path, err := findPython()
	if err != nil {
		t.Skip("no PyTorch: ", err)
	}
	return path
}

// start returns an engine on the device, which ends with the test.
func start(t *testing.T, o torch.Options) *torch.Engine {
	t.Helper()
	o.Python, o.Device = python(t), cmp.Or(o.Device, device)
	e, err := torch.New(t.Context(), ref.New(1), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// config is a small training.
func config(steps int) train.Config {
	return train.Config{
		Width: 2, Dropout: 0.5, Steps: steps, Batch: 2, LearningRate: recipe.Schedule{Peak: 1e-3},
		Loss: recipe.Loss{Kind: recipe.Softmax, CrossEntropy: 0.5, Dice: 0.5, Smooth: 1},
	}
}

// discs are some slices to train on.
func discs(n, size int) train.Set {
	s := train.Set{H: size, W: size, Classes: 2}
	rng := random.Stream(1, "discs")
	for range n {
		image, mask := make([]float32, size*size), make([]uint8, size*size)
		y, x, r := rng.IntN(size), rng.IntN(size), size/8+rng.IntN(size/4)
		for i := range image {
			if dy, dx := i/size-y, i%size-x; dy*dy+dx*dx < r*r {
				mask[i] = 1
			}
			image[i] = float32(mask[i]) + float32(rng.NormFloat64())/2
		}
		s.Images, s.Labels = append(s.Images, image), append(s.Labels, mask)
	}
	return s
}

// kept is an engine for several cases, which close it.
type kept struct{ *torch.Engine }

func (kept) Close() error { return nil }

// The whole network as PyTorch's vectors have it, with the dropout masks of the other engines.
func TestUNet(t *testing.T) {
	e := start(t, torch.Options{Precision: "exact"})
	t.Log(e.Detail())
	unettest.Run(t, func(int) tensor.Engine { return kept{e} })
}

//go:embed testdata/checks.py
var checks []byte

// What is checked of worker.py from inside: see testdata/checks.py.
func TestChecks(t *testing.T) {
	dir, name := t.TempDir(), func(dir, name string) string { return filepath.Join(dir, name) }
	for file, text := range map[string][]byte{"worker.py": torch.Program(), "checks.py": checks} {
		if err := os.WriteFile(name(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), python(t), name(dir, "checks.py"), name(dir, "worker.py"), device)
	c.Env = append(os.Environ(), "CUBLAS_WORKSPACE_CONFIG=:4096:8")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	count := 0
	for line := range strings.Lines(string(out)) {
		result, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		check, text, _ := strings.Cut(rest, " ")
		count++
		t.Run(check, func(t *testing.T) {
			switch result {
			case "ok":
			case "skip":
				t.Skip(text)
			default:
				t.Error(text)
			}
		})
	}
	if err != nil || count < 6 {
		t.Errorf("%d checks, %v\n%s", count, err, stderr.String())
	}
}

// Twice the same exact training gives the same weights, bit for bit, on one device and one version of PyTorch.
func TestSameBits(t *testing.T) {
	e := start(t, torch.Options{Precision: "exact"})
	weights := func() []float32 {
		r, err := train.Run(t.Context(), e, config(20), discs(6, 24), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Net.State()
	}
	if first, again := weights(), weights(); !slices.Equal(first, again) {
		t.Error("two exact trainings differ")
	}

	// Seed 0 is one like any other.
	net := unet.New(e, unet.Config{Classes: 2, Width: 2, Dropout: 0.5}, random.Stream(1))
	b := unet.Batch{X: tensor.New(tensor.Shape{N: 1, H: 8, W: 8, C: 1}), Target: make([]uint8, 64), LR: 1e-3}
	b.X.Data[5] = 1
	if err := unet.NewTrainer(net, tensor.Loss{CE: 1, Smooth: 1}, 0).Step(make([]float32, 1), b, nil); err != nil {
		t.Fatal(err)
	}
	logits := slices.Clone(net.Forward(b.X, unet.Pass{Dropout: true}).Data)
	if slices.Equal(logits, net.Forward(b.X, unet.Pass{Dropout: true, Seed: 1}).Data) {
		t.Error("seeds 0 and 1 drop the same elements")
	}
}
