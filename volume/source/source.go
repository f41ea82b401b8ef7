// Package source says what a path is, and reads images and masks of any format, DICOM included.
//
// [KindOf] decides from the name, and where that does not tell from the content: everything that takes a path from a
// person asks it. [Open] reads the header of an image, a file or a DICOM series; [ReadSegmentation] and [ReadMask] read
// segmentations. Where a path holds several images and none was chosen the error is a *volume.ChoiceError.
package source

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Kind is what a path holds.
type Kind int

const (
	Volume   Kind = iota // a file in one of the formats with geometry, an image or a mask; also any file that is not known
	Picture              // a PNG, JPEG or TIFF file
	Segments             // named segments: a .seg.nrrd file, another NRRD file whose header names segments, or a DICOM SEG
	Contours             // a DICOM structure set
	Series               // DICOM images: a file, or a folder in which such files lie
	Cases                // any other folder
)

// KindOf returns what a path holds. A folder that has volumes, or a folder images or imagesTr, is one of cases whatever
// else lies in it. The error is that of a path that cannot be read.
func KindOf(path string) (Kind, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Volume, err
	case info.IsDir():
		return folderKind(path)
	case volume.IsSegmentation(path):
		return Segments, nil
	case volume.IsPicture(path):
		return Picture, nil
	case volume.IsImage(path) || !dicom.IsFile(path):
		return Volume, nil
	}
	switch kind, err := dicom.KindOf(path); kind {
	case dicom.Segmentation:
		return Segments, err
	case dicom.Contours:
		return Contours, err
	default:
		return Series, err
	}
}

func folderKind(path string) (Kind, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return Cases, err
	}
	kind := Cases
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "images", name == "imagesTr", volume.IsImage(name) && !volume.IsPicture(name):
			return Cases, nil
		case kind == Cases && dicom.IsFile(filepath.Join(path, name)):
			kind = Series
		}
	}
	return kind, nil
}

// Image is an image whose header was read.
type Image struct {
	volume.Header
	Series   *dicom.Series // where the image is one, else nil
	Warnings []string      // what is doubtful about it, one line each
	Path     string        // that it was opened by
}

// IsSeries reports whether an image is a DICOM series: given by a folder, or by a DICOM file.
func IsSeries(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || !volume.IsImage(path) && dicom.IsFile(path))
}

// Open reads the header of an image: a file of any format, or a DICOM series given by its folder or by one of its
// files. series, the ID or UID of one of several in a folder, may be "".
func Open(path, series string) (*Image, error) {
	if !IsSeries(path) {
		h, err := volume.ReadHeader(path)
		return &Image{Header: h, Warnings: h.Warnings(), Path: path}, err
	}
	s, warnings, err := dicom.Find(path, series)
	if err != nil {
		return nil, err
	}
	return &Image{volume.Header{Grid: s.Grid, Stored: s.Stored, Channels: 1}, s, warnings, path}, nil
}

// Read reads the voxels of one channel, as volume.ReadChannel does. The one channel of a DICOM series is 0.
func (i *Image) Read(channel int) (*volume.Volume, error) {
	switch {
	case i.Series == nil:
		return volume.ReadChannel(i.Path, channel)
	case channel > 0:
		return nil, fmt.Errorf("read %s: there is no channel %d: a DICOM series has one, 0", i.Path, channel)
	}
	return i.Series.Read()
}

// Read is Open and Image.Read at once. The warnings say what is doubtful about the image.
func Read(path, series string, channel int) (v *volume.Volume, warnings []string, err error) {
	if !IsSeries(path) { // its header is not read twice
		if v, err = volume.ReadChannel(path, channel); err == nil {
			warnings = v.Warnings()
		}
		return v, warnings, err
	}
	image, err := Open(path, series)
	if err != nil {
		return nil, nil, err
	}
	v, err = image.Read(channel)
	return v, image.Warnings, err
}

// ReadSegmentation reads a mask of any format with the names of its segments. Contours are filled on the slices of the DICOM
// series that they were drawn on, and a DICOM SEG is put on those of its series; for SEG and other masks on may be nil. The warnings
// say what is doubtful.
func ReadSegmentation(path string, on *dicom.Series) (s *volume.Segmentation, warnings []string, err error) {
	kind, err := KindOf(path)
	switch {
	case err != nil:
		return nil, nil, err
	case kind == Contours, kind == Segments && !volume.IsImage(path):
		return dicom.ReadSegments(path, on)
	case kind == Volume || kind == Picture || kind == Segments:
		if s, err = volume.ReadSegmentation(path); err == nil {
			warnings = s.Warnings()
		}
		return s, warnings, err
	}
	v, warnings, err := Read(path, "", volume.OnlyChannel)
	if err != nil {
		return nil, nil, err
	}
	m := &volume.Mask{Grid: v.Grid, Data: make([]uint8, len(v.Data))}
	for n, x := range v.Data {
		if m.Data[n] = uint8(max(0, min(255, x))); float32(m.Data[n]) != x {
			at := v.Size.Voxel(n)
			return nil, nil, fmt.Errorf("read %s: not a mask: voxel (%d, %d, %d) is %g, want a whole number from 0 to 255", path, at[0], at[1], at[2], x)
		}
	}
	return volume.NewSegmentation(m, nil), warnings, nil
}

// ReadMask reads a mask of any format whose segments do not overlap.
func ReadMask(path string) (*volume.Mask, error) {
	if volume.IsImage(path) {
		return volume.ReadMask(path)
	}
	s, _, err := ReadSegmentation(path, nil)
	if err != nil {
		return nil, err
	}
	m, _, err := s.Mask()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return m, nil
}
