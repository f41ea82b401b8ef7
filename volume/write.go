package volume

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/gzip"
)

// WriteMask writes a mask as unsigned bytes; the extension chooses the format: .nii or .nii.gz (NIfTI-1). A file of that
// name is replaced in one step: whoever opens it sees the whole old or the whole new one, also after a crash.
//
// Where the mask's grid comes from a NIfTI image, the file gets that image's geometry fields as they are; else the
// affine is written as sform and qform. It lies over its image in every viewer. World coordinates are rounded to
// float32, as the format has them.
func WriteMask(path string, m *Mask) error {
	return write(path, m.Grid, len(m.Data), "uint8", func(dst []byte, first, n int) {
		copy(dst, m.Data[first:first+n])
	})
}

// WriteVolume writes an image like WriteMask does a mask: with the type v.Stored where that is an integer of up to 16
// bits and holds every value exactly, else as float32.
func WriteVolume(path string, v *Volume) error {
	s := scalar(v.Stored)
	if !s.holds(v.Data) {
		s = "float32"
	}
	return write(path, v.Grid, len(v.Data), s, func(dst []byte, first, n int) {
		s.encode(dst, v.Data[first:first+n])
	})
}

func write(path string, g Grid, voxels int, s scalar, fill func(dst []byte, first, n int)) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if voxels != g.Len() {
		panic(fmt.Sprintf("volume: write: %d values for a grid of %d x %d x %d", voxels, g.Size[0], g.Size[1], g.Size[2]))
	}
	var encode func(io.Writer) error
	switch ext, _ := extension(path); ext {
	case ".nii", ".nii.gz":
		encode = func(w io.Writer) error { return writeNIfTI(w, g, s, fill) }
		if ext == ".nii.gz" {
			encode = packed(encode)
		}
	default:
		return fmt.Errorf("write %s: cannot write this format: name the file .nii.gz or .nii", path)
	}
	if err := replace(path, encode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// packed wraps a writer's function in gzip. The header of the gzip file holds no name and no time: the same image gives
// the same bytes.
func packed(encode func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		z := gzip.NewWriter(w)
		return errors.Join(encode(z), z.Close())
	}
}

// replace writes a file beside path, syncs it and renames it to path.
func replace(path string, encode func(io.Writer) error) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	b := bufio.NewWriterSize(f, 1<<16)
	if err := encode(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
