package store

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// networkFile reports whether a folder lies on another machine: on a share, or a drive that stands for one.
func networkFile(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	drive := filepath.VolumeName(dir)
	if strings.HasPrefix(drive, `\\`) && !strings.HasPrefix(drive, `\\?\`) && !strings.HasPrefix(drive, `\\.\`) {
		return true
	}
	root, err := windows.UTF16PtrFromString(drive + `\`)
	return err == nil && windows.GetDriveType(root) == windows.DRIVE_REMOTE
}
