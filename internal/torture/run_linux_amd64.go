package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Supported reports whether Run works here.
const Supported = true

// Call is a system call that changes files.
type Call struct {
	Name  string // write, fsync, rename, unlink, truncate
	Path  string // of the file that it is done to, as far as a descriptor tells
	N     int    // 1, 2 … of the process
	Entry bool   // before it is carried out; else behind it
}

// calls are the system calls that are watched, by number.
var calls = map[uint64]string{
	syscall.SYS_WRITE: "write", syscall.SYS_PWRITE64: "write", syscall.SYS_WRITEV: "write", 285: "write", // fallocate
	syscall.SYS_FSYNC: "fsync", syscall.SYS_FDATASYNC: "fsync",
	syscall.SYS_RENAME: "rename", syscall.SYS_RENAMEAT: "rename", 316: "rename", // renameat2
	syscall.SYS_UNLINK: "unlink", syscall.SYS_UNLINKAT: "unlink", syscall.SYS_FTRUNCATE: "truncate",
}

// Run runs a command, of one process with any number of threads, and calls at for each watched call on a regular file, before and behind it; where it
// returns true the process is killed at once. It returns how many such calls there were. No other child of this process may end meanwhile.
func Run(c *exec.Cmd, at func(Call) bool) (n int, killed bool, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Ptrace = true
	if err := c.Start(); err != nil {
		return 0, false, err
	}
	main := c.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(main, &status, syscall.WALL, nil); err != nil {
		return 0, false, err
	}
	const goodSyscall, exitKill = 1, 1 << 20
	if err := syscall.PtraceSetOptions(main, syscall.PTRACE_O_TRACECLONE|goodSyscall|exitKill); err != nil {
		return 0, false, err
	}
	inside := map[int]*Call{} // by thread
	resume := func(pid, signal int) error {
		if err := syscall.PtraceSyscall(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return nil
	}
	if err := resume(main, 0); err != nil {
		return 0, false, err
	}
	for {
		pid, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return n, killed, err
		}
		if status.Exited() || status.Signaled() {
			delete(inside, pid)
			if pid == main {
				return n, killed, ended(status, killed)
			}
			continue
		}
		signal := 0
		switch stop := status.StopSignal(); stop {
		case syscall.SIGTRAP | 0x80:
			if killed {
				break
			}
			var r syscall.PtraceRegs
			if syscall.PtraceGetRegs(pid, &r) != nil {
				break
			}
			const notYet = -int64(syscall.ENOSYS) // what the kernel has in the place of a result before the call
			if int64(r.Rax) == notYet {
				call := enter(pid, r)
				if inside[pid] = call; call != nil {
					n++
					call.N = n
					killed = at(*call)
				}
			} else if call := inside[pid]; call != nil {
				delete(inside, pid)
				call.Entry = false
				killed = at(*call)
			}
			if killed {
				syscall.Kill(main, syscall.SIGKILL)
			}
		case syscall.SIGTRAP, syscall.SIGSTOP:
		default:
			signal = int(stop)
		}
		if err := resume(pid, signal); err != nil {
			return n, killed, err
		}
	}
}

// enter returns the call that a thread is about to make, nil if it is not watched or not on a regular file.
func enter(pid int, r syscall.PtraceRegs) *Call {
	name := calls[r.Orig_rax]
	switch name {
	case "":
		return nil
	case "rename", "unlink":
		return &Call{Name: name, Entry: true}
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, r.Rdi))
	if err != nil || path == "" || path[0] != '/' {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return &Call{Name: name, Path: path, Entry: true}
}

func ended(status syscall.WaitStatus, killed bool) error {
	switch {
	case killed || status.Exited() && status.ExitStatus() == 0:
		return nil
	case status.Exited():
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return fmt.Errorf("signal: %v", status.Signal())
}
