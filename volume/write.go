package volume

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/nextslice/nextslice/internal/atomicfile"
)

// WriteMask writes a mask as unsigned bytes; the extension chooses the format: .nii.gz or .nii (NIfTI-1), .mha, .nrrd, or
// .seg.nrrd with a segment for every class that occurs. A file of that name is replaced in one step: whoever opens it sees
// the whole old or the whole new one, also after a crash.
//
// Where the mask's grid comes from a NIfTI image, a NIfTI file gets that image's geometry fields as they are; else the
// affine is written as sform and qform. It lies over its image in every viewer. NIfTI-1 rounds world coordinates to
// float32, the other formats keep them exactly.
func WriteMask(path string, m *Mask) error {
	if WritesSegments(path) {
		return WriteSegmentation(path, NewSegmentation(m, nil))
	}
	return write(path, m.Grid, len(m.Data), "uint8", func(dst []byte, first, n int) {
		copy(dst, m.Data[first:first+n])
	})
}

// WriteVolume writes an image as WriteMask writes a mask: with the type v.Stored where that is an integer of up to 16
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

// Scaled is an image of eight bits whose values stand for intensities: value × Slope + Intercept.
type Scaled struct {
	Grid
	Data             []uint8
	Slope, Intercept float64 // Slope is not 0
}

// WriteScaled writes an image of eight bits with its scaling to a .nii.gz or .nii file, as WriteMask does otherwise.
func WriteScaled(path string, v *Scaled) error {
	if ext, _ := extension(path); ext != ".nii" && ext != ".nii.gz" {
		return fmt.Errorf("write %s: scaled images are written as .nii.gz or .nii only", path)
	}
	if err := v.Check(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return named("write", path, replace(path, func(w io.Writer) error {
		fill := func(dst []byte, first, n int) { copy(dst, v.Data[first:first+n]) }
		if ext, _ := extension(path); ext == ".nii" {
			return writeScaledNIfTI(w, v.Grid, "uint8", v.Slope, v.Intercept, fill)
		}
		return compressed(w, func(w io.Writer) error { return writeScaledNIfTI(w, v.Grid, "uint8", v.Slope, v.Intercept, fill) })
	}))
}

// WriteSegmentation writes a .seg.nrrd file, in which 3D Slicer finds the segments with their names and colours. The file
// is replaced in one step, as by WriteMask. Two segments of one name are an error.
func WriteSegmentation(path string, s *Segmentation) error {
	if !WritesSegments(path) {
		return fmt.Errorf("write %s: segments are written as .seg.nrrd only", path)
	}
	if err := s.Grid.Check(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	var names []string
	for _, segment := range s.Segments {
		names = append(names, segment.Name)
	}
	if err := CheckNames(names); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for l, layer := range s.Layers {
		if len(layer) != s.Len() {
			panic(fmt.Sprintf("volume: WriteSegmentation: layer %d has %d voxels, want %d", l, len(layer), s.Len()))
		}
	}
	layers := len(s.Layers)
	return named("write", path, replace(path, func(w io.Writer) error {
		return writeNRRD(w, s.Grid, "uint8", layers, s.segmentKeys(), func(dst []byte, first, n int) {
			for i := range n {
				dst[i] = s.Layers[(first+i)%layers][(first+i)/layers]
			}
		})
	}))
}

func write(path string, g Grid, voxels int, s scalar, fill func(dst []byte, first, n int)) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if voxels != g.Len() {
		panic(fmt.Sprintf("volume: write: %d values for a grid of %v", voxels, g.Size))
	}
	return named("write", path, replace(path, func(w io.Writer) error { return encode(w, path, g, s, fill) }))
}

// encode writes an image in the format of a file's name. fill puts voxels, little-endian, into its slice: n of them from the
// first on.
func encode(w io.Writer, name string, g Grid, s scalar, fill func(dst []byte, first, n int)) error {
	switch ext, _ := extension(name); ext {
	case ".nii":
		return writeNIfTI(w, g, s, fill)
	case ".nii.gz":
		return compressed(w, func(w io.Writer) error { return writeNIfTI(w, g, s, fill) })
	case ".mha":
		return writeMetaImage(w, g, s, fill)
	case ".nrrd":
		return writeNRRD(w, g, s, 1, "", fill)
	}
	return errors.New("cannot write this format: name the file .nii.gz, .nii, .mha or .nrrd")
}

// compressed runs a writer's function through gzip. The header of the gzip file holds no name and no time: the same image
// gives the same bytes.
func compressed(w io.Writer, write func(io.Writer) error) error {
	z := gzip.NewWriter(w)
	if err := write(z); err != nil {
		return err // Close would only repeat it
	}
	return z.Close()
}

// replace writes a file beside path, syncs it and renames it to path.
func replace(path string, encode func(io.Writer) error) error {
	f, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer f.Discard()
	b := bufio.NewWriterSize(f, 1<<16)
	if err := encode(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Commit()
}
