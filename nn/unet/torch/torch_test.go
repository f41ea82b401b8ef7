package torch_test

import (
	"cmp"
	"context"
	"os"
	"sync"
	"testing"

	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/nn/unet/unettest"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
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

// kept is an engine for several cases, which close it.
type kept struct{ *torch.Engine }

func (kept) Close() error { return nil }

// The whole network as PyTorch's vectors have it, with the dropout masks of the other engines.
func TestUNet(t *testing.T) {
	e := start(t, torch.Options{Precision: "exact"})
	t.Log(e.Detail())
	unettest.Run(t, func(int) tensor.Engine { return kept{e} })
}
