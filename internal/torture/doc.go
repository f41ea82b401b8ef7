// Package torture runs a program under ptrace and stops it at a chosen system call that changes files: to kill it inside a write, a sync or a
// rename, and to find out what a power loss at that moment would leave. It works on Linux on amd64; elsewhere [Supported] is false.
package torture
