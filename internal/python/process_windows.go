package python

import (
	"os"
	"os/exec"
	"syscall"
)

// root is the working directory of the worker: where no file of the user can be taken for one of Python's modules.
func root() string { return os.Getenv("SystemRoot") }

// apart gives the worker a process group of its own: Ctrl-C is for this program, which then ends it.
func apart(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func kill(c *exec.Cmd) { _ = c.Process.Kill() }
