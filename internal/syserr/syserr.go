// Package syserr names the system's errors that the program answers in a way of its own: their numbers differ between Windows and the others.
package syserr

import (
	"errors"
	"slices"
	"syscall"
)

// DiskFull tells whether there was no room left.
func DiskFull(err error) bool { return is(err, diskFull) }

// ReadOnly tells whether a file system cannot be written to.
func ReadOnly(err error) bool { return is(err, readOnly) }

// AddressInUse tells whether another program listens on an address.
func AddressInUse(err error) bool { return is(err, addressInUse) }

// BrokenPipe tells whether whoever read the output has gone.
func BrokenPipe(err error) bool { return is(err, brokenPipe) }

// NoLocks tells errors of file systems without locks (Lustre mounted without flock, NFS without its lock service, some FUSE, some shares
// of Windows) from those of files.
func NoLocks(err error) bool { return is(err, noLocks) }

func is(err error, numbers []syscall.Errno) bool {
	return slices.ContainsFunc(numbers, func(n syscall.Errno) bool { return errors.Is(err, n) })
}
