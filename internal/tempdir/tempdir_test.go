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

func TestSweep(t *testing.T) {
	temp := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Windows has the latter
		t.Setenv(name, temp)
	}
	alive, remove, err := Make("test")
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(os.TempDir(), "nextslice-test-dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, ".lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	Sweep()
	if exists(dead) || !exists(alive) {
		t.Errorf("dead %v, alive %v", exists(dead), exists(alive))
	}
	if remove(); exists(alive) {
		t.Error("not removed")
	}
}
