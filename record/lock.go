package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/nextslice/nextslice/internal/syserr"
)

const lockName = ".lock"

// lockPatience is how long the file system may take to answer: some of those that are shared never do.
var lockPatience = 10 * time.Second

// tryLock is flock's: a test has it answer as other file systems do.
var tryLock = (*flock.Flock).TryLock

// lockedError tells that a run folder is held by another process.
type lockedError struct{ dir string }

func (e *lockedError) Error() string {
	return fmt.Sprintf("%s is in use by another nextslice: wait for it, or choose another folder with --out", e.dir)
}

// NoLockError says that a file system has no locks, so that two writers at a time would not notice each other.
type NoLockError struct {
	Dir string
	Err error // nil where it did not answer
}

func (e *NoLockError) Error() string {
	why := "it does not answer"
	if e.Err != nil {
		why = e.Err.Error()
	}
	return fmt.Sprintf("the file system of %s has no locks (%s): no other nextslice should simulate into this folder at the same time; one that does will stop, or stop this one", e.Dir, why)
}

func (e *NoLockError) Unwrap() error { return e.Err }

// lock holds a folder against other processes until Close. The error is that it is held already, or a NoLockError, or that the
// lock's file cannot be made.
func lock(dir string) (*flock.Flock, error) {
	l := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
	type answer struct {
		locked bool
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		locked, err := tryLock(l)
		answers <- answer{locked, err}
	}()
	select {
	case a := <-answers:
		switch {
		case a.locked:
			return l, nil
		case a.err == nil:
			l.Close()
			return nil, &lockedError{dir}
		case syserr.NoLocks(a.err):
			l.Close()
			return nil, &NoLockError{dir, a.err}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, a.err)
	case <-time.After(lockPatience):
		return nil, &NoLockError{dir, nil}
	}
}

// Held returns an error if a process on a machine whose locks reach here simulates into a run folder. Where there are no locks it cannot
// tell, and returns nil.
func Held(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		return nil // nobody has ever locked it
	}
	l, err := lock(dir)
	var held *lockedError
	if errors.As(err, &held) {
		return held
	}
	if l != nil {
		return l.Close()
	}
	return nil
}
