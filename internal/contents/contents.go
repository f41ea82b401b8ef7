// Package contents tells whether files are still the ones that were seen before: by a hash of their bytes, which is computed again only where
// size or time have changed.
package contents

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/volume"
)

// Seen is a file, or a folder with all that is in it, when it was read.
type Seen struct {
	Stat   string `json:"stat"`   // sizes and times
	SHA256 string `json:"sha256"` // of the bytes; of a folder with the names
}

// Of reads a file or a folder. An image is all files that its reader opens, volume.Files, wherever links lead, and none beside them.
//
// The hash of a header and voxels of its name is that of always. Hashes of old took all files of that name and no others: where those were more
// (p1.json, p1.seg.nrrd) or fewer (p1_vox.raw, links), the image counts as changed once, since nobody can say whether it has the voxels of then.
func Of(path string) (Seen, error) {
	files, err := list(path)
	if err != nil {
		return Seen{}, err
	}
	h := sha256.New()
	for _, f := range files {
		if len(files) > 1 {
			fmt.Fprintf(h, "%q\n", f.name)
		}
		if err := add(h, f.path); err != nil {
			return Seen{}, err
		}
	}
	return Seen{stat(files), hex.EncodeToString(h.Sum(nil))}, nil
}

// Stat returns the sizes and times of what Of would read, as Seen.Stat has them; no byte is read.
func Stat(path string) (string, error) {
	files, err := list(path)
	return stat(files), err
}

// Now returns what path holds, and whether the bytes are others than before. Bytes are read only where sizes or times differ.
func (before Seen) Now(path string) (now Seen, changed bool, err error) {
	files, err := list(path)
	if err != nil {
		return before, false, err
	}
	if stat(files) == before.Stat {
		return before, false, nil
	}
	now, err = Of(path)
	return now, err == nil && now.SHA256 != before.SHA256, err
}

type file struct {
	path, name string
	info       fs.FileInfo
}

func list(path string) (files []file, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		of, err := volume.Files(path)
		if err != nil { // whoever reads the image says so; its header is compared like any file
			of = []string{path}
		}
		for _, p := range of {
			name, err := filepath.Rel(filepath.Dir(path), p)
			if err != nil {
				return nil, err
			}
			info, err := os.Stat(p) // of what a link leads to
			if err != nil {
				return nil, err
			}
			files = append(files, file{p, filepath.ToSlash(name), info})
		}
		return files, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a linked folder is walked like others
	}
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := os.Stat(p) // of what a link leads to
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		name, err := filepath.Rel(path, p)
		files = append(files, file{p, filepath.ToSlash(name), info})
		return err
	})
	return files, err
}

// stat of one file can be read by a person; that of several is a hash.
func stat(files []file) string {
	var b strings.Builder
	for _, f := range files {
		if len(files) > 1 {
			fmt.Fprintf(&b, "%q ", f.name)
		}
		fmt.Fprintf(&b, "%d %d ", f.info.Size(), f.info.ModTime().UnixNano())
	}
	if len(files) == 1 {
		return strings.TrimSpace(b.String())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

func add(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
