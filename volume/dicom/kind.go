package dicom

import (
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Kind says what a DICOM file holds.
type Kind int

const (
	Image        Kind = iota // pixels of an image, or anything else that is none of the following
	Segmentation             // a segmentation object: ReadSegmentation
	Contours                 // a structure set: ReadContours
)

// KindOf reads the header of a file and returns what it holds.
func KindOf(path string) (Kind, error) {
	f, err := openFile(path)
	if err != nil {
		return Image, fmt.Errorf("read %s: %w", path, err)
	}
	switch f.text(tag.SOPClassUID) {
	case segClass, labelMapClass:
		return Segmentation, nil
	case structureSetClass:
		return Contours, nil
	}
	return Image, nil
}
