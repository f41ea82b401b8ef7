package tempdir

import (
	"os"
	"path/filepath"
	"testing"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Only what Make made is swept, when its process is gone.
func TestSweep(t *testing.T) {
	temp := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Windows has the latter
		t.Setenv(name, temp)
	}
	folder := func(name, lock, says string) string {
		t.Helper()
		dir := filepath.Join(os.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, lock), []byte(says), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	alive, remove, err := Make("test")
	if err != nil {
		t.Fatal(err)
	}
	dead := folder("nextslice-test-dead", lockName, owner(filepath.Join(os.TempDir(), "nextslice-test-dead")))
	stay := map[string]string{
		"a run or query folder":         folder("nextslice-demo", ".lock", ""),
		"a copy of a temporary folder":  folder("nextslice-kept", lockName, owner(alive)),
		"one of another machine":        folder("nextslice-test-elsewhere", lockName, "elsewhere\n"+filepath.Join(os.TempDir(), "nextslice-test-elsewhere")+"\n"),
		"one that is just being made":   folder("nextslice-test-new", lockName, ""),
		"one whose process is going on": alive,
	}
	Sweep()
	if exists(dead) {
		t.Error("a folder of a process that is gone was left")
	}
	for what, dir := range stay {
		if !exists(dir) {
			t.Errorf("%s was removed", what)
		}
	}
	if remove(); exists(alive) {
		t.Error("not removed")
	}
}
