package dicom

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

const structureSetClass = "1.2.840.10008.5.1.4.1.1.481.3"

// ReadContours reads a structure set (RTSTRUCT) and fills its closed contours on the grid of the series that they were drawn on.
// A voxel belongs to a region if its centre lies inside an odd number of the region's contours in its slice: a contour within
// another is a hole. Regions are segments in the order of the file, with the values 1, 2 ...; those that overlap lie in
// different layers. Nothing is interpolated between contours.
//
// The warnings name what was left out: points and open lines, contours oblique to the slices or outside the series, and a
// structure set that refers to another series.
func ReadContours(path string, on *Series) (*volume.Segmentation, []string, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, warnings, err := f.contours(on)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return s, warnings, nil
}

func (f *file) contours(on *Series) (*volume.Segmentation, []string, error) {
	if class := f.text(tag.SOPClassUID); class != structureSetClass {
		return nil, nil, fmt.Errorf("no structure set: its SOP class is %q", printable(class))
	}
	if on.Unit != volume.Millimetre {
		return nil, nil, errors.New("the series has no spacing: contours in millimetres cannot be placed on it")
	}
	var warnings []string
	if other := f.referencesOther(on); other != "" {
		warnings = append(warnings, "the contours were drawn on another series: "+other)
	}
	regions := f.items(tag.StructureSetROISequence)
	if len(regions) == 0 || len(regions) > 255 {
		return nil, nil, fmt.Errorf("%d regions: want 1 to 255", len(regions))
	}
	contours := f.items(tag.ROIContourSequence)
	out := &volume.Segmentation{Grid: on.Grid}
	for i, region := range regions {
		segment := volume.Segment{Name: printable(region.text(tag.ROIName)), Value: uint8(i + 1), Color: volume.SegmentColor(i + 1)}
		if segment.Name == "" {
			segment.Name = fmt.Sprintf("Segment_%d", i+1)
		}
		number := region.whole(tag.ROINumber, -1)
		at := slices.IndexFunc(contours, func(m item) bool { return m.whole(tag.ReferencedROINumber, -2) == number })
		var voxels []int
		if at >= 0 {
			if c := contours[at].reals(tag.ROIDisplayColor); len(c) == 3 {
				for r, x := range c {
					segment.Color[r] = uint8(min(max(x, 0), 255))
				}
			}
			var left []string
			var err error
			if voxels, left, err = fillRegion(contours[at].items(tag.ContourSequence), on.Grid); err != nil {
				return nil, nil, fmt.Errorf("region %q: %w", segment.Name, err)
			}
			for _, w := range left {
				warnings = append(warnings, fmt.Sprintf("region %q: %s", segment.Name, w))
			}
		}
		addSegment(out, segment, voxels)
	}
	return out, warnings, nil
}

// referencesOther returns the series that a structure set refers to where that is not the given one.
func (f *file) referencesOther(on *Series) string {
	other := ""
	for _, frame := range f.items(tag.ReferencedFrameOfReferenceSequence) {
		for _, study := range frame.items(tag.RTReferencedStudySequence) {
			for _, series := range study.items(tag.RTReferencedSeriesSequence) {
				if other = printable(series.text(tag.SeriesInstanceUID)); other == on.UID {
					return ""
				}
			}
		}
	}
	return other
}

// fillRegion returns the voxels of a region, in rising order, and what was left out.
func fillRegion(contours []item, g volume.Grid) (voxels []int, left []string, err error) {
	open, oblique, outside := 0, 0, 0
	planes := map[int][]bool{}
	for n, c := range contours {
		if kind := c.text(tag.ContourGeometricType); kind != "CLOSED_PLANAR" && kind != "CLOSEDPLANAR_XOR" {
			open++
			continue
		}
		data := c.reals(tag.ContourData)
		if len(data) == 0 || len(data)%3 != 0 {
			return nil, nil, fmt.Errorf("contour %d has no coordinates in threes", n+1)
		}
		points := make([][2]float64, len(data)/3)
		low, high := math.Inf(1), math.Inf(-1)
		for p := range points {
			at := g.Index([3]float64{-data[3*p], -data[3*p+1], data[3*p+2]}) // LPS to RAS
			points[p] = [2]float64{at[0], at[1]}
			low, high = min(low, at[2]), max(high, at[2])
		}
		middle := (low + high) / 2
		switch {
		case high-low > 0.5:
			oblique++
		case middle < -0.5 || middle > float64(g.Size[2])-0.5:
			outside++
		default:
			k := min(int(math.Round(max(middle, 0))), g.Size[2]-1)
			if planes[k] == nil {
				planes[k] = make([]bool, g.Size[0]*g.Size[1])
			}
			toggle(planes[k], g.Size[0], g.Size[1], points)
		}
	}
	for k, plane := range planes {
		for v, in := range plane {
			if in {
				voxels = append(voxels, k*len(plane)+v)
			}
		}
	}
	slices.Sort(voxels)
	for _, w := range []struct {
		count int
		what  string
	}{{open, "are points or open lines"}, {oblique, "are oblique to the slices"}, {outside, "lie outside the series"}} {
		if w.count > 0 {
			left = append(left, fmt.Sprintf("%d contours %s and were left out", w.count, w.what))
		}
	}
	return voxels, left, nil
}

// toggle inverts the pixels of a plane whose centres lie in a polygon by the even-odd rule. A centre on an edge belongs to
// the side of higher indices, so that polygons which share an edge share no pixel.
func toggle(plane []bool, width, height int, points [][2]float64) {
	crossings := make([][]float64, height)
	for n, a := range points {
		b := points[(n+1)%len(points)]
		if a[1] > b[1] {
			a, b = b, a
		}
		first, last := max(0, math.Ceil(a[1])), min(float64(height), math.Ceil(b[1]))
		for y := first; y < last; y++ {
			crossings[int(y)] = append(crossings[int(y)], a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	for y, x := range crossings {
		slices.Sort(x)
		for i := 0; i+1 < len(x); i += 2 {
			from, to := max(0, math.Ceil(x[i])), min(float64(width), math.Ceil(x[i+1]))
			for p := from; p < to; p++ {
				plane[y*width+int(p)] = !plane[y*width+int(p)]
			}
		}
	}
}

// addSegment puts a segment's voxels into the first layer where they are free, or a new one.
func addSegment(s *volume.Segmentation, segment volume.Segment, voxels []int) {
	segment.Layer = slices.IndexFunc(s.Layers, func(layer []uint8) bool {
		return !slices.ContainsFunc(voxels, func(v int) bool { return layer[v] != 0 })
	})
	if segment.Layer < 0 {
		segment.Layer = len(s.Layers)
		s.Layers = append(s.Layers, make([]uint8, s.Len()))
	}
	for _, v := range voxels {
		s.Layers[segment.Layer][v] = segment.Value
	}
	s.Segments = append(s.Segments, segment)
}
