// Package tempdir makes temporary folders that the next process removes when this one is killed.
package tempdir

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const prefix = "nextslice-"

// lockName is of a file that nothing but Make leaves in a folder. It is held as long as the folder's process lives, and says whose folder it is (see owner).
const lockName = ".nextslice-temporary"

// Make makes a temporary folder, which belongs to this process as long as it lives. remove removes it.
func Make(kind string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", prefix+kind+"-")
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, lockName)
	lock := flock.New(path)
	locked := false
	if err = os.WriteFile(path, []byte(owner(dir)), 0o600); err == nil {
		locked, err = lock.TryLock()
	}
	if err == nil && !locked {
		err = errors.New(path + " is held by another process: give the command again") // which sweeps in this moment
	}
	if err != nil {
		lock.Close()
		os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, func() {
		lock.Close()
		os.RemoveAll(dir)
	}, nil
}

// owner is what the lock's file of a folder says: the machine that made it, since locks of some file systems do not reach beyond one, and where.
func owner(dir string) string {
	host, _ := os.Hostname()
	return host + "\n" + dir + "\n"
}

// Sweep removes the temporary folders of processes that were killed: those that Make made on this machine, where it made them. Other folders
// stay, whatever they are called and hold: run folders, and copies of temporary folders.
func Sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		path := filepath.Join(dir, lockName)
		if says, err := os.ReadFile(path); err != nil || string(says) != owner(dir) {
			continue // not Make's, or being made
		}
		lock := flock.New(path)
		locked, err := lock.TryLock()
		lock.Close() // before the file goes: Windows removes no open file
		if err == nil && locked {
			os.RemoveAll(dir)
		}
	}
}
