package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mask.nii.gz")
	if err := Write(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o606); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := os.Stat(path)
	if err := Write(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(path)
	if text, err := os.ReadFile(path); string(text) != "two" || err != nil || before.Mode() != after.Mode() {
		t.Errorf("%q, %v, %v → %v", text, err, before.Mode(), after.Mode())
	}
	if err := WriteNew(path, []byte("three"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	if err := WriteNew(filepath.Join(dir, "new"), []byte("three"), 0o600); err != nil {
		t.Error(err)
	}
	if err := Write(filepath.Join(dir, "no", "folder"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	f, err := Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "half of it")
	if text, _ := os.ReadFile(path); string(text) != "two" {
		t.Errorf("before Commit: %q", text)
	}
	f.Discard()
	f.Discard()
	if got := names(t, dir); got != "mask.nii.gz new" {
		t.Errorf("left: %s", got)
	}
}

// A process that ends in the middle of a write, for the tests below.
func TestMain(m *testing.M) {
	if path := os.Getenv("ATOMICFILE_ABANDON"); path != "" {
		f, err := Create(path, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Print(f.Name())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What another process leaves is removed by the next one that writes the file, and by Sweep; what a process that lives is writing stays.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "sub", "mask.nii.gz")
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	abandon := func(path string) string {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "ATOMICFILE_ABANDON="+path)
		name, err := c.Output()
		if err != nil || !exists(string(name)) || !IsTemporary(filepath.Base(string(name))) {
			t.Fatalf("%q: %v", name, err)
		}
		return string(bytes.TrimSpace(name))
	}
	kept := []string{filepath.Join(dir, "mask.nii.gz12345"), filepath.Join(dir, ".hidden"), filepath.Join(dir, ".123456"), filepath.Join(dir, "sub", ".other1")}
	for _, path := range kept {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writing, err := Create(target, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer writing.Discard()

	dead, other := abandon(target), abandon(filepath.Join(dir, "sub", "mask.nii"))
	second, err := Create(target, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Discard()
	if exists(dead) || !exists(other) || !exists(writing.Name()) {
		t.Errorf("Create: the dead process's file %v, that of another name %v, that of a writer %v", exists(dead), exists(other), exists(writing.Name()))
	}
	Sweep(dir)
	if exists(other) || !exists(writing.Name()) || !exists(second.Name()) {
		t.Errorf("Sweep: %s", names(t, filepath.Dir(target)))
	}
	for _, f := range []*File{writing, second} {
		if err := f.Commit(); err != nil {
			t.Error(err)
		}
	}
	for _, path := range kept {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
}

// Who cannot be asked after keeps a file for an hour: processes of other machines, and names of earlier versions.
func TestLeftoversOfOthers(t *testing.T) {
	dir := t.TempDir()
	machine, drawn := self()
	for name, want := range map[string]struct{ fresh, old bool }{
		".a~00000000-1-00000000-1":                                      {true, false},  // of another machine
		fmt.Sprintf(".a~%s-%d-%s-7", machine, os.Getpid(), drawn):       {true, true},   // ours
		fmt.Sprintf(".a~%s-%d-%s-7", machine, os.Getpid(), "00000000"):  {false, false}, // of an earlier process with our number
		fmt.Sprintf(".a~%s-%d-%s-7", machine, os.Getppid(), "00000000"): {true, false},  // of a process that lives
		".a.nii123456": {true, false}, // of an earlier version
		".a":           {true, true},
	} {
		for _, age := range []time.Duration{0, 2 * time.Hour} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			when := time.Now().Add(-age)
			if err := os.Chtimes(path, when, when); err != nil {
				t.Fatal(err)
			}
			Sweep(dir)
			if is, should := exists(path), (age == 0 && want.fresh) || (age > 0 && want.old); is != should {
				t.Errorf("%s after %v: kept %v, want %v", name, age, is, should)
			}
			os.Remove(path)
		}
	}
}

func TestMkdirTemp(t *testing.T) {
	dir := t.TempDir()
	temp, err := MkdirTemp(filepath.Join(dir, "copy.db"))
	if err != nil || filepath.Dir(temp) != dir || !IsTemporary(filepath.Base(temp)) {
		t.Fatal(temp, err)
	}
	if Sweep(dir); !exists(temp) {
		t.Error("removed while its process lives")
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
