package leftover

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/renameio/v2"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// What renameio leaves when its process is killed is removed, and nothing that a person could have made.
func TestSweepFiles(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "sub", "mask.nii.gz")
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	kept := []string{filepath.Join(dir, "mask.nii.gz12345"), filepath.Join(dir, ".hidden"), filepath.Join(dir, ".123456"), filepath.Join(dir, "sub", ".other1")}
	for _, path := range kept {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pending := func() string {
		f, err := renameio.NewPendingFile(target, renameio.WithTempDir(filepath.Dir(target)))
		if err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	one := pending()
	Of(filepath.Join(dir, "sub", "other.nii.gz"))
	if !exists(one) {
		t.Error("that of another file was removed")
	}
	Of(target)
	if exists(one) {
		t.Errorf("%s is still there", one)
	}
	two := pending()
	In(dir, time.Hour)
	if !exists(two) {
		t.Error("a fresh one was removed")
	}
	In(dir, 0)
	if exists(two) {
		t.Errorf("%s is still there", two)
	}
	for _, path := range kept {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
}

func TestSweepFolders(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	alive, remove, err := TempDir("test")
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
