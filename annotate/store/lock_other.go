//go:build !unix

package store

import "os"

// lockFile opens the file only. On Windows a second server then fails on the address, unless it was given another.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
}
