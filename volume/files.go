package volume

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Files returns the paths of the files that an image or a mask at a path is read from: that file itself, and behind it the one that
// its header names for the voxels (.mhd, .nhdr, and .mha and .nrrd where they do so too), or the other one of a pair (.hdr and .img). No voxels are read,
// and whether the second file is there is not looked at. A file of no format that Read knows is its only one, and so is a folder.
// The error is that of a header that cannot be read.
func Files(p string) ([]string, error) {
	ext, format := extension(p)
	if format != metaImage && format != nrrd && (format != nifti || strings.HasPrefix(ext, ".nii")) {
		return []string{p}, nil
	}
	fsys, name := folderOf(p)
	file, err := name, error(nil)
	switch format {
	case nifti:
		var header, voxels string
		if header, voxels, err = niftiPair(fsys, name, ext); name == header {
			file = voxels
		} else {
			file = header
		}
	case metaImage:
		file, err = voxelFile(fsys, name, func(data []byte) (string, int, error) {
			fields, length, err := metaFields(data)
			if err != nil {
				return "", 0, err
			}
			file, err := metaVoxelFile(name, fields)
			return file, length, err
		})
	case nrrd:
		file, err = voxelFile(fsys, name, func(data []byte) (string, int, error) {
			fields, _, length, err := nrrdFields(data)
			if err != nil {
				return "", 0, err
			}
			file, err := nrrdVoxelFile(name, fields)
			return file, length, err
		})
	}
	if err != nil {
		return nil, named("read", p, err)
	}
	if file == name {
		return []string{p}, nil
	}
	return []string{p, filepath.Join(filepath.Dir(p), filepath.FromSlash(file))}, nil
}

// voxelFile asks find for the file of the voxels, with the beginning of a header, of which it returns the length: most are short, and
// what does not end there is read as far as a header may go.
func voxelFile(fsys fs.FS, name string, find func(data []byte) (file string, length int, err error)) (string, error) {
	for n := int64(1 << 14); ; n = maxTextHeader {
		data, packed, err := head(fsys, name, n)
		if err != nil {
			return "", err
		}
		if packed {
			return "", fmt.Errorf("a gzip file; this format compresses its voxels, not its header: decompress it")
		}
		file, length, err := find(data)
		if err == nil && length < len(data) || n == maxTextHeader || int64(len(data)) < n {
			return file, err
		}
	}
}
