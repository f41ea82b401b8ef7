package syserr

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What package syscall calls ENOSPC, EPIPE and so on are numbers of Go's own, which Windows never returns.
var (
	diskFull     = []syscall.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL}
	readOnly     = []syscall.Errno{windows.ERROR_WRITE_PROTECT}
	addressInUse = []syscall.Errno{windows.WSAEADDRINUSE}
	brokenPipe   = []syscall.Errno{windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA}
	noLocks      = []syscall.Errno{windows.ERROR_NOT_SUPPORTED, windows.ERROR_INVALID_FUNCTION, windows.ERROR_CALL_NOT_IMPLEMENTED}
)
