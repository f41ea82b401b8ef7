package cluster

import (
	"os/exec"
	"syscall"
)

// apart gives a command a process group of its own: Ctrl-C is for this program, and ends no sbatch halfway.
func apart(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
