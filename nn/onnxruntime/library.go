package onnxruntime

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Variable is that of the environment which names the library's file.
const Variable = "NEXTSLICE_ONNXRUNTIME"

// advice says how to get the library.
const advice = "run 'pip install onnxruntime' (version 1.24 or newer) with the python3 that is first in PATH, or name the library's file with the environment variable " + Variable

// errNoLibrary is the error where nothing was found.
var errNoLibrary = errors.New("ONNX Runtime, which runs networks of ONNX files, is not installed: " + advice)

// Library returns the file of the shared library: that of the environment variable, else that of Python's package onnxruntime, else that
// of the system's folders.
func Library() (string, error) {
	if path := os.Getenv(Variable); path != "" {
		if info, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", Variable, err)
		} else if info.IsDir() {
			return "", fmt.Errorf("%s: %s is a folder: name the file in it, such as %s", Variable, path, pattern())
		}
		return path, nil
	}
	for _, python := range []string{"python3", "python"} {
		// The package itself is not imported: that would load the library into Python.
		out, err := exec.Command(python, "-c", "import importlib.util; print(importlib.util.find_spec('onnxruntime').origin)").Output()
		if err != nil {
			continue
		}
		if path := inFolder(filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "capi")); path != "" {
			return path, nil
		}
	}
	for _, folder := range []string{"/usr/local/lib", "/usr/lib/" + multiarch(), "/usr/lib64", "/usr/lib", "/opt/homebrew/lib"} {
		if path := inFolder(folder); path != "" {
			return path, nil
		}
	}
	return "", errNoLibrary
}

// inFolder returns the library's file in a folder, "" where there is none.
func inFolder(folder string) string {
	files, err := filepath.Glob(filepath.Join(folder, pattern()))
	if err != nil || len(files) == 0 {
		return ""
	}
	return files[len(files)-1]
}

// pattern matches the names of the library's file.
func pattern() string {
	switch runtime.GOOS {
	case "windows":
		return "onnxruntime.dll"
	case "darwin":
		return "libonnxruntime.*dylib"
	}
	return "libonnxruntime.so*"
}

// multiarch is the name of Debian's folder of libraries.
func multiarch() string {
	if runtime.GOARCH == "arm64" {
		return "aarch64-linux-gnu"
	}
	return "x86_64-linux-gnu"
}

// static reports whether a program of ELF was linked without a dynamic loader, and so can load no library. One that cannot be read counts as linked with it.
func static(program string) bool {
	f, err := elf.Open(program)
	if err != nil {
		return false
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}
