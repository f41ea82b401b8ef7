package volume

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Segmentation is what a file of named segments holds. Segments may overlap: they lie in layers, and within a layer a
// voxel belongs to at most one.
type Segmentation struct {
	Grid
	Segments []Segment
	Layers   [][]uint8 // each of Len voxels, in the order of Grid
}

// Segment is one structure: the voxels of its layer that hold its value.
type Segment struct {
	Name  string
	Color [3]uint8 // red, green, blue
	Layer int
	Value uint8
}

// palette holds colours for segments that have none: distinct on dark grey, also to people who are colour-blind
// (after Okabe and Ito 2008).
var palette = [...][3]uint8{{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {0, 114, 178}, {213, 94, 0}, {204, 121, 167}}

// SegmentColor returns the colour given to segment n, from 1, where its file gives none. Colours repeat after seven.
func SegmentColor(n int) [3]uint8 { return palette[max(n-1, 0)%len(palette)] }

// NewSegmentation returns a mask as a segmentation of one layer: a segment for every class above 0 that has a name or a
// voxel. names[c] is the name of class c; classes beyond them are called "Segment_c". The voxels are shared with m.
func NewSegmentation(m *Mask, names []string) *Segmentation {
	present := [256]bool{}
	for _, c := range m.Data {
		present[c] = true
	}
	s := &Segmentation{Grid: m.Grid, Layers: [][]uint8{m.Data}}
	for c := 1; c < 256; c++ {
		name := fmt.Sprintf("Segment_%d", c)
		if c < len(names) {
			name = names[c]
		} else if !present[c] {
			continue
		}
		s.Segments = append(s.Segments, Segment{Name: name, Color: SegmentColor(c), Value: uint8(c)})
	}
	return s
}

// WithValues returns the segmentation with the label value values[c-1] in place of each class c, in voxels and segments alike; other values stay. Without values it is s.
func (s *Segmentation) WithValues(values []int) *Segmentation {
	if len(values) == 0 {
		return s
	}
	var of [256]uint8
	for v := range of {
		of[v] = uint8(v)
	}
	for n, v := range values {
		of[n+1] = uint8(v)
	}
	out := &Segmentation{Grid: s.Grid}
	for _, layer := range s.Layers {
		valued := make([]uint8, len(layer))
		for n, v := range layer {
			valued[n] = of[v]
		}
		out.Layers = append(out.Layers, valued)
	}
	for _, segment := range s.Segments {
		segment.Value = of[segment.Value]
		out.Segments = append(out.Segments, segment)
	}
	return out
}

// Mask returns the segmentation as one mask, and the names of its classes with "background" first. A segment's class is
// its value where no two segments have the same, else its place in Segments plus 1. Voxels that belong to no segment are
// background. A voxel of two segments is an error that names both: a mask cannot hold it.
func (s *Segmentation) Mask() (*Mask, []string, error) {
	classes, names := s.classes()
	m := &Mask{Grid: s.Grid, Data: make([]uint8, s.Len())}
	for l, layer := range s.Layers {
		var to [256]uint8 // from the layer's values to classes
		for i, segment := range s.Segments {
			if segment.Layer == l {
				to[segment.Value] = classes[i]
			}
		}
		for v, value := range layer {
			class := to[value]
			if class == 0 {
				continue
			}
			if other := m.Data[v]; other != 0 && other != class {
				at := s.Size.Voxel(v)
				return nil, nil, fmt.Errorf("segments %q and %q overlap at voxel (%d, %d, %d): a mask holds one class per voxel",
					names[other], names[class], at[0], at[1], at[2])
			}
			m.Data[v] = class
		}
	}
	return m, names, nil
}

// Numbers returns the class of each segment in a mask of numbers, as by Mask.
func (s *Segmentation) Numbers() []uint8 {
	numbers, _ := s.classes()
	return numbers
}

// classes returns the class of every segment and the names of all classes.
func (s *Segmentation) classes() ([]uint8, []string) {
	seen := map[uint8]bool{}
	distinct, highest := len(s.Segments) < 256, len(s.Segments)
	for _, segment := range s.Segments {
		if seen[segment.Value] || segment.Value == 0 {
			distinct = false
		}
		seen[segment.Value] = true
	}
	classes := make([]uint8, len(s.Segments))
	for i, segment := range s.Segments {
		classes[i] = uint8(min(i+1, 255))
		if distinct {
			classes[i] = segment.Value
			highest = max(highest, int(segment.Value))
		}
	}
	names := make([]string, min(highest, 255)+1)
	names[0] = "background"
	for c := 1; c < len(names); c++ {
		names[c] = fmt.Sprintf("Segment_%d", c)
	}
	for i, segment := range s.Segments {
		names[classes[i]] = segment.Name
	}
	return classes, names
}

// ReadSegmentation reads a .seg.nrrd file, or an NRRD file of another name that is one (see IsSegmentation), with its segments' names and colours. Of any other mask the values that occur
// become segments, as by NewSegmentation. A value that no segment has is an error that names the voxel.
func ReadSegmentation(path string) (*Segmentation, error) {
	m, fsys, err := open(path)
	if err != nil {
		return nil, err
	}
	data, _, err := m.readClasses(fsys)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s, err := m.segmentation(data)
	return s, named("read", path, err)
}

// segmentation sorts values, layers fastest, into layers and reads the segments out of the key/value pairs.
func (m image) segmentation(data []uint8) (*Segmentation, error) {
	if !namesSegments(m.keys) && m.layers < 2 {
		return NewSegmentation(&Mask{Grid: m.grid, Data: data}, nil), nil
	}
	n := max(1, m.layers)
	s := &Segmentation{Grid: m.grid, Layers: make([][]uint8, n)}
	for l := range s.Layers {
		s.Layers[l] = data
		if n > 1 {
			s.Layers[l] = make([]uint8, m.grid.Len())
			for v := range s.Layers[l] {
				s.Layers[l][v] = data[v*n+l]
			}
		}
	}
	for i := 0; ; i++ {
		key := func(name string) string { return m.keys[fmt.Sprintf("Segment%d_%s", i, name)] }
		if key("ID") == "" {
			break
		}
		if i == 255 {
			return nil, fmt.Errorf("more than 255 segments")
		}
		segment := Segment{Name: key("Name"), Color: SegmentColor(i + 1), Value: uint8(i + 1)}
		if segment.Name == "" {
			segment.Name = key("ID")
		}
		if n > 1 { // 3D Slicer before 4.11: a layer for every segment, which is 1 in it
			segment.Layer, segment.Value = i, 1
		}
		if text := key("Layer"); text != "" {
			v, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("Segment%d_Layer is %q, want a whole number", i, shorten(text))
			}
			segment.Layer = v
		}
		if segment.Layer < 0 || segment.Layer >= n {
			return nil, fmt.Errorf("Segment%d_Layer is %d, but there are %d layers", i, segment.Layer, n)
		}
		if text := key("LabelValue"); text != "" {
			v, err := strconv.ParseUint(text, 10, 8)
			if err != nil || v == 0 {
				return nil, fmt.Errorf("Segment%d_LabelValue is %q, want a whole number from 1 to 255", i, shorten(text))
			}
			segment.Value = uint8(v)
		}
		if rgb, err := numbers("Color", key("Color"), 3); err == nil {
			for c, x := range rgb {
				segment.Color[c] = uint8(math.Round(255 * min(max(x, 0), 1)))
			}
		}
		s.Segments = append(s.Segments, segment)
	}
	return s, s.CheckValues()
}

// CheckValues returns an error if a voxel has a value above 0 that no segment of its layer has: nobody knows what it is. What is read from a file has been checked.
func (s *Segmentation) CheckValues() error {
	for l, layer := range s.Layers {
		known := [256]bool{0: true}
		for _, segment := range s.Segments {
			known[segment.Value] = known[segment.Value] || segment.Layer == l
		}
		for v, value := range layer {
			if !known[value] {
				at := s.Size.Voxel(v)
				return fmt.Errorf("the value %d, first at voxel (%d, %d, %d), has no segment: name it, or erase it", value, at[0], at[1], at[2])
			}
		}
	}
	return nil
}

// segmentKeys returns the key/value lines of a .seg.nrrd header, as 3D Slicer writes them.
func (s *Segmentation) segmentKeys() string {
	var b strings.Builder
	for i, segment := range s.Segments {
		key := func(name, value string) { fmt.Fprintf(&b, "Segment%d_%s:=%s\n", i, name, nrrdEscape.Replace(value)) }
		extent := s.extent(segment)
		key("Color", fmt.Sprintf("%.6g %.6g %.6g", float64(segment.Color[0])/255, float64(segment.Color[1])/255, float64(segment.Color[2])/255))
		key("ColorAutoGenerated", "0")
		key("Extent", fmt.Sprintf("%d %d %d %d %d %d", extent[0][0], extent[0][1], extent[1][0], extent[1][1], extent[2][0], extent[2][1]))
		key("ID", fmt.Sprintf("Segment_%d", i+1))
		key("LabelValue", fmt.Sprint(segment.Value))
		key("Layer", fmt.Sprint(segment.Layer))
		key("Name", segment.Name)
		key("NameAutoGenerated", "0")
		key("Tags", "")
	}
	b.WriteString("Segmentation_ContainedRepresentationNames:=Binary labelmap|\nSegmentation_ConversionParameters:=\n" +
		"Segmentation_MasterRepresentation:=Binary labelmap\nSegmentation_ReferenceImageExtentOffset:=0 0 0\n")
	return b.String()
}

// extent returns the first and last index of a segment along each axis; 0 and -1 where it has no voxel.
func (s *Segmentation) extent(segment Segment) [3][2]int {
	out := [3][2]int{{0, -1}, {0, -1}, {0, -1}}
	empty := true
	for v, value := range s.Layers[segment.Layer] {
		if value != segment.Value {
			continue
		}
		for a, x := range s.Size.Voxel(v) {
			if empty || x < out[a][0] {
				out[a][0] = x
			}
			out[a][1] = max(out[a][1], x)
		}
		empty = false
	}
	return out
}
