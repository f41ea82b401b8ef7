package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/pacs/pacstest"
)

// pull runs a pull command with an answer to what it may ask.
func pull(ctx context.Context, t *testing.T, answer string, args ...string) (code int, text string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(ctx, strings.NewReader(answer), &out, &errs, append([]string{"pacs", "pull"}, args...))
	return code, out.String() + errs.String()
}

// Ctrl-C in the middle of a series leaves nothing half, and the same command goes on.
func TestPullIsInterrupted(t *testing.T) {
	s := pacstest.New(t, append(pacstest.Slices(t, 1, 1, 6, nil), pacstest.Slices(t, 2, 1, 6, nil)...)...)
	dir := filepath.Join(t.TempDir(), "data")
	stall := make(chan struct{})
	s.Set(pacstest.Quirks{Stall: stall})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 500 {
			if files, _ := filepath.Glob(filepath.Join(dir, ".pull-P001", "*.dcm")); len(files) > 1 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	code, text := pull(ctx, t, "", s.URL+"/dicom-web", dir)
	close(stall)
	if code != failed || !strings.Contains(text, "interrupted: the same command goes on") {
		t.Errorf("code %d: %s", code, text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*P0*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	s.Set(pacstest.Quirks{})
	if code, text := pull(t.Context(), t, "", s.URL+"/dicom-web", dir); code != done || !strings.Contains(text, "2 series pulled") {
		t.Errorf("again: code %d: %s", code, text)
	}
}

// Before more than 50 series a person is asked.
func TestPullAsksFirst(t *testing.T) {
	var files [][]byte
	for study := 1; study <= 51; study++ {
		files = append(files, pacstest.Slices(t, study, 1, 1, nil)...)
	}
	s := pacstest.New(t, files...)
	dir := filepath.Join(t.TempDir(), "data")
	for _, answer := range []string{"", "n\n", "no\n"} {
		code, text := pull(t.Context(), t, answer, s.URL+"/dicom-web", dir, "--min-slices", "1")
		if cases, _ := filepath.Glob(filepath.Join(dir, "P*")); code != failed || !strings.Contains(text, "51 series of 51 slices, some 0.0 GB: pull them? [y/N]") || len(cases) > 0 {
			t.Errorf("%q: code %d, %d cases: %s", answer, code, len(cases), text)
		}
	}
	if code, text := pull(t.Context(), t, "y\n", s.URL+"/dicom-web", dir, "--min-slices", "1"); code != done || !strings.Contains(text, "51 series pulled") {
		t.Errorf("code %d: %s", code, text)
	}
}

// What is typed wrongly has a line, and tells no secret.
func TestPacsUsage(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "open"), []byte("lab:secret-8"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"find http://pacs.example/rs", misuse, "insist with --insecure"},
		{"find https://lab:secret-8@pacs.example/rs", misuse, "do not belong into the URL"},
		{"find https://127.0.0.1:1/rs --date 2025", misuse, "want 20250131"},
		{"find https://127.0.0.1:1/rs --date 20250231", misuse, "there is no day 20250231"},
		{"find https://127.0.0.1:1/rs --study 1.2/3", misuse, "is no UID"},
		{"find https://127.0.0.1:1/rs --credentials " + filepath.Join(dir, "open"), failed, "can be read by others"},
		{"find https://127.0.0.1:1/rs --ca " + filepath.Join(dir, "open"), misuse, "no certificate in PEM form"},
		{"pull http://127.0.0.1:1/rs " + dir + " --min-slices 0", misuse, "want 1 or more"},
		{"push " + dir, failed, "was not pulled from a PACS"},
		{"push " + dir + " --names a,A", misuse, "--names: two classes have the name"},
		{"push " + dir + " --names background", misuse, "--names: a class is called"},
		{"push " + dir + " --names a,,b,unsure", failed, "was not pulled from a PACS"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.NewReader(""), &out, &errs, append([]string{"pacs"}, strings.Fields(c.args)...))
		if text := out.String() + errs.String(); code != c.code || !strings.Contains(text, c.want) || strings.Contains(text, "secret-8") {
			t.Errorf("%s: code %d: %s", c.args, code, text)
		}
	}
}

// A series that was pulled while it was arriving makes the next pull fail, after it has fetched what is new.
func TestPullTellsOfShortCases(t *testing.T) {
	files := pacstest.Slices(t, 1, 1, 12, nil)
	s := pacstest.New(t, files[:6]...)
	dir := filepath.Join(t.TempDir(), "data")
	if code, text := pull(t.Context(), t, "", s.URL+"/dicom-web", dir); code != done {
		t.Fatal(code, text)
	}
	for _, f := range append(files[6:], pacstest.Slices(t, 2, 1, 6, nil)...) {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	const told = "warning: P001 has 6 files, the server 12 by now: move it away and pull again\n"
	if code, text := pull(t.Context(), t, "", s.URL+"/dicom-web", dir, "--dry-run"); code != done || !strings.Contains(text, told) {
		t.Errorf("dry run: code %d: %s", code, text)
	}
	if code, text := pull(t.Context(), t, "", s.URL+"/dicom-web", dir); code != failed || !strings.Contains(text, told) || !strings.Contains(text, "1 series pulled, 1 were there") || !strings.Contains(text, "cases that lack files which the server has by now: 1") {
		t.Errorf("code %d: %s", code, text)
	}
}
