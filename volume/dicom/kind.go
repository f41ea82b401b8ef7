package dicom

import (
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Kind says what a DICOM file holds.
type Kind int

const (
	Image        Kind = iota // pixels of an image, or anything else that is none of the following
	Segmentation             // a segmentation object: ReadSegments
	Contours                 // a structure set: ReadSegments
)

// KindOf reads the header of a file and returns what it holds.
func KindOf(path string) (Kind, error) {
	f, err := openFile(path)
	if err != nil {
		return Image, fmt.Errorf("read %s: %w", path, err)
	}
	return f.kind(), nil
}

func (f *file) kind() Kind {
	switch f.text(tag.SOPClassUID) {
	case segClass, labelMapClass:
		return Segmentation
	case structureSetClass:
		return Contours
	}
	return Image
}
