package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// An output is tried before anything is computed, and the trial leaves nothing.
func TestCheckFree(t *testing.T) {
	dir := t.TempDir()
	if err := checkFree(filepath.Join(dir, "m.safetensors"), false); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
	if runtime.GOOS == "linux" { // where nobody can make a file
		if err := checkFree("/proc/m.safetensors", false); err == nil || !strings.Contains(err.Error(), "cannot be written") {
			t.Error(err)
		}
	}
}
