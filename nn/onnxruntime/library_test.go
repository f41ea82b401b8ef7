package onnxruntime

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The library is the file that the variable names, or that of the first Python's package; without any the error says how to get it.
func TestLibrary(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Python is a script here")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "site-packages", "onnxruntime", "capi", strings.ReplaceAll(pattern(), "*", ".1.24"))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(Variable, file)
	if got, err := Library(); err != nil || got != file {
		t.Errorf("named: %s, %v", got, err)
	}
	t.Setenv(Variable, dir)
	if _, err := Library(); err == nil || !strings.Contains(err.Error(), "is a folder: name the file in it") {
		t.Errorf("a folder: %v", err)
	}
	t.Setenv(Variable, filepath.Join(dir, "none"))
	if _, err := Library(); err == nil || !strings.HasPrefix(err.Error(), Variable+": ") {
		t.Errorf("nothing: %v", err)
	}
	t.Setenv(Variable, "")
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	if got, err := Library(); err != errNoLibrary && got == "" || err == nil && strings.HasPrefix(got, dir) {
		t.Errorf("no Python: %s, %v", got, err)
	}
	if text := errNoLibrary.Error(); !strings.Contains(text, "pip install onnxruntime") || !strings.Contains(text, Variable) {
		t.Error(text)
	}
	script := "#!/bin/sh\necho '" + filepath.Join(dir, "site-packages", "onnxruntime", "__init__.py") + "'\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Library(); err != nil || got != file {
		t.Errorf("Python's: %s, %v", got, err)
	}
}

// A program without a dynamic loader is known as such.
func TestStatic(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("ELF is Linux's")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-o", program, filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !static(program) {
		t.Error("a program of Go alone counts as linked with a loader")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if static(shell) {
		t.Errorf("%s counts as static", shell)
	}
}

func TestValue(t *testing.T) {
	v, err := value("input", "x", true, "FLOAT", []int64{-1, 3, 0, 256})
	if err != nil || v != (Value{"x", [4]int{-1, 3, -1, 256}}) {
		t.Errorf("%+v, %v", v, err)
	}
	for want, dimensions := range map[string][]int64{"of volumes": {1, 1, 8, 8, 8}, "want [N C H W]": {1, 8, 8}} {
		if _, err := value("input", "x", true, "FLOAT", dimensions); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", dimensions, err)
		}
	}
	if _, err := value("output", "y", false, "float16", []int64{1, 1, 8, 8}); err == nil || !strings.Contains(err.Error(), "float16: want float32") {
		t.Errorf("float16: %v", err)
	}
}
