package dicom

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// maxSlices bounds the slices of a segmentation: two frames far apart must not ask for all the memory between them.
const maxSlices = 1 << 12

const (
	segClass      = "1.2.840.10008.5.1.4.1.1.66.4"
	labelMapClass = "1.2.840.10008.5.1.4.1.1.66.7"
)

// ReadSegmentation reads a DICOM segmentation object (SEG): binary, fractional or label map. The value of a segment is its
// number. Segments that overlap go to different layers. A fractional segment has the voxels of at least half its maximum.
//
// The grid is that of the object, which may cover only some slices of its image: volume.Segmentation.On puts it on the image.
// Slices that are left out between others are background. The warnings name what was decided so.
func ReadSegmentation(path string) (*volume.Segmentation, []string, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, warnings, err := f.segmentation()
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, warnings, nil
}

func (f *file) segmentation() (*volume.Segmentation, []string, error) {
	if class := f.text(tag.SOPClassUID); class != segClass && class != labelMapClass {
		return nil, nil, fmt.Errorf("no DICOM segmentation: its SOP class is %q", printable(class))
	}
	planes, err := f.planes()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range planes {
		if !p.placed {
			return nil, nil, fmt.Errorf("frame %d has no position or orientation", p.frame+1)
		}
		if norm(cross(p.normal(), planes[0].normal())) > 1e-3 || dot(p.right, planes[0].right) < 0.999 {
			return nil, nil, fmt.Errorf("frame %d has another orientation than the first", p.frame+1)
		}
	}
	sortStack(planes)
	out := &volume.Segmentation{}
	var at []int // the slice of every plane
	var warnings []string
	if out.Grid, at, warnings, err = segmentationGrid(planes); err != nil {
		return nil, nil, err
	}
	if err := out.Check(); err != nil {
		return nil, nil, err
	}
	threshold := int64(1)
	switch kind := f.text(tag.SegmentationType); kind {
	case "BINARY":
	case "FRACTIONAL":
		highest := int64(f.whole(tag.MaximumFractionalValue, 255))
		threshold = (highest + 1) / 2
		warnings = append(warnings, fmt.Sprintf("a fractional segmentation: voxels of at least %d of %d belong to the segment", threshold, highest))
	case "LABELMAP":
		threshold = 0
	default:
		return nil, nil, fmt.Errorf("segmentation type %q is unknown", printable(kind))
	}
	if out.Segments, err = f.segments(); err != nil {
		return nil, nil, err
	}
	if err := f.fillSegments(out, planes, at, threshold); err != nil {
		return nil, nil, err
	}
	return out, warnings, nil
}

// segments returns the segments that the header describes, by number.
func (f *file) segments() ([]volume.Segment, error) {
	var out []volume.Segment
	for _, m := range f.items(tag.SegmentSequence) {
		n := m.whole(tag.SegmentNumber, 0)
		if n == 0 && f.text(tag.SOPClassUID) == labelMapClass {
			continue // the background
		}
		if n < 1 || n > 255 {
			return nil, fmt.Errorf("segment number %d: want 1 to 255", n)
		}
		s := volume.Segment{Name: printable(m.text(tag.SegmentLabel)), Value: uint8(n), Color: volume.SegmentColor(n)}
		if lab := m.reals(tag.RecommendedDisplayCIELabValue); len(lab) == 3 {
			s.Color = fromLab([3]int{int(lab[0]), int(lab[1]), int(lab[2])})
		}
		if s.Name == "" {
			s.Name = fmt.Sprintf("Segment_%d", n)
		}
		if slices.ContainsFunc(out, func(o volume.Segment) bool { return o.Value == s.Value }) {
			return nil, fmt.Errorf("segment number %d is used twice", n)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("no segments in the header")
	}
	slices.SortFunc(out, func(a, b volume.Segment) int { return cmp.Compare(a.Value, b.Value) })
	return out, nil
}

// segmentationGrid returns the grid of sorted frames, several of which may lie at one place, and the slice of each.
func segmentationGrid(planes []slice) (volume.Grid, []int, []string, error) {
	first := planes[0]
	var places []slice
	for i, p := range planes {
		if i == 0 || p.at-places[len(places)-1].at > samePlace {
			places = append(places, p)
		}
	}
	step := math.Inf(1)
	for i := 1; i < len(places); i++ {
		step = min(step, places[i].at-places[i-1].at)
	}
	// Empty slices are left out, so the smallest gap may be several: believe the header where it divides the gap.
	if d := first.thickness; len(places) == 1 {
		step = max(d, 1e-3)
		if d == 0 {
			step = 1
		}
	} else if n := math.Round(step / max(d, samePlace)); d > samePlace && n >= 1 && math.Abs(step-n*d) < 0.05*d {
		step /= n
	}
	rows := make([]int, len(planes))
	for i, p := range planes {
		exact := (p.at - first.at) / step
		if !(exact < maxSlices) || math.Abs(exact-math.Round(exact)) > 0.2 {
			return volume.Grid{}, nil, nil, fmt.Errorf("frame %d lies %.4g mm behind the first, which is no multiple of the spacing of %.4g mm", p.frame+1, p.at-first.at, step)
		}
		rows[i] = int(math.Round(exact))
	}
	// As a stack of two planes, the first and one a step further: its affine is the one wanted.
	second := first
	last := planes[len(planes)-1]
	for r := range 3 {
		if n := rows[len(planes)-1]; n > 0 {
			second.position[r] += (last.position[r] - first.position[r]) / float64(n)
		} else {
			second.position[r] += step * first.normal()[r]
		}
	}
	g, warnings := stackGrid([]slice{first, second})
	g.Size[2] = rows[len(planes)-1] + 1
	if g.Unit != volume.Millimetre {
		return g, nil, nil, errors.New("no pixel spacing")
	}
	return g, rows, warnings, nil
}

// fillSegments reads the frames into layers. In a layer no two segments share a voxel. Threshold 0 stands for a label map.
func (f *file) fillSegments(out *volume.Segmentation, planes []slice, at []int, threshold int64) error {
	r, err := f.openFrames(planes[0].rows, planes[0].columns)
	if err != nil {
		return err
	}
	defer r.close()
	n := out.Size[0] * out.Size[1]
	if threshold == 0 {
		out.Layers = [][]uint8{make([]uint8, out.Len())}
		return f.fillLabels(out, planes, at, r)
	}
	voxels := map[uint8][]int{}
	for i, p := range planes {
		number := inGroups(p.groups, tag.SegmentIdentificationSequence, tag.ReferencedSegmentNumber)
		if len(number) == 0 || !slices.ContainsFunc(out.Segments, func(s volume.Segment) bool { return float64(s.Value) == number[0] }) {
			return fmt.Errorf("frame %d belongs to segment %v, which the header does not describe", p.frame+1, number)
		}
		pixels, err := r.frame(p.frame)
		if err != nil {
			return err
		}
		for v, x := range pixels {
			if x >= threshold {
				voxels[uint8(number[0])] = append(voxels[uint8(number[0])], at[i]*n+v)
			}
		}
	}
	segments := out.Segments
	out.Segments = nil
	for _, segment := range segments {
		addSegment(out, segment, voxels[segment.Value])
	}
	return nil
}

// fillLabels reads the frames of a label map, whose pixels are segment numbers.
func (f *file) fillLabels(out *volume.Segmentation, planes []slice, at []int, r *frameReader) error {
	n := out.Size[0] * out.Size[1]
	for i, p := range planes {
		pixels, err := r.frame(p.frame)
		if err != nil {
			return err
		}
		for v, x := range pixels {
			if x < 0 || x > 255 {
				return fmt.Errorf("frame %d holds the segment number %d: want 0 to 255", p.frame+1, x)
			}
			out.Layers[0][at[i]*n+v] = uint8(x)
		}
	}
	return nil
}
