//go:build unix

package python

import (
	"errors"
	"os/exec"
	"syscall"
)

// root is the working directory of the worker: where no file of the user can be taken for one of Python's modules.
func root() string { return "/" }

// apart gives the worker a process group of its own: Ctrl-C is for this program, which then ends it.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends the worker and what it has started.
func kill(c *exec.Cmd) {
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL); errors.Is(err, syscall.EPERM) {
		_ = c.Process.Kill()
	}
}
