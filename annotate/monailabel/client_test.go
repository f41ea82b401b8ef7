package monailabel_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/annotate"
)

// python returns a Python that has MONAI Label's client, "" where there is none: that of NEXTSLICE_MONAILABEL or of .venv, where
// scripts/deps.sh puts it. The client needs a Python before 3.13.
func python(t *testing.T) string {
	for _, path := range []string{os.Getenv("NEXTSLICE_MONAILABEL"), filepath.Join("..", "..", ".venv", "bin", "python")} {
		if path != "" && exec.CommandContext(t.Context(), path, "-c", "import monailabel.client").Run() == nil {
			return path
		}
	}
	return ""
}

// MONAI Label's own client, with and without a list of people.
func TestRealClient(t *testing.T) {
	program := python(t)
	if program == "" {
		t.Skip("MONAI Label's client is not installed: see python in this file")
	}
	for name, people := range map[string][]annotate.Account{"open": nil, "guarded": {{Name: "eva", Role: annotate.Adjudicator, Token: "the secret of eva"}}} {
		s := start(t, options{people: people})
		args := []string{filepath.Join("testdata", "client.py"), s.url}
		if people != nil {
			args = append(args, "eva", "the secret of eva")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, program, args...)
		c.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		out, err := c.CombinedOutput()
		text := string(out)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		for _, line := range []string{
			"auth: " + map[bool]string{true: "True", false: "False"}[people != nil] + "\n", "info: ['structure'] ['entropy_sb'] [] ['unet'] {'total': 30, 'completed': 0,",
			"training: False\n", "sample: Label of c", " are labelled\n", "submitted again: refused: Status: 409; ", "trained: DONE\n",
			"segmented: mask.nii.gz {'structure': 1} 720 voxels\n", "segmented: Status: 403; Response: {\"detail\":\"c4 tests the model", "another model: refused: Status: 404; ",
			"an unknown image: refused: Status: 404; ", "an upload: refused: Status: 403; ", "a session: refused: Status: 406; ", "stopped: True\n", "still: True\n",
		} {
			if !strings.Contains(text, line) {
				t.Errorf("%s lacks %q:\n%s", name, line, text)
			}
		}
		t.Logf("%s:\n%s", name, text)
	}
}

// The client imports cgi, which Python 3.13 has removed: whoever drives it with a newer Python is told so in one line.
func TestClientNeedsAnOlderPython(t *testing.T) {
	program := python(t)
	if program == "" {
		t.Skip("MONAI Label's client is not installed: see python in this file")
	}
	script := filepath.Join("testdata", "client.py")
	for missing, want := range map[string]string{
		"cgi":      "MONAI Label's client needs a Python before 3.13",
		"requests": "install MONAI Label's client as client.py says",
	} {
		hidden := "import runpy, sys; sys.modules['" + missing + "'] = None; sys.argv = ['client.py', 'http://127.0.0.1:9']; runpy.run_path('" + filepath.ToSlash(script) + "')"
		out, err := exec.CommandContext(t.Context(), program, "-c", hidden).CombinedOutput()
		if text := string(out); err == nil || !strings.Contains(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("without %s: %v, %q", missing, err, text)
		}
	}
}
