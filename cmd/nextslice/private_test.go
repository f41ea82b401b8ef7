//go:build unix

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What commands keep of patients' data in folders of their own is for its owner alone, whatever the umask.
func TestFoldersArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	t.Chdir(t.TempDir())
	named(t, "data", "a_", "b_", "c_")
	config := "data: data\npreset: demo\nstrategies: [random, entropy+sb]\ninitial-sets: 1\ninitial-size: 2\nquery-size: 2\ncycles: 2\ntrain: {steps: 4, width: 2}\n"
	if err := os.WriteFile("tiny.yaml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"simulate", "tiny.yaml", "--out", "run"},
		{"report", "run", "--out", "report"},
		{"report", "run", "--export", "record"},
		{"train", "--data", "data", "--out", "model.safetensors", "--preset", "demo", "--set", "steps=4", "--set", "width=2"},
		{"query", "--data", "data", "--strategy", "random", "--model", "model.safetensors", "--only", "a_000", "--size", "1", "--work", "work", "--scores", "scores.csv"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, args); code != done && args[0] != "query" { // all is labelled
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
	}
	files := 0
	for _, path := range []string{"run", "report", "record", "work", "model.safetensors"} {
		err := filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			files++
			info, err := e.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v", path, info.Mode())
			}
			return err
		})
		if err != nil && path != "work" {
			t.Error(err)
		}
	}
	if files < 20 {
		t.Errorf("only %d files", files)
	}
}
