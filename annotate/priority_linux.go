package annotate

import "syscall"

// lowerPriority makes the calling thread, and all that it starts, give way to the threads that serve people. On Linux
// the priority of setpriority(2) belongs to the thread. A failure does not matter.
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 15) }
