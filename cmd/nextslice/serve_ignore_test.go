package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/dataset/phantom/phantomtest"
	"github.com/nextslice/nextslice/volume"
)

// annotate-script answers with masks that hold a value to ignore: its pixels are unsure in the project, and slices that hold nothing else
// are never asked for.
func TestAnnotateScriptIgnore(t *testing.T) {
	dir := t.TempDir()
	data, project := filepath.Join(dir, "data"), filepath.Join(dir, "project")
	if err := phantomtest.Write(data, 2, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, "dataset.json")); err != nil { // it would say what the values are
		t.Fatal(err)
	}
	masks, err := filepath.Glob(filepath.Join(data, "labelsTr", "*.nii.gz"))
	if err != nil || len(masks) != 2 {
		t.Fatal(masks, err)
	}
	for _, path := range masks {
		m, err := volume.ReadMask(path)
		if err != nil {
			t.Fatal(err)
		}
		n := m.Size[0] * m.Size[1]
		for i := range m.Data {
			if i%n < 2*m.Size[0] || i/n < 17 { // two rows of each slice, and all but the last slices
				m.Data[i] = 2
			}
		}
		if err := volume.WriteMask(path, m); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, strings.NewReader(""), &out, &errs, []string{"serve", "--data", data, "--project", project, "--addr", "127.0.0.1:0", "--open=false",
			"--masks", "ignore", "--ignore", "2", "--lockstep", "--initial-size", "3", "--query-size", "2", "--preset", "demo", "--set", "steps=2", "--set", "width=2"})
	}()
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	for range 3000 {
		if address.MatchString(out.String()) || len(ended) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	url := address.FindString(out.String())
	if url == "" {
		t.Fatalf("no address: %s%s", out.String(), errs.String())
	}
	script := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(ctx, strings.NewReader(""), &out, &errs, append([]string{"annotate-script", "--server", url, "--data", data, "--cycles", "0"}, args...))
		return code, out.String() + errs.String()
	}
	if code, text := script("--ignore", "2"); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("serve ended with %d: %s", code, errs.String())
	}
	saved, err := filepath.Glob(filepath.Join(project, "labels", "final", "*.nii.gz"))
	if err != nil || len(saved) == 0 {
		t.Fatal(saved, err)
	}
	labelled := 0
	for _, path := range saved {
		m, err := volume.ReadMask(path)
		if err != nil {
			t.Fatal(err)
		}
		for k := range m.Size[2] {
			slice := m.Slice(2, k)
			if slice[0] != volume.Ignored {
				continue
			}
			labelled++
			if k < 17 || slice[5*m.Size[0]] == volume.Ignored {
				t.Errorf("%s: slice %d was labelled, or more than its first rows are ignored", path, k)
			}
		}
	}
	if labelled < 3 {
		t.Errorf("%d slices hold ignored rows, want the 3 of the initial set at least", labelled)
	}
}
