// Package atomicfile writes files that are there in full or not at all, on every system that Go has, and removes what a killed
// process left unfinished.
//
// A file is written under another name beside its own, synced and renamed. The other name says who writes: the machine, the process
// and a number that no other process drew, so that one process never takes the file of another from under its hands.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write writes a file with these contents, or replaces one. A new file gets perm less the umask; one that is replaced keeps its permissions.
// After an error the file is as it was.
func Write(path string, data []byte, perm os.FileMode) error {
	info, err := os.Lstat(path)
	replaces := err == nil && info.Mode().IsRegular()
	if replaces {
		perm = info.Mode().Perm()
	}
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Discard()
	if replaces {
		if err := f.Chmod(perm); err != nil { // whatever the umask
			return err
		}
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// File is a file that is being written: nobody sees it under its name before Commit.
type File struct {
	*os.File
	path string
	done bool
}

// Create begins a file with the permissions perm less the umask. Exactly one of Commit and Discard has to follow; Discard may follow Commit.
// What killed processes had begun of the same file is removed.
func Create(path string, perm os.FileMode) (*File, error) {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	sweep(dir, name)
	f, err := os.OpenFile(filepath.Join(dir, temporaryName(name)), os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return &File{File: f, path: path}, nil
}

// Commit gives the file its name, with its contents on the disk. After an error the file of that name is as it was.
func (f *File) Commit() error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil { // before the rename: Windows renames no open file
		return err
	}
	if err := Rename(f.Name(), f.path); err != nil {
		return err
	}
	f.done = true
	return nil
}

// Discard removes what was written, unless Commit has given it its name.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	f.Close() // an error of a second Close says nothing
	os.Remove(f.Name())
}

// WriteNew writes a file that is not there yet. It fails with fs.ErrExist where there is one: of several processes that try, on NFS too,
// one succeeds.
func WriteNew(path string, data []byte, perm os.FileMode) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Discard()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return renameNew(f.Name(), path)
}

// MkdirTemp makes a folder beside path, for this process alone, in which what will be path can be made.
func MkdirTemp(path string) (string, error) {
	dir := filepath.Join(filepath.Dir(path), temporaryName(filepath.Base(path)))
	return dir, os.Mkdir(dir, 0o700)
}
