//go:build !windows

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// Rename moves a file, over another one if need be.
func Rename(from, to string) error { return os.Rename(from, to) }

// renameNew gives a file another name that nobody has; the old one may stay.
func renameNew(from, to string) error { return os.Link(from, to) }

// alive tells whether there is a process of this number.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
