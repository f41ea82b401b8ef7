// Package tempdir makes temporary folders that the next process removes when this one is killed.
package tempdir

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const prefix = "nextslice-"

// Make makes a temporary folder, which belongs to this process as long as it lives. remove removes it.
func Make(kind string) (dir string, remove func(), err error) {
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
		locked, err := lock.TryLock()
		lock.Close() // before the file goes: Windows removes no open file
		if err == nil && locked {
			os.RemoveAll(dir)
		}
	}
}
