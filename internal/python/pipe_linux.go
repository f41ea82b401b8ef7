package python

import (
	"os"
	"syscall"
)

// widen lets a pipe hold a mini-batch, so that both sides write it at once.
func widen(pipe *os.File) {
	const setPipeSize, size = 1031, 1 << 20 // F_SETPIPE_SZ
	if c, err := pipe.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, size) }) // one that stays small works too
	}
}
