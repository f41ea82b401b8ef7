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
// number, which says nothing about what it is: its name does (see volume.Segmentation.MaskOf). Segments that overlap go to different layers. A
// fractional segment has the voxels of at least half its maximum. A number in a label map that no segment has is an error, but for that of
// Pixel Padding Value, which is the background.
//
// The grid is that of the object, which may cover only some slices of its image: volume.Segmentation.On puts it on the image.
// Slices are as far apart as SpacingBetweenSlices says, where that divides the distances of the frames, else as the two nearest frames; the slice
// thickness is no distance. Slices that are left out between others are background. Frames that are unevenly spaced are refused:
// ReadSegments puts them on their series. The warnings name what was decided so.
func ReadSegmentation(path string) (*volume.Segmentation, []string, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, warnings, err := f.segmentation(nil)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, warnings, nil
}

// ReadSegments reads the mask of a series: a segmentation object (SEG), each frame of which lies on the slice at whose plane it is, or a
// structure set (RTSTRUCT; see ReadContours). Without a series, on is nil and a SEG is read as by ReadSegmentation. The grid is that of the
// series.
func ReadSegments(path string, on *Series) (*volume.Segmentation, []string, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	var s *volume.Segmentation
	var warnings []string
	switch kind := f.kind(); {
	case kind == Segmentation:
		s, warnings, err = f.segmentation(on)
	case kind == Contours && on == nil:
		err = errors.New("a structure set (RTSTRUCT): it needs the DICOM series that its contours were drawn on")
	case kind == Contours:
		s, warnings, err = f.contours(on)
	default:
		err = errors.New("no mask: neither a DICOM segmentation (SEG) nor a structure set (RTSTRUCT)")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, warnings, nil
}

// Segments returns the names and numbers of what a segmentation object (SEG) or a structure set (RTSTRUCT) holds, from its header.
func Segments(path string) ([]volume.Segment, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var found []volume.Segment
	if f.kind() == Contours {
		for i, m := range f.items(tag.StructureSetROISequence) {
			found = append(found, regionOf(m, i))
		}
	} else if found, err = f.segments(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return found, nil
}

// segmentation reads a segmentation object, on the grid of a series or, where on is nil, on its own.
func (f *file) segmentation(on *Series) (*volume.Segmentation, []string, error) {
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
	var at []target // of every plane
	var warnings []string
	across := on != nil && on.slices[0].placed && norm(cross(planes[0].normal(), on.slices[0].normal())) > 1e-3
	if on != nil && !across {
		warnings = f.refersElsewhere(on, "segments")
		out.Grid = on.Grid
		at, err = targets(planes, on)
	} else {
		out.Grid, at, warnings, err = segmentationGrid(planes)
	}
	if err != nil {
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
		if f.whole(tag.BitsAllocated, 8) == 1 {
			highest = 1
		}
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
	if across { // its slices cut those of the series
		warnings = append(f.refersElsewhere(on, "segments"), warnings...)
		out, err = out.On(on.Grid)
	}
	return out, warnings, err
}

// target says where a frame lies in the segmentation: pixel (x, y) becomes voxel start + x*right + y*down, if it lies within the grid.
type target struct {
	slice       int
	start       [2]int
	right, down [2]int
	outside     error // not nil where the frame lies on no slice; it must be empty then
}

// voxel returns the index of a frame's pixel in a grid, -1 outside of it.
func (t target) voxel(x, y int, size [3]int) int {
	i, j := t.start[0]+x*t.right[0]+y*t.down[0], t.start[1]+x*t.right[1]+y*t.down[1]
	if t.outside != nil || i < 0 || j < 0 || i >= size[0] || j >= size[1] {
		return -1
	}
	return i + size[0]*(j+size[1]*t.slice)
}

// targets returns the slice at whose plane each frame lies, and the pixels there, which must coincide with those of the frame to a tenth.
func targets(planes []slice, on *Series) ([]target, error) {
	if !on.slices[0].placed || on.slices[0].spacing[0] == 0 {
		return nil, errors.New("the series has no position or spacing to put the frames on")
	}
	normal := on.slices[0].normal()
	out := make([]target, len(planes))
	for i, p := range planes {
		at := dot(p.position, normal)
		k, found := slices.BinarySearchFunc(on.slices, at, func(s slice, at float64) int { return cmp.Compare(s.at, at) })
		if k == len(on.slices) || !found && k > 0 && at-on.slices[k-1].at < on.slices[k].at-at {
			k--
		}
		s := on.slices[k]
		if off := math.Abs(at - s.at); off > 0.2*on.reach(k) {
			out[i].outside = fmt.Errorf("frame %d lies %.3g mm from the nearest slice of the series: the segmentation belongs to another one", p.frame+1, off)
			continue
		}
		// The frame's first pixel and its steps, in pixels of the slice.
		in := func(v [3]float64) [2]float64 {
			return [2]float64{dot(v, s.right) / s.spacing[1], dot(v, s.down) / s.spacing[0]}
		}
		var start, right, down [3]float64
		for r := range 3 {
			start[r] = p.position[r] - s.position[r]
			right[r], down[r] = p.right[r]*p.spacing[1], p.down[r]*p.spacing[0]
		}
		t := target{slice: k, start: whole(in(start)), right: whole(in(right)), down: whole(in(down))}
		coincide := t.right != t.down && t.right[0]*t.right[0]+t.right[1]*t.right[1] == 1 && t.down[0]*t.down[0]+t.down[1]*t.down[1] == 1
		for corner := range 4 { // where all corners agree, so does everything between
			x, y := float64(corner&1*(p.columns-1)), float64(corner>>1*(p.rows-1))
			for r := range 2 {
				exact := in(start)[r] + x*in(right)[r] + y*in(down)[r]
				if got := float64(t.start[r]) + x*float64(t.right[r]) + y*float64(t.down[r]); !(math.Abs(exact-got) <= 0.1) {
					coincide = false
				}
			}
		}
		if !coincide {
			return nil, fmt.Errorf("the pixels of frame %d do not coincide with those of the series: resample the segmentation", p.frame+1)
		}
		out[i] = t
	}
	return out, nil
}

// whole rounds to whole numbers within the size of any image.
func whole(v [2]float64) (out [2]int) {
	for r, x := range v {
		out[r] = int(math.Round(max(-1e6, min(1e6, x))))
	}
	return out
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
		s := volume.Segment{Name: clean(m.text(tag.SegmentLabel)), Value: uint8(n), Color: volume.SegmentColor(n)}
		if lab := m.reals(tag.RecommendedDisplayCIELabValue); len(lab) == 3 {
			s.Color = fromLab([3]int{int(lab[0]), int(lab[1]), int(lab[2])})
		}
		if s.Name == "" {
			s.Name = clean(m.inner(tag.SegmentedPropertyTypeCodeSequence).text(tag.CodeMeaning))
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

// segmentationGrid returns the grid of sorted frames, several of which may lie at one place, and where each lies in it.
func segmentationGrid(planes []slice) (volume.Grid, []target, []string, error) {
	first := planes[0]
	places := byPlace(planes)
	step, widest := math.Inf(1), 0.0
	for i := 1; i < len(places); i++ {
		gap := places[i][0].at - places[i-1][0].at
		step, widest = min(step, gap), max(widest, gap)
	}
	// Empty slices are left out, so the smallest gap may be several: believe the header where it divides the gap.
	if len(places) == 1 {
		step = max(first.thickness, 1e-3)
		if first.thickness == 0 {
			step = 1
		}
	} else if n := math.Round(step / max(first.between, samePlace)); first.between > samePlace && n >= 1 && math.Abs(step-n*first.between) < 0.05*first.between {
		step /= n
	}
	rows := make([]int, len(planes))
	out := make([]target, len(planes))
	for i, p := range planes {
		exact := (p.at - first.at) / step
		if !(exact < maxSlices) || math.Abs(exact-math.Round(exact)) > 0.2 {
			return volume.Grid{}, nil, nil, fmt.Errorf("the frames are unevenly spaced, %.4g to %.4g mm apart: give the DICOM series that the segmentation lies on", step, widest)
		}
		rows[i] = int(math.Round(exact))
		out[i] = target{slice: rows[i], right: [2]int{1, 0}, down: [2]int{0, 1}}
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
	return g, out, warnings, nil
}

// fillSegments reads the frames into layers. In a layer no two segments share a voxel. Threshold 0 stands for a label map.
func (f *file) fillSegments(out *volume.Segmentation, planes []slice, at []target, threshold int64) error {
	r, err := f.openFrames(planes[0].rows, planes[0].columns)
	if err != nil {
		return err
	}
	defer r.close()
	labels := threshold == 0
	padding := int64(f.whole(tag.PixelPaddingValue, 0))
	if slices.ContainsFunc(out.Segments, func(s volume.Segment) bool { return int64(s.Value) == padding }) {
		padding = 0
	}
	if labels {
		out.Layers = [][]uint8{make([]uint8, out.Len())}
		threshold = 1
	}
	voxels := map[uint8][]int{}
	for i, p := range planes {
		number := inGroups(p.groups, tag.SegmentIdentificationSequence, tag.ReferencedSegmentNumber)
		if !labels && (len(number) == 0 || !slices.ContainsFunc(out.Segments, func(s volume.Segment) bool { return float64(s.Value) == number[0] })) {
			return fmt.Errorf("frame %d belongs to segment %v, which the header does not describe", p.frame+1, number)
		}
		pixels, err := r.frame(p.frame)
		if err != nil {
			return err
		}
		for v, x := range pixels {
			if labels && x == padding {
				continue
			}
			if labels && (x < 0 || x > 255) {
				return fmt.Errorf("frame %d holds the segment number %d: want 0 to 255", p.frame+1, x)
			}
			if x < threshold {
				continue
			}
			to := at[i].voxel(v%p.columns, v/p.columns, out.Size)
			switch {
			case at[i].outside != nil:
				return at[i].outside
			case to < 0:
				return fmt.Errorf("pixel (%d, %d) of frame %d belongs to a segment and lies outside the series", v%p.columns, v/p.columns, p.frame+1)
			case labels:
				out.Layers[0][to] = uint8(x)
			default:
				voxels[uint8(number[0])] = append(voxels[uint8(number[0])], to)
			}
		}
	}
	if labels {
		return out.CheckValues()
	}
	segments := out.Segments
	out.Segments = nil
	for _, segment := range segments {
		addSegment(out, segment, voxels[segment.Value])
	}
	return nil
}
