//go:build !windows

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

var rename = os.Rename

// alive tells whether there is a process of this number.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
