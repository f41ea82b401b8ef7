//go:build unix

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ctrl-C, which the terminal sends to the process group of this program, ends no command of SLURM halfway.
func TestCommandIsApart(t *testing.T) {
	if _, err := exec.LookPath("ps"); err != nil {
		t.Skip("there is no ps")
	}
	fake(t, "sbatch", "echo $$ $(ps -o pgid= -p $$)")
	out, err := command(t.Context(), "sbatch")
	if ids := strings.Fields(out); err != nil || len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("process and group are %q, %v", out, err)
	}
}

// A task's log and what it writes are its owner's alone, whatever SLURM was set up with.
func TestScriptIsPrivate(t *testing.T) {
	dir := t.TempDir()
	written, path := filepath.Join(dir, "written"), filepath.Join(dir, "units-1_0.log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command("bash", "-c", scriptOf("", 1, "touch "+quote(written)))
	c.Stdout, c.Stderr = log, log
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, written} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	c = exec.Command("bash", "-c", scriptOf("", 1, "true"))
	c.Stdout = nil // the null device is nobody's log
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("%s: %v, %v", os.DevNull, info.Mode(), err)
	}
}
