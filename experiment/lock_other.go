//go:build !unix

package experiment

import "os"

// lockFile opens the file only: other systems' locks are not used.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
}
