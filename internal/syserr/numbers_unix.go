//go:build !windows

package syserr

import "syscall"

var (
	diskFull     = []syscall.Errno{syscall.ENOSPC}
	readOnly     = []syscall.Errno{syscall.EROFS}
	addressInUse = []syscall.Errno{syscall.EADDRINUSE}
	brokenPipe   = []syscall.Errno{syscall.EPIPE}
	noLocks      = []syscall.Errno{syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOTSUP, syscall.ENOLCK, syscall.EINVAL}
)
