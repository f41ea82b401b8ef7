package onnxruntime

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/internal/python"
)

// needPython skips a test without a Python that has ONNX Runtime, that of the folder .venv first, where scripts/deps.sh test puts it.
func needPython(t *testing.T) {
	t.Helper()
	if os.Getenv(python.Variable) == "" {
		if files, _ := filepath.Glob(filepath.Join("..", "..", ".venv", "bin", "python")); len(files) > 0 {
			path, err := filepath.Abs(files[0])
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv(python.Variable, path)
		}
	}
	if _, err := findPython(); err != nil {
		t.Skip(err)
	}
}

// A worker process says of every file what the library says, and gives the same numbers; a refused size leaves it able to go on.
func TestProcessIsAsTheLibrary(t *testing.T) {
	needPython(t)
	if files, _ := filepath.Glob(filepath.Join("..", "..", ".venv", "lib", "*", "site-packages", "onnxruntime", "capi", pattern())); len(files) > 0 && os.Getenv(Variable) == "" {
		t.Setenv(Variable, files[0])
	}
	if !loadable() || load() != nil {
		t.Skip("there is no library to compare with")
	}
	for _, name := range []string{"logits", "fixed", "double", "two-inputs", "volumes", "no network"} {
		file := filepath.Join("..", "..", "model", "testdata", "onnx", name+".onnx")
		if name == "no network" {
			file = "library.go"
		}
		want, wantErr := openLibrary(file, 1)
		got, err := openProcess(file, 1)
		if wantErr != nil || err != nil {
			if wantErr == nil || err == nil || name != "no network" && err.Error() != wantErr.Error() {
				t.Errorf("%s: %v, want %v", file, err, wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: more than a line: %q", file, err)
			}
			continue
		}
		if got.Input != want.Input || got.Output != want.Output {
			t.Errorf("%s: %v %v, want %v %v", file, got.Input, got.Output, want.Input, want.Output)
		}
		shape := [4]int{2, 1, 12, 14}
		for i, n := range want.Input.Shape {
			if n > 0 {
				shape[i] = n
			}
		}
		x := make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
		for i := range x {
			x[i] = float32(i%7) - 3
		}
		for _, shape := range [][4]int{{shape[0], shape[1] + 1, shape[2], shape[3]}, shape} {
			x := slices.Repeat(x, 2)[:shape[0]*shape[1]*shape[2]*shape[3]]
			y, size, wantErr := want.Run(x, shape)
			z, is, err := got.Run(x, shape)
			if (err == nil) != (wantErr == nil) || size != is || !slices.Equal(y, z) {
				t.Errorf("%s: %v %v, want %v %v", file, is, err, size, wantErr)
			}
		}
		got.Close()
		if _, _, err := got.Run(x, shape); err == nil {
			t.Errorf("%s: runs when it is closed", file)
		}
		want.Close()
	}
}

// A worker that is killed is an error of one line and not a hang; a Python without ONNX Runtime says what to install.
func TestProcessFaults(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	empty := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(empty, []byte("#!/bin/sh\nexec python3 -S \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv(python.Variable, empty)
	if _, err := findPython(); err == nil || !strings.Contains(err.Error(), "has no ONNX Runtime: install it with") || strings.Contains(err.Error(), "\n") {
		t.Errorf("no package: %v", err)
	}
	os.Unsetenv(python.Variable)
	needPython(t)
	net, err := openProcess(filepath.Join("..", "..", "model", "testdata", "onnx", "logits.onnx"), 1)
	if err != nil {
		t.Fatal(err)
	}
	net.runner.(*process).worker.Kill("")
	if _, _, err := net.Run(make([]float32, 12*14), [4]int{1, 1, 12, 14}); err == nil || !strings.Contains(err.Error(), "the worker ended") {
		t.Errorf("killed: %v", err)
	}
	if path, err := python.Find(context.Background(), python.Module{Name: "no_such_module", Title: "Nothing"}, "python3"); err == nil || !strings.Contains(err.Error(), "has no Nothing") {
		t.Errorf("%s, %v", path, err)
	}
}
