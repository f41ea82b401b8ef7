package torch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// PythonVariable names the Python to use, where no flag does.
const PythonVariable = "NEXTSLICE_PYTHON"

const howToInstall = "make one with `python3 -m venv ~/torch && ~/torch/bin/pip install torch` and name it with --python ~/torch/bin/python"

// FindPython returns the path of a Python that has PyTorch: the named one, or that of the variable NEXTSLICE_PYTHON, of the active virtual
// environment, of conda's, python3, python. One that is named must have it. PyTorch is not loaded.
func FindPython(ctx context.Context, named string) (string, error) {
	if named == "" {
		named = os.Getenv(PythonVariable)
	}
	if named != "" {
		return hasTorch(ctx, named)
	}
	var looked []string
	for _, candidate := range candidates() {
		python, err := hasTorch(ctx, candidate)
		if err == nil {
			return python, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		looked = append(looked, candidate)
	}
	return "", fmt.Errorf("no Python with PyTorch was found (looked at %s): %s", strings.Join(looked, ", "), howToInstall)
}

func candidates() (list []string) {
	bin, name := "bin", "python"
	if runtime.GOOS == "windows" {
		bin, name = "Scripts", "python.exe"
	}
	if dir := os.Getenv("VIRTUAL_ENV"); dir != "" {
		list = append(list, filepath.Join(dir, bin, name))
	}
	if dir := os.Getenv("CONDA_PREFIX"); dir != "" {
		if runtime.GOOS == "windows" {
			bin = ""
		}
		list = append(list, filepath.Join(dir, bin, name))
	}
	list = append(list, "python3", "python")
	if runtime.GOOS != "windows" {
		list = append(list, "/usr/bin/python3") // of the system, where another one comes first
	}
	return list
}

// hasTorch returns the absolute path of a Python if it has PyTorch.
func hasTorch(ctx context.Context, python string) (string, error) {
	if rest, ok := strings.CutPrefix(python, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			python = filepath.Join(home, rest)
		}
	}
	path, err := exec.LookPath(python)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", fmt.Errorf("Python %s: there is no such program: name one that has PyTorch with --python or %s", python, PythonVariable)
	}
	if path, err = filepath.Abs(path); err != nil { // without following links: what a link is called says which environment it is
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, "-c", "import os, importlib.util as u; os.write(1, b'nextslice: torch %d' % (u.find_spec('torch') is not None))")
	c.Dir = root()
	apart(c)
	c.WaitDelay = time.Second
	var stderr tail
	c.Stderr = &stderr
	out, err := c.Output()
	switch answer := strings.TrimSpace(string(out)); { // anything may have been printed before
	case strings.Contains(answer, "nextslice: torch 1"):
		return path, nil
	case strings.Contains(answer, "nextslice: torch 0"):
		return "", fmt.Errorf("Python %s has no PyTorch: install it with `%s -m pip install torch`, or name another Python with --python", python, python)
	case ctx.Err() != nil:
		return "", fmt.Errorf("Python %s: no answer within 30 s: %w", python, ctx.Err())
	case stderr.last() != "":
		return "", fmt.Errorf("Python %s does not work: %s", python, stderr.last())
	default:
		return "", fmt.Errorf("%s is not a Python: name one with --python", python)
	}
}
