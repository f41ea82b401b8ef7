package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// named reports whether the file of a case's mask names its segments: .seg.nrrd, DICOM SEG and RTSTRUCT do, and pictures in colour, of which
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

// splitIgnored takes the segments whose names mean ignore out of a segmentation, unless a class has that name, and returns for each voxel
// whether it is of one; nil where there is none.
func splitIgnored(s *volume.Segmentation, classes []string) (rest *volume.Segmentation, ignored []bool) {
	rest = &volume.Segmentation{Grid: s.Grid, Layers: s.Layers}
	for _, segment := range s.Segments {
		named := slices.ContainsFunc(classes, func(class string) bool {
			return volume.FoldName(class) == volume.FoldName(segment.Name)
		})
		if named || !volume.MeansIgnore(segment.Name) {
			rest.Segments = append(rest.Segments, segment)
			continue
		}
		if ignored == nil {
			ignored = make([]bool, s.Len())
		}
		for n, v := range s.Layers[segment.Layer] {
			ignored[n] = ignored[n] || v == segment.Value
		}
	}
	return rest, ignored
}

// maskOf makes a mask of the classes of a case's segments. Those whose names mean ignore become volume.Ignored, also where they overlap a
// class, if the case has a value to ignore.
func (c *Case) maskOf(s *volume.Segmentation, classes []string) (*volume.Mask, error) {
	if c.ignore == 0 {
		return s.MaskOf(classes)
	}
	rest, ignored := splitIgnored(s, classes)
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
// be used: the names are those of no class, two segments have one name, or they overlap. Without classes the names become them.
// Segments whose names mean ignore are no class, unless learn says so.
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
	segments := make([][]volume.Segment, len(d.Cases))
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
				rest, ignored = splitIgnored(s, d.Classes)
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
			segments[i] = named
		}
	})
	for _, i := range cases {
		d.Ignore = max(d.Ignore, d.Cases[i].ignore)
	}
	numbers := len(cases) < len(d.Labelled())
	confused := false
	if d.Classes == nil {
		var agree bool
		d.Classes, agree = NamedClasses(segments, numbers)
		confused = numbers && !agree
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
		if confused && c.Label != "" && !c.named() {
			d.problem(c.ID, true, "its mask has numbers, whose meaning differs between the masks that name their segments: name the values in a dataset.json")
			continue
		}
		kept = append(kept, c)
	}
	d.Cases = kept
}

const background = "background"

// NamedClasses makes classes of the names of segments. Where each name has one value in all files these are the classes' values, if they
// leave no gap or there are other masks that only have numbers. Else the names count in the order in which they appear. It
// returns nil where there are no names. agree is whether each name has one value.
func NamedClasses(files [][]volume.Segment, numbers bool) (classes []string, agree bool) {
	names := []string{background}
	valueOf, nameOf := map[string]uint8{}, map[uint8]string{}
	agree = true
	highest := 0
	for _, segments := range files {
		for _, s := range segments {
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
