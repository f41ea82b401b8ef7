package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/nextslice/nextslice/active"
)

// Of two attempts at a unit the later goes on, and the earlier writes nothing more: whichever had begun to record.
func TestOneWriter(t *testing.T) {
	c := parse(t, "strategies: [random]\n")
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := PrepareFolder(dir, c, false); err != nil {
		t.Fatal(err)
	}
	u := c.Units()[0]
	open := func(restart int) *Recorder {
		t.Helper()
		a := NewAttempt(3)
		a.Job, a.Restart = "12", restart
		f, err := OpenShared(dir, c, a)
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := f.OpenUnit(u, func() Timing { return Timing{} }, func(active.Cycle) {})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	record := func(r *Recorder, n int) error {
		return r.Record(active.Cycle{Cycle: n, Labelled: 4 + n, Query: []string{"a"}})
	}
	first := open(0)
	if err := record(first, 0); err != nil {
		t.Fatal(err)
	}
	second := open(1)
	var taken *TakenError
	if err := record(first, 1); !errors.As(err, &taken) || taken.By.Restart != 1 || taken.By.Job != "12" {
		t.Errorf("the first attempt: %v", err)
	}
	if err := record(second, 1); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
	cycles, err := (&Folder{Dir: dir}).Cycles(u)
	if err != nil || len(cycles) != 2 {
		t.Errorf("%d cycles, %v", len(cycles), err)
	}

	// A simulation of one process in such a folder is a writer like the others.
	f, err := CreateFolder(dir, c, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.attempt != nil {
		t.Error("a folder without tasks: units are claimed")
	}
	f.Close()
	if err := os.Mkdir(filepath.Join(dir, TasksFolder), 0o777); err != nil {
		t.Fatal(err)
	}
	if f, err = CreateFolder(dir, c, true); err != nil {
		t.Fatal(err)
	}
	if _, r, err := f.OpenUnit(u, nil, nil); err != nil {
		t.Error(err)
	} else {
		r.Close()
	}
	if err := record(second, 2); !errors.As(err, &taken) || taken.By.PID != os.Getpid() || !strings.Contains(err.Error(), "process") {
		t.Errorf("after a local simulation has begun: %v", err)
	}
}

// A folder of one writer has no attempt.json, as before.
func TestPlainFolderHasNoAttempts(t *testing.T) {
	c := parse(t, "strategies: [random]\n")
	f, err := CreateFolder(filepath.Join(t.TempDir(), "run"), c, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, r, err := f.OpenUnit(c.Units()[0], func() Timing { return Timing{} }, func(active.Cycle) {})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ok, err := f.Attempt(c.Units()[0]); ok || err != nil {
		t.Error("there is an attempt.json", err)
	}
}

// What a task may write into: the experiment it was planned for, which may have grown since.
func TestOpenShared(t *testing.T) {
	c := parse(t, "strategies: [random, entropy]\n")
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := OpenShared(dir, c, NewAttempt(0)); err == nil || !strings.Contains(err.Error(), "there is no folder") {
		t.Errorf("no folder: %v", err)
	}
	if _, err := PrepareFolder(dir, c, false); err != nil {
		t.Fatal(err)
	}
	planned := c
	planned.Strategies = []string{"random"}
	if _, err := OpenShared(dir, planned, NewAttempt(0)); err != nil {
		t.Errorf("a folder that has grown: %v", err)
	}
	planned.QuerySize++
	if _, err := OpenShared(dir, planned, NewAttempt(0)); err == nil || !strings.Contains(err.Error(), "another experiment") {
		t.Errorf("a folder of another experiment: %v", err)
	}
}

// A lock that another holds, a file system that has no locks, and a fault are told apart.
func TestLocks(t *testing.T) {
	c := parse(t, "")
	dir := t.TempDir()
	answer := func(err error) {
		tryLock = func(*flock.Flock) (bool, error) { return false, err }
	}
	defer func(before func(*flock.Flock) (bool, error)) { tryLock = before }(tryLock)
	create := func(name string) (*Folder, error) { return CreateFolder(filepath.Join(dir, name), c, true) }

	for _, none := range []error{syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOLCK} {
		answer(fmt.Errorf("flock: %w", none))
		f, err := create("none")
		if err != nil || f.NoLock == nil || !strings.Contains(f.NoLock.Error(), "has no locks (flock: "+none.Error()) {
			t.Errorf("%v: %v, want to go on and say so", none, err)
			continue
		}
		if f.attempt == nil {
			t.Errorf("%v: units are not claimed, though nothing else keeps two writers apart", none)
		}
		f.Close()
	}
	answer(nil)
	if _, err := create("held"); err == nil || !strings.Contains(err.Error(), "in use by another nextslice") {
		t.Errorf("a lock that is held: %v", err)
	}
	if err := Held(filepath.Join(dir, "never")); err != nil {
		t.Errorf("a folder that nobody has locked: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Held(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a folder that is held: %v", err)
	}
	answer(syscall.EACCES)
	if _, err := create("fault"); err == nil || strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "no locks") {
		t.Errorf("a lock that cannot be made: %v", err)
	}
	lockPatience = 50 * time.Millisecond
	defer func() { lockPatience = 10 * time.Second }()
	never := make(chan struct{})
	defer close(never)
	tryLock = func(*flock.Flock) (bool, error) { <-never; return false, nil }
	if f, err := create("silent"); err != nil || f.NoLock == nil || !strings.Contains(f.NoLock.Error(), "does not answer") {
		t.Errorf("a file system that does not answer: %v", err)
	}
}

// The data's folder is the same however its path is written; another one is another experiment.
func TestFolderOfTheSameData(t *testing.T) {
	base := t.TempDir()
	t.Chdir(base)
	c := parse(t, "data: here\n")
	dir := filepath.Join(base, "run")
	if _, err := PrepareFolder(dir, c, false); err != nil {
		t.Fatal(err)
	}
	c.Data = filepath.Join(base, "here")
	if _, err := PrepareFolder(dir, c, true); err != nil {
		t.Errorf("the absolute path: %v", err)
	}
	if _, there, err := OpenFolder(dir); err != nil || there.Data != c.Data {
		t.Errorf("the folder now says %s, %v", there.Data, err)
	}
	c.Data = "there"
	if _, err := PrepareFolder(dir, c, true); err == nil {
		t.Error("another folder was taken for the same")
	}
}
