package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/record"
)

// An interrupted training says so and leaves nothing behind.
func TestTrainInterrupted(t *testing.T) {
	dir := t.TempDir()
	data, out := filepath.Join(dir, "data"), filepath.Join(dir, "models", "m.safetensors")
	var outs, errs bytes.Buffer
	if err := phantomtest.Write(data, 1, record.PhantomSeed); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(out), 0o777); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := run(ctx, nil, &outs, &errs, []string{"train", "--data", data, "--out", out, "--preset", "demo"}); code != failed {
		t.Errorf("exit code %d", code)
	}
	if !strings.HasSuffix(errs.String(), "nextslice: interrupted: no model was written\n") {
		t.Errorf("got %q", errs.String())
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
