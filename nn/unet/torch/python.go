package torch

import (
	"context"

	"github.com/nextslice/nextslice/internal/python"
)

// PythonVariable names the Python to use, where no flag does.
const PythonVariable = python.Variable

var module = python.Module{Name: "torch", Title: "PyTorch", Flag: "--python"}

// FindPython returns the path of a Python that has PyTorch: see [python.Find].
func FindPython(ctx context.Context, named string) (string, error) {
	return python.Find(ctx, module, named)
}
