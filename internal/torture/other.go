//go:build !(linux && amd64)

package torture

import (
	"errors"
	"os/exec"
)

// Supported reports whether Run works here.
const Supported = false

// Call is a system call that changes files.
type Call struct {
	Name, Path string
	N          int
	Entry      bool
}

// Run is not to be had here.
func Run(*exec.Cmd, func(Call) bool) (calls int, killed bool, err error) {
	return 0, false, errors.New("torture: Linux on amd64 only")
}
