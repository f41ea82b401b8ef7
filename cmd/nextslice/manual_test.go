package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/clidoc"
)

// Every command has its page, every flag stands in it, and groff has nothing to say against it.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	var errs bytes.Buffer
	if code := run(t.Context(), nil, io.Discard, &errs, []string{"manual", dir}); code != done {
		t.Fatal(errs.String())
	}
	app := newParser(io.Discard, io.Discard, func(int) {}).Model
	for _, command := range clidoc.Visible(app.Node) {
		page, err := os.ReadFile(filepath.Join(dir, "nextslice-"+command.Name+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, f := range clidoc.Flags(command) {
			if !strings.Contains(string(page), strings.ReplaceAll("--"+f.Name, "-", `\-`)+`\fR`) {
				t.Errorf("%s: --%s is missing", command.Name, f.Name)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "nextslice-manual.1")); err == nil {
		t.Error("a hidden command has a page")
	}
	if _, err := exec.LookPath("groff"); err != nil {
		return
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*.1"))
	for _, page := range pages {
		out, err := exec.Command("groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(page), err, out)
		}
	}
}

// The scripts are those that the shells understand, and complete what a person means.
func TestCompletion(t *testing.T) {
	script := func(shell string) string {
		path := filepath.Join(t.TempDir(), "nextslice."+shell)
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, []string{"completion", shell}); code != done {
			t.Fatal(errs.String())
		}
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		path := script(shell)
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash to try the completions in")
	}
	bash := script("bash")
	for line, want := range map[string]string{
		"nextslice ser":              "serve",
		"nextslice serve --dem":      "--demo",
		"nextslice serve --axis ":    "auto i j k",
		"nextslice serve --axis = a": "auto",
		"nextslice project che":      "check",
		"nextslice completion z":     "zsh",
		"nextslice man":              "", // hidden
	} {
		words := strings.Split(line, " ")
		out, err := exec.Command("bash", append([]string{"-c", `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nextslice; echo "${COMPREPLY[*]}"`, "-", bash}, words...)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q: got %q, want %q, %v", line, got, want, err)
		}
	}
}
