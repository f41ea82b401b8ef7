package source

import (
	"fmt"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// WriteSegmentation writes segments in the format of a file's name, and returns their names and values there as text. series
// is only used for DICOM.
func WriteSegmentation(path string, seg *volume.Segmentation, series *dicom.Series, how dicom.SEG) (string, error) {
	text := ""
	name := func(value int, name string) { text += fmt.Sprintf(", %d %s", value, name) }
	switch {
	case volume.IsDICOM(path):
		for i, s := range seg.Segments {
			name(i+1, s.Name)
		}
		how.Made = time.Now()
		return text, how.Write(path, seg, series)
	case volume.WritesSegments(path):
		for _, s := range seg.Segments {
			name(int(s.Value), s.Name)
		}
		return text, volume.WriteSegmentation(path, seg)
	}
	m, names, err := seg.Mask()
	if err != nil {
		return "", fmt.Errorf("%w; .seg.nrrd and DICOM SEG hold overlapping segments", err)
	}
	for class := 1; class < len(names); class++ {
		name(class, names[class])
	}
	return text, volume.WriteMask(path, m)
}
