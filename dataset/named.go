package dataset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// named reports whether the file of a case's mask names its segments: .seg.nrrd (see volume.IsSegmentation), DICOM SEG and RTSTRUCT do, and pictures in colour, of which
// each colour is a segment.
func (c *Case) named() bool {
	return c.Label != "" && (c.colour || volume.IsSegmentation(c.Label) || !volume.IsImage(c.Label))
}

// readSegments reads the mask of a case with the names of its segments. SEG and RTSTRUCT are put on the series of the image, and RTSTRUCT on the
// voxels of an image that is none.
func (c *Case) readSegments() (*volume.Segmentation, []string, error) {
	if c.colour {
		s, err := volume.ReadColours(c.Label)
		return s, nil, err
	}
	var series *dicom.Series
	if !volume.IsSegmentation(c.Label) {
		image, err := source.Open(c.Image, c.series())
		if err != nil {
			return nil, nil, err
		}
		if series = image.Series; series == nil && !volume.IsImage(c.Label) {
			if kind, err := dicom.KindOf(c.Label); err == nil && kind == dicom.Contours {
				return dicom.ReadContoursOn(c.Label, image.Grid, false)
			}
		}
	}
	return source.ReadSegmentation(c.Label, series)
}

// isClass reports whether a class has a segment's name.
func isClass(classes []string, name string) bool {
	return slices.ContainsFunc(classes, func(class string) bool { return volume.FoldName(class) == volume.FoldName(name) })
}

// byNumber gives the segments without a name (see volume.Nameless) the names of the classes that their numbers mean in masks of numbers, so that they count as such. Those
// that the case ignores stay. Numbers without a class, and names that say another number, are an error.
func (c *Case) byNumber(s *volume.Segmentation, classes []string) (*volume.Segmentation, error) {
	out := *s
	out.Segments = slices.Clone(s.Segments)
	for i, v := range s.Numbers() {
		name := out.Segments[i].Name
		if !volume.Nameless(name) || isClass(classes, name) || c.ignore > 0 && v == c.ignore {
			continue
		}
		if n := volume.NumberIn(name); n != 0 && n != int(v) {
			return nil, fmt.Errorf("its segment %q has the number %d: give it the name of a class", name, v)
		}
		class := int(v)
		if c.Values != nil {
			class = slices.Index(c.Values, v) + 1
		}
		if class == 0 || class >= len(classes) {
			return nil, fmt.Errorf("its segment %q has no name, and no class has the label value %d: the classes are %s", name, v, strings.Join(classes[min(1, len(classes)):], ", "))
		}
		out.Segments[i].Name = classes[class]
	}
	return &out, nil
}

// splitIgnored takes the segments whose names mean ignore, and those without a name whose number is the value to ignore, out of a segmentation, unless a class has
// that name, and returns for each voxel whether it is of one; nil where there is none.
func splitIgnored(s *volume.Segmentation, classes []string, ignore uint8) (rest *volume.Segmentation, ignored []bool) {
	rest = &volume.Segmentation{Grid: s.Grid, Layers: s.Layers}
	numbers := s.Numbers()
	for i, segment := range s.Segments {
		byNumber := ignore > 0 && numbers[i] == ignore && volume.Nameless(segment.Name)
		if isClass(classes, segment.Name) || !byNumber && !volume.MeansIgnore(segment.Name) {
			rest.Segments = append(rest.Segments, segment)
			continue
		}
		if ignored == nil {
			ignored = make([]bool, s.Len())
		}
		if len(s.Layers) == 0 { // segments alone
			continue
		}
		for n, v := range s.Layers[segment.Layer] {
			ignored[n] = ignored[n] || v == segment.Value
		}
	}
	return rest, ignored
}

// numberClasses are classes of all numbers, with names that no segment without a name has.
var numberClasses = func() []string {
	classes := []string{background}
	for v := 1; v < 256; v++ {
		classes = append(classes, fmt.Sprint(v))
	}
	return classes
}()

// maskOf makes a mask of the classes of a case's segments; without classes their numbers are these. Those whose names mean ignore become volume.Ignored, also where they overlap a
// class, if the case has a value to ignore.
func (c *Case) maskOf(s *volume.Segmentation, classes []string) (*volume.Mask, error) {
	if classes == nil {
		classes = numberClasses
	}
	s, err := c.byNumber(s, classes)
	if err != nil {
		return nil, err
	}
	if c.ignore == 0 {
		return s.MaskOf(classes)
	}
	rest, ignored := splitIgnored(s, classes, c.ignore)
	m, err := rest.MaskOf(classes)
	if err != nil {
		return nil, err
	}
	for n, is := range ignored {
		if is {
			m.Data[n] = volume.Ignored
		}
	}
	return m, nil
}

// readNamed reads all masks whose files name their segments, lists what is doubtful about them, and leaves cases out whose mask cannot
// be used: the names are those of no class, two segments have one name, or they overlap. Without classes the names become them; one that only one case of three or more has is told.
// Segments whose names mean ignore are no class, unless learn says so. Those without a name count as masks of numbers: where names have other numbers in other
// files, nobody knows what they mean, and the case is left out.
func (d *Dataset) readNamed(ctx context.Context, learn bool, progress func(what string, done, total int)) {
	inColour := make([]bool, len(d.Cases))
	parallel.For(len(d.Cases), parallel.All, func(i int) {
		inColour[i] = ctx.Err() == nil && volume.IsPicture(d.Cases[i].Label) && volume.InColour(d.Cases[i].Label)
	})
	if slices.Contains(inColour, true) { // then grey is a colour too
		for i := range d.Cases {
			d.Cases[i].colour = volume.IsPicture(d.Cases[i].Label)
		}
	}
	var cases []int
	for i, c := range d.Cases {
		if c.named() {
			cases = append(cases, i)
		}
	}
	if len(cases) == 0 {
		return
	}
	segments := make([][]volume.Segment, len(d.Cases)) // without those to ignore
	whole := make([][]volume.Segment, len(d.Cases))
	warnings := make([][]string, len(d.Cases))
	faults := make([]error, len(d.Cases))
	done := counter(len(cases), "masks", progress)
	parallel.For(len(cases), parallel.All, func(n int) {
		if ctx.Err() != nil {
			return
		}
		defer done()
		i := cases[n]
		s, warned, err := d.Cases[i].readSegments()
		var named []volume.Segment
		if err == nil {
			rest, ignored := s, []bool(nil)
			if !learn {
				rest, ignored = splitIgnored(s, d.Classes, d.Cases[i].ignore)
			}
			if named = rest.Segments; ignored != nil && d.Cases[i].ignore == 0 {
				d.Cases[i].ignore = volume.Ignored
			}
			classes := d.Classes
			if classes == nil {
				classes = []string{background}
				for _, segment := range named {
					classes = append(classes, segment.Name)
				}
			}
			var m *volume.Mask
			if m, err = d.Cases[i].maskOf(s, classes); err == nil {
				_, err = d.Cases[i].place(m)
			}
		}
		warnings[i], faults[i] = warned, err
		if err == nil {
			segments[i], whole[i] = named, s.Segments
		}
	})
	for _, i := range cases {
		d.Ignore = max(d.Ignore, d.Cases[i].ignore)
	}
	numbers := len(cases) < len(d.Labelled())
	fromNames, confused := false, false
	if d.Classes == nil {
		var agree bool
		d.Classes, agree = NamedClasses(segments, numbers)
		fromNames, confused = d.Classes != nil, !agree
		d.tellRare(segments)
	}
	var kept []Case
	for i, c := range d.Cases {
		for _, w := range warnings[i] {
			d.problem(c.ID, false, "mask: %s", w)
		}
		if faults[i] != nil {
			d.problem(c.ID, true, "%s", unreadable("mask", c.Label, faults[i]))
			continue
		}
		nameless := slices.IndexFunc(segments[i], func(s volume.Segment) bool { return volume.Nameless(s.Name) })
		switch {
		case confused && c.Label != "" && !c.named():
			d.problem(c.ID, true, "its mask has numbers, whose meaning differs between the masks that name their segments: name the values in a dataset.json")
			continue
		case confused && nameless >= 0:
			d.problem(c.ID, true, "its segment %q has no name but a number, whose meaning differs between the masks that name their segments: name it", segments[i][nameless].Name)
			continue
		case fromNames && nameless >= 0:
			if _, err := c.maskOf(&volume.Segmentation{Segments: whole[i]}, d.Classes); err != nil {
				d.problem(c.ID, true, "%s", unreadable("mask", c.Label, err))
				continue
			}
		}
		kept = append(kept, c)
	}
	d.Cases = kept
}

const background = "background"

// tellRare tells of names that only one of the cases with named segments has, where there are three or more.
func (d *Dataset) tellRare(segments [][]volume.Segment) {
	in, spelt := map[string][]int{}, map[string]string{}
	with := 0
	for i, some := range segments {
		names := map[string]bool{}
		for _, s := range some {
			if key := volume.FoldName(s.Name); !volume.Nameless(s.Name) && !names[key] {
				names[key], spelt[key] = true, s.Name
				in[key] = append(in[key], i)
			}
		}
		with += min(len(names), 1)
	}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if len(in[key]) == 1 && with > 2 {
			d.note(d.Cases[in[key][0]].ID, "it is the only case with a segment called %q, which became a class: is it meant?", spelt[key])
		}
	}
}

// NamedClasses makes classes of the names of segments. Where each name has one value in all files these are the classes' values, if they
// leave no gap or there are other masks that only have numbers, for which segments without a name count (see volume.Nameless). Else the names count in the order in which they appear. It
// returns nil where there are no names. agree is whether each name has one value.
func NamedClasses(files [][]volume.Segment, numbers bool) (classes []string, agree bool) {
	names := []string{background}
	valueOf, nameOf := map[string]uint8{}, map[uint8]string{}
	agree = true
	highest := 0
	for _, segments := range files {
		for _, s := range segments {
			if volume.Nameless(s.Name) {
				numbers = true
				continue
			}
			key := volume.FoldName(s.Name)
			v, known := valueOf[key]
			if !known {
				names = append(names, s.Name)
				valueOf[key] = s.Value
			}
			other, taken := nameOf[s.Value]
			agree = agree && (!known || v == s.Value) && (!taken || volume.FoldName(other) == key)
			if !taken {
				nameOf[s.Value] = s.Name
			}
			highest = max(highest, int(s.Value))
		}
	}
	switch {
	case len(names) == 1:
		return nil, agree
	case !agree || !numbers && highest >= len(names):
		return names[:min(len(names), 256)], agree
	}
	classes = []string{background}
	for v := 1; v <= highest; v++ {
		name, ok := nameOf[uint8(v)]
		if !ok {
			name = fmt.Sprintf("class %d", v)
		}
		classes = append(classes, name)
	}
	return classes, agree
}
