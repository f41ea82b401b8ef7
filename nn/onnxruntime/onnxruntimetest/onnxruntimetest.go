// Package onnxruntimetest finds ONNX Runtime for tests, which are skipped where it is not installed.
package onnxruntimetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nextslice/nextslice/nn/onnxruntime"
)

// Need skips a test unless networks of ONNX files can be run. The library is that of the environment or of the folder .venv, where
// scripts/deps.sh test puts it.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(onnxruntime.Variable) == "" {
		for dir, _ := os.Getwd(); ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				files, _ := filepath.Glob(filepath.Join(dir, ".venv", "[Ll]ib", "*", "site-packages", "onnxruntime", "capi", "libonnxruntime.*"))
				if len(files) > 0 {
					t.Setenv(onnxruntime.Variable, files[0])
				}
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if err := onnxruntime.Load(); err != nil {
		t.Skip(err)
	}
}
