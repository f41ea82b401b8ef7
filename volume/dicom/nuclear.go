package dicom

import (
	"fmt"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

const nuclearMedicine = "1.2.840.10008.5.1.4.1.1.20"

// nuclear returns the slices of a nuclear medicine image, whose frames are placed by their number: the first by its detector's information, the
// others SpacingBetweenSlices further along the normal, or against it where that is negative (PS3.3, C.8.4.15). Only reconstructed slices are
// such; projections and planar images have no place.
func (f *file) nuclear(rows, columns, frames int) ([]slice, error) {
	kind := ""
	if t := f.texts(tag.ImageType); len(t) > 2 {
		kind = t[2]
	}
	if !strings.HasPrefix(kind, "RECON") {
		return nil, fmt.Errorf("a nuclear medicine image of kind %q: only reconstructed slices (RECON TOMO) can be read", printable(kind))
	}
	p, err := f.pixelFormat()
	if err != nil {
		return nil, err
	}
	number := make([]int, frames) // of the slice, from 0
	for i := range number {
		number[i] = i
	}
	if e := f.find(tag.SliceVector); e != nil {
		vector, ok := e.Value.GetValue().([]int)
		if !ok || len(vector) != frames || slices.Min(vector) < 1 || slices.Max(vector) > frames {
			return nil, fmt.Errorf("%d frames with a slice vector that does not number them", frames)
		}
		for i, v := range vector {
			number[i] = v - 1
		}
	}
	detector := f.inner(tag.DetectorInformationSequence)
	step := f.real(tag.SpacingBetweenSlices, f.real(tag.SliceThickness, 0))
	if step == 0 && slices.Max(number) > 0 {
		return nil, fmt.Errorf("%d slices without SpacingBetweenSlices: their distance is not known", slices.Max(number)+1)
	}
	out := make([]slice, frames)
	for i := range out {
		s := slice{file: f, frame: i, rows: rows, columns: columns, instance: number[i], groups: []item{detector, f.item}}
		if err := s.fill(p); err != nil {
			return nil, err
		}
		for r, x := range s.normal() {
			s.position[r] += step * float64(number[i]) * x
		}
		out[i] = s
	}
	return out, nil
}
