//go:build linux || darwin

package annotate

import (
	"os"
	"syscall"
)

// mapFile maps size bytes of a file from at on, a multiple of the page size.
func mapFile(file *os.File, at int64, size int) ([]byte, error) {
	return syscall.Mmap(int(file.Fd()), at, size, syscall.PROT_READ, syscall.MAP_SHARED)
}
