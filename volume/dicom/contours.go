package dicom

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom/outline"
)

const structureSetClass = "1.2.840.10008.5.1.4.1.1.481.3"

// maxSlab is the largest distance in mm at which the planes of contours are taken for neighbouring slices of the series they were drawn on.
const maxSlab = 10

// ReadContours reads a structure set (RTSTRUCT) and fills its closed contours on the slices of a series. Regions are segments in the order of
// the file, with the values 1, 2 ...; those that overlap lie in different layers. A voxel belongs to a region if its centre lies inside. A region has all
// contours of its number, wherever in the file they stand; two regions of one number are an error.
//
// A contour belongs to the slice at whose plane it lies, to within half of the smaller distance to a neighbouring slice. Contours that were
// drawn on another series are joined in space: each plane of the set reaches half way to its neighbours, and a slice takes the contours in
// whose reach it lies. Between contours of the series' own slices nothing is interpolated.
//
// In one plane CLOSED_PLANAR contours are a union: one that is there twice counts once, and those that overlap make one region. One that lies
// wholly within another is a hole, as planning systems mean it that draw no keyhole, and a warning says so. Only CLOSEDPLANAR_XOR contours
// are combined by exclusive or. Each contour by itself is filled by the even-odd rule, so that a keyhole is a hole.
//
// The warnings also name what was left out: points and open lines, contours oblique to the slices, outside the series or between
// its slices; slices between contours that have none; and a structure set that refers to another series or frame of reference. Those of the
// series itself come from Find.
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
	s, warnings, err := f.fillContours(on, f.drawnOn(on))
	if err != nil {
		return nil, nil, err
	}
	return s, append(f.refersElsewhere(on, "contours"), warnings...), nil
}

// fillContours fills the contours on the slices of a series; here says whether they were drawn on these.
func (f *file) fillContours(on *Series, here bool) (*volume.Segmentation, []string, error) {
	if class := f.text(tag.SOPClassUID); class != structureSetClass {
		return nil, nil, fmt.Errorf("no structure set: its SOP class is %q", printable(class))
	}
	if on.Unit != volume.Millimetre || !on.slices[0].placed {
		return nil, nil, errors.New("the series has no position or spacing: contours in millimetres cannot be placed on it")
	}
	items := f.items(tag.StructureSetROISequence)
	if len(items) == 0 || len(items) > 255 {
		return nil, nil, fmt.Errorf("%d regions: want 1 to 255", len(items))
	}
	drawn := f.items(tag.ROIContourSequence)
	regions := make([]region, len(items))
	known := map[int]string{} // names by number
	out := &volume.Segmentation{Grid: on.Grid}
	for i, m := range items {
		segment := regionOf(m, i)
		number := m.whole(tag.ROINumber, -1)
		if other, twice := known[number]; twice && m.text(tag.ROINumber) != "" {
			return nil, nil, fmt.Errorf("regions %q and %q have one number, %d: whose the contours are cannot be told; give each its own", other, segment.Name, number)
		}
		known[number] = segment.Name
		for _, d := range drawn {
			if d.whole(tag.ReferencedROINumber, -2) != number {
				continue
			}
			if c := d.reals(tag.ROIDisplayColor); len(c) == 3 {
				for r, x := range c {
					segment.Color[r] = uint8(min(max(x, 0), 255))
				}
			}
			if err := regions[i].read(d.items(tag.ContourSequence), on); err != nil {
				return nil, nil, fmt.Errorf("region %q: %w", segment.Name, err)
			}
		}
		out.Segments = append(out.Segments, segment)
	}
	warnings := withoutContours(out.Segments, items, drawn)
	planes := planesOf(regions, on, here)
	segments := out.Segments
	out.Segments = nil
	for i, segment := range segments {
		voxels, left, err := regions[i].fill(planes, on)
		if err != nil {
			return nil, nil, fmt.Errorf("region %q: %w", segment.Name, err)
		}
		for _, w := range left {
			warnings = append(warnings, fmt.Sprintf("region %q: %s", segment.Name, w))
		}
		addSegment(out, segment, voxels)
	}
	return out, warnings, nil
}

// withoutContours names regions that have no contours, and tells of contours that are those of no region; items are the regions.
func withoutContours(regions []volume.Segment, items, drawn []item) (warnings []string) {
	numbers := map[int]bool{}
	var empty []string
	for i, m := range items {
		number := m.whole(tag.ROINumber, -1)
		numbers[number] = true
		if !slices.ContainsFunc(drawn, func(m item) bool {
			return m.whole(tag.ReferencedROINumber, -2) == number && len(m.items(tag.ContourSequence)) > 0
		}) {
			empty = append(empty, fmt.Sprintf("%q", regions[i].Name))
		}
	}
	if len(empty) > 0 {
		warnings = append(warnings, "regions without contours stay empty: "+strings.Join(empty, ", "))
	}
	lost := 0
	for _, m := range drawn {
		if !numbers[m.whole(tag.ReferencedROINumber, -2)] {
			lost += len(m.items(tag.ContourSequence))
		}
	}
	if lost > 0 {
		warnings = append(warnings, fmt.Sprintf("%d contours belong to no region and were left out", lost))
	}
	return warnings
}

// regionOf returns region i, from 0, of a structure set without its voxels.
func regionOf(m item, i int) volume.Segment {
	segment := volume.Segment{Name: clean(m.text(tag.ROIName)), Value: uint8(i + 1), Color: volume.SegmentColor(i + 1)}
	if segment.Name == "" {
		segment.Name = fmt.Sprintf("Segment_%d", i+1)
	}
	return segment
}

// refersTo returns the series and the frames of reference that an object names as those it was drawn on.
func (f *file) refersTo() (series, frames []string) {
	for _, m := range f.items(tag.ReferencedSeriesSequence) {
		series = append(series, clean(m.text(tag.SeriesInstanceUID)))
	}
	if uid := f.text(tag.FrameOfReferenceUID); uid != "" {
		frames = append(frames, uid)
	}
	for _, frame := range f.items(tag.ReferencedFrameOfReferenceSequence) {
		frames = append(frames, frame.text(tag.FrameOfReferenceUID))
		for _, study := range frame.items(tag.RTReferencedStudySequence) {
			for _, m := range study.items(tag.RTReferencedSeriesSequence) {
				series = append(series, clean(m.text(tag.SeriesInstanceUID)))
			}
		}
	}
	return series, frames
}

// drawnOn reports whether an object refers to a series, or to none.
func (f *file) drawnOn(on *Series) bool {
	series, _ := f.refersTo()
	return len(series) == 0 || slices.ContainsFunc(series, on.has)
}

// refersElsewhere returns a warning where an object was drawn on another series than the given one, or in another frame of reference.
func (f *file) refersElsewhere(on *Series, what string) []string {
	series, frames := f.refersTo()
	frame := on.slices[0].text(tag.FrameOfReferenceUID)
	var out []string
	if !f.drawnOn(on) {
		out = append(out, fmt.Sprintf("the %s were drawn on another series: %s", what, series[0]))
	}
	if len(frames) > 0 && frame != "" && !slices.Contains(frames, frame) {
		out = append(out, fmt.Sprintf("the %s have another frame of reference than the series: they lie at the right place only if both were registered", what))
	}
	return out
}

// contour is one closed contour.
type contour struct {
	points [][3]float64 // LPS mm
	at     float64      // place along the normal of the series, mm
	xor    bool
}

// flat returns a contour in the plane of a slice, in pixels.
func (c contour) flat(s slice) outline.Contour {
	points := make([][2]float64, len(c.points))
	for i, w := range c.points {
		d := [3]float64{w[0] - s.position[0], w[1] - s.position[1], w[2] - s.position[2]}
		points[i] = [2]float64{dot(d, s.right) / s.spacing[1], dot(d, s.down) / s.spacing[0]}
	}
	return outline.Contour{Points: points, XOR: c.xor}
}

// region is what a structure set holds of one region.
type region struct {
	contours             []contour
	open, short, oblique int // contours left out
}

// read reads the contours of a region.
func (r *region) read(items []item, on *Series) error {
	normal := on.slices[0].normal()
	for n, m := range items {
		kind := m.text(tag.ContourGeometricType)
		if kind != "CLOSED_PLANAR" && kind != "CLOSEDPLANAR_XOR" {
			r.open++
			continue
		}
		data := m.reals(tag.ContourData)
		switch {
		case len(data) == 0 || len(data)%3 != 0:
			return fmt.Errorf("contour %d has no coordinates in threes", n+1)
		case len(data) < 9:
			r.short++
			continue
		}
		c := contour{xor: kind == "CLOSEDPLANAR_XOR"}
		low, high := math.Inf(1), math.Inf(-1)
		for p := 0; p < len(data); p += 3 {
			c.points = append(c.points, [3]float64(data[p:p+3]))
			at := dot(c.points[len(c.points)-1], normal)
			low, high = min(low, at), max(high, at)
		}
		if c.at = (low + high) / 2; high-low > on.distance() {
			r.oblique++
			continue
		}
		r.contours = append(r.contours, c)
	}
	return nil
}

// distance returns the smallest distance of two slices, of a single one its thickness, else 1.
func (s *Series) distance() float64 {
	d := math.Inf(1)
	for i := 1; i < len(s.slices); i++ {
		d = min(d, s.slices[i].at-s.slices[i-1].at)
	}
	switch first := s.slices[0]; {
	case len(s.slices) > 1:
		return d
	case first.thickness > 0:
		return first.thickness
	}
	return 1
}

// contourPlane is a plane of contours and its reach below and above, mm.
type contourPlane struct{ at, below, above float64 }

// planesOf returns the planes in which contours lie, sorted. On the series that they were drawn on they reach nowhere: the slices do.
func planesOf(regions []region, on *Series, here bool) []contourPlane {
	var at []float64
	for _, r := range regions {
		for _, c := range r.contours {
			at = append(at, c.at)
		}
	}
	slices.Sort(at)
	same := min(0.2*on.distance(), max(0.02*on.distance(), 0.06)) // coordinates are rounded to a tenth of a millimetre at worst
	var out []contourPlane
	smallest := math.Inf(1)
	for i, a := range at {
		if i > 0 && a-out[len(out)-1].at <= same {
			continue
		}
		if i > 0 {
			smallest = min(smallest, a-out[len(out)-1].at)
		}
		out = append(out, contourPlane{at: a})
	}
	// Too few planes say nothing about the slices that they were drawn on.
	if here || len(out) < 3 || smallest > maxSlab {
		return out
	}
	for i := range out {
		out[i].below, out[i].above = smallest/2, smallest/2
		if i > 0 && out[i].at-out[i-1].at < 2.5*smallest {
			out[i].below = (out[i].at - out[i-1].at) / 2
		}
		if i+1 < len(out) && out[i+1].at-out[i].at < 2.5*smallest {
			out[i].above = (out[i+1].at - out[i].at) / 2
		}
	}
	return out
}

// reach returns how far a slice reaches: half of the smaller distance to its neighbours.
func (s *Series) reach(k int) float64 {
	d := math.Inf(1)
	if k > 0 {
		d = s.slices[k].at - s.slices[k-1].at
	}
	if k+1 < len(s.slices) {
		d = min(d, s.slices[k+1].at-s.slices[k].at)
	}
	if math.IsInf(d, 1) {
		d = s.distance()
	}
	return d / 2
}

// fill returns the voxels of a region, in rising order, and what was left out.
func (r *region) fill(planes []contourPlane, on *Series) (voxels []int, left []string, err error) {
	// The contours of each plane, by its place in planes.
	within := map[int][]contour{}
	for _, c := range r.contours {
		at, exact := slices.BinarySearchFunc(planes, c.at, func(p contourPlane, at float64) int { return cmp.Compare(p.at, at) })
		if !exact { // the last one before it
			at--
		}
		within[at] = append(within[at], c)
	}
	n := on.Size[0] * on.Size[1]
	used := map[int]bool{}
	holes, empty, run := 0, 0, 0
	for k, s := range on.slices {
		best, nearest := -1, math.Inf(1)
		for p := range within {
			d := planes[p].at - s.at
			above, below := on.reach(k), on.reach(k)
			if planes[p].above > 0 {
				above, below = planes[p].above, planes[p].below
			}
			// A slice half way between two planes belongs to the upper one, as pixels do.
			if d > 1e-6-above && d <= below+1e-6 && (math.Abs(d) < nearest || math.Abs(d) == nearest && p < best) {
				best, nearest = p, math.Abs(d)
			}
		}
		if best < 0 {
			run++
			continue
		}
		if len(used) > 0 {
			empty += run
		}
		run, used[best] = 0, true
		plane := make([]bool, n)
		flat := make([]outline.Contour, len(within[best]))
		for i, c := range within[best] {
			flat[i] = c.flat(s)
		}
		h, err := outline.Fill(plane, on.Size[0], on.Size[1], flat, outline.MaxWork)
		if err != nil {
			return nil, nil, err
		}
		holes += h
		for v, in := range plane {
			if in {
				voxels = append(voxels, k*n+v)
			}
		}
	}
	outside, between := 0, 0
	first, last := on.slices[0].at-on.reach(0), on.slices[len(on.slices)-1].at+on.reach(len(on.slices)-1)
	for p, contours := range within {
		switch at := planes[p].at; {
		case used[p]:
		case at < first || at >= last:
			outside += len(contours)
		default:
			between += len(contours)
		}
	}
	for _, w := range []struct {
		count int
		what  string
	}{
		{r.open, "are points or open lines and were left out"}, {r.short, "have fewer than 3 points and were left out"},
		{r.oblique, "are oblique to the slices and were left out"}, {outside, "lie outside the series and were left out"},
		{between, "lie between the slices and belong to none"},
		{holes, "lie within another one and are taken as holes"},
	} {
		if w.count > 0 {
			left = append(left, fmt.Sprintf("%d contours %s", w.count, w.what))
		}
	}
	if empty > 0 {
		left = append(left, fmt.Sprintf("%d slices between its contours have none and stay empty", empty))
	}
	if len(voxels) == 0 && len(r.contours) > 0 {
		left = append(left, "nothing of it lies on a voxel's centre: it stays empty")
	}
	return voxels, left, nil
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
