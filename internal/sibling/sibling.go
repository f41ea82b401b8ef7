// Package sibling names what lies beside a folder and belongs to it, such as scans-annotation beside scans.
package sibling

import (
	"fmt"
	"os"
	"path/filepath"
)

// Path returns the path of what belongs to a folder: beside it, under its name with an ending such as -annotation. However the folder is spelled, it is one path: . and .. stand for
// the names that the folders have. The folder need not be there. flag is how a person gives another path, for the errors: of a folder that has no name (/), and of one to
// which something belongs that was named after its spelling, as earlier versions did (scans/.-annotation), so that it is not left behind unseen.
func Path(dir, ending, flag string) (string, error) {
	spelled := filepath.Clean(dir)
	path := spelled
	if base := filepath.Base(path); base == "." || base == ".." {
		var err error
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
	}
	if there, err := os.Stat(dir); err == nil {
		if at, err := os.Stat(path); err != nil || !os.SameFile(there, at) { // .. behind a link is not the folder before it
			if path, err = real(dir); err != nil {
				return "", err
			}
		}
	}
	if base := filepath.Base(path); base == "." || base == string(filepath.Separator) {
		return "", fmt.Errorf("the folder %s has no name that %s could be added to: say with %s what to take", path, ending, flag)
	}
	named := path + ending
	for _, old := range []string{filepath.Join(path, "."+ending), spelled + ending} {
		if _, err := os.Lstat(old); err == nil && old != named {
			return "", fmt.Errorf("%s was named by an earlier version and belongs to %s: move it to %s, or name it with %s", old, path, named, flag)
		}
	}
	return named, nil
}

// real returns a folder's absolute path without links.
func real(dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		at, err := os.Getwd()
		if err != nil {
			return "", err
		}
		dir = at + string(filepath.Separator) + dir // Join would take .. out
	}
	return filepath.EvalSymlinks(dir)
}
