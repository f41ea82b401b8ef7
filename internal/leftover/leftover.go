// Package leftover removes what a killed process has left: temporary files beside those that it was writing, and temporary folders.
package leftover

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofrs/flock"
)

// temporary is how renameio names a file until it is whole: a dot, the name that it will have, and digits.
var temporary = regexp.MustCompile(`^\.(.+[^0-9])[0-9]{5,}$`)

// Of removes the temporary files of one file that is about to be written.
func Of(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		if m := temporary.FindStringSubmatch(e.Name()); m != nil && m[1] == filepath.Base(path) {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// In removes all temporary files and folders of a folder and those below that are older than an age: 0 where nobody else can be writing.
func In(dir string, age time.Duration) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir || !IsTemporary(e.Name()) {
			return nil
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) >= age {
			os.RemoveAll(path)
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

// IsTemporary reports whether a file's name is one that only a killed process leaves.
func IsTemporary(name string) bool { return temporary.MatchString(name) }

const prefix = "nextslice-"

// TempDir makes a temporary folder, which belongs to this process as long as it lives. remove removes it.
func TempDir(kind string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", prefix+kind+"-")
	if err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLock(); err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, func() {
		lock.Close()
		os.RemoveAll(dir)
	}, nil
}

// Sweep removes the temporary folders of processes that were killed.
func Sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, ".lock")
		if _, err := os.Lstat(path); err != nil {
			continue // not ours, or being made
		}
		lock := flock.New(path)
		if locked, err := lock.TryLock(); err == nil && locked {
			os.RemoveAll(dir)
		}
		lock.Close()
	}
}
