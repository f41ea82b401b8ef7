package compare

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// classNames are the label values of classes, by name; the zero value knows none.
type classNames struct {
	value map[string]uint8 // by the name as volume.FoldName writes it
	name  [256]string      // as the file has it
	twins map[string]bool  // names of several classes, which differ only in what FoldName leaves out
}

func (c *classNames) add(name string, value uint8) {
	if c.value == nil {
		c.value, c.twins = map[string]uint8{}, map[string]bool{}
	}
	folded := volume.FoldName(name)
	if other, known := c.value[folded]; known && other != value {
		c.twins[folded] = true
	}
	c.value[folded], c.name[value] = value, strings.TrimSpace(name)
}

func (c *classNames) list() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(c.name[:]), func(name string) bool { return name == "" }), ", ")
}

// naming is the rule which label value is which class:
//
//  1. The names of the references win: those of the dataset.json that they belong to, see dataset.LabelsOf, else those of their segments
//     (.seg.nrrd, DICOM SEG, RTSTRUCT, pictures in colour), as dataset.NamedClasses makes classes of them.
//  2. Where the references have none the names of the predictions count, found in the same way.
//  3. Where both sides have names, masks are matched by these, whatever the numbers. A name that the references do not have is a fault of
//     the case.
//  4. A value without a name is a number, called "class N". So are segments whose names say no more, see volume.Nameless, unless they say another number than they have, which is a fault.
//
// Files of one side that give one name several values, or one value several names, say nothing about numbers: of those among the references
// none is used, and where the references have no names at all nothing can be compared.
type naming struct {
	classNames
	predicted dataset.Labels     // of the dataset.json beside the predictions, where that is not the references'
	from      string             // the folder of predicted
	confused  bool               // numbers among the references cannot be used
	ignored   uint8              // value to ignore in references, as their dataset.json says
	annotated map[string][]uint8 // values that were looked for, by the IDs of cases, as it says
	colours   bool               // pictures are in colour, so that grey is a colour too
	held      map[string][]volume.Segment
}

// named reports whether the format of a mask names its segments.
func (n *naming) named(path string) bool {
	return volume.IsSegmentation(path) || !volume.IsImage(path) || n.colours && volume.IsPicture(path)
}

// segments returns what a mask that names its segments holds; nil where it cannot be read, which whoever compares it says.
func (n *naming) segments(path string) []volume.Segment {
	found, known := n.held[path]
	if known {
		return found
	}
	switch {
	case !volume.IsImage(path):
		found, _ = dicom.Segments(path)
	case volume.IsPicture(path):
		if s, err := volume.ReadColours(path); err == nil {
			found = s.Segments
		}
	default:
		if s, err := volume.ReadSegmentation(path); err == nil {
			found = s.Segments
		}
	}
	n.held[path] = found
	return found
}

// inNumbers reports whether masks have values or segments that are numbers alone.
func (n *naming) inNumbers(paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		return !n.named(path) || slices.ContainsFunc(n.segments(path), func(s volume.Segment) bool { return volume.Nameless(s.Name) })
	})
}

// namesIn makes classes of the names in masks. agree is whether each name has one value in all of them; it is as dataset.NamedClasses has it.
func (n *naming) namesIn(paths []string, numbers bool) (classes []string, agree bool) {
	var files [][]volume.Segment
	for _, path := range paths {
		if !n.named(path) {
			numbers = true
			continue
		}
		files = append(files, slices.DeleteFunc(slices.Clone(n.segments(path)), func(s volume.Segment) bool { return volume.MeansIgnore(s.Name) }))
	}
	return dataset.NamedClasses(files, numbers)
}

// namesOf finds out what names mean. The notes are what is doubtful.
func namesOf(pred, ref string, pairs []maskPair) (n *naming, notes []string, err error) {
	n = &naming{held: map[string][]volume.Segment{}}
	var preds, refs []string
	for _, p := range pairs {
		preds, refs = append(preds, p.pred), append(refs, p.ref)
	}
	n.colours = slices.ContainsFunc(slices.Concat(preds, refs), func(path string) bool { return volume.IsPicture(path) && volume.InColour(path) })
	labels, dir, err := dataset.LabelsOf(ref)
	if err != nil {
		return nil, nil, err
	}
	predicted, from, err := dataset.LabelsOf(pred)
	if err != nil {
		return nil, nil, err
	}
	n.ignored = labels.Ignore
	if dir != "" {
		if n.annotated, err = dataset.AnnotatedValues(dir); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range labels.Problems {
		notes = append(notes, p.Text)
	}
	if from != dir {
		n.predicted, n.from = predicted, from
		for _, p := range predicted.Problems {
			notes = append(notes, "of the predictions: "+p.Text)
		}
	}
	use := func(values map[string]uint8) {
		for name, value := range values {
			n.add(name, value)
		}
	}
	if len(labels.Values) > 0 {
		use(labels.Values)
		return n, notes, nil
	}
	named := refs
	if n.colours { // pictures declare no colours: of each side there may be some that the other has not
		named = slices.Concat(refs, preds)
	}
	if classes, agree := n.namesIn(named, n.inNumbers(preds) && n.predicted.Values == nil); classes != nil {
		for value, name := range classes[1:] {
			n.add(name, uint8(value+1))
		}
		n.confused = !agree
		if !agree && n.inNumbers(preds) && n.predicted.Values == nil {
			notes = append(notes, "the references number their segments differently: in masks of numbers 1, 2 … are taken as "+n.list())
		}
		return n, notes, nil
	}
	if n.predicted.Values != nil {
		use(n.predicted.Values)
		return n, notes, nil
	}
	switch classes, agree := n.namesIn(preds, true); {
	case classes == nil:
	case !agree:
		return nil, nil, errors.New("the predictions number their segments differently, and the references have no names: name the references' values in a dataset.json beside them (labels)")
	default:
		for value, name := range classes[1:] {
			n.add(name, uint8(value+1))
		}
		if len(n.value) > 1 {
			notes = append(notes, fmt.Sprintf("the references have no names: their values are taken as the predictions number their segments (%s); a dataset.json beside the references (labels) says otherwise", n.numbered()))
		}
	}
	return n, notes, nil
}

// numbered lists the classes with their values.
func (c *classNames) numbered() string {
	var all []string
	for value, name := range c.name {
		if name != "" {
			all = append(all, fmt.Sprintf("%d %s", value, name))
		}
	}
	return strings.Join(all, ", ")
}

// of returns the value of a segment's class; its own where it has no name or no names are known.
func (n *naming) of(path, what string, own uint8) (uint8, error) {
	if len(n.value) == 0 || volume.Nameless(what) {
		return own, nil
	}
	folded := volume.FoldName(what)
	switch v, known := n.value[folded]; {
	case known && !n.twins[folded]:
		return v, nil
	case known:
		if v := slices.Index(n.name[:], strings.TrimSpace(what)); v > 0 {
			return uint8(v), nil
		}
		return 0, fmt.Errorf("%s: the name of its segment %q fits several of the references' classes (%s): rename it", path, what, n.list())
	}
	return 0, fmt.Errorf("%s: its segment %q is none of the references' classes (%s): rename it", path, what, n.list())
}

// renumber gives a predicted mask of numbers the values of the classes that the dataset.json beside the predictions names. Its ignored voxels become background.
func (n *naming) renumber(path string, m *volume.Mask) error {
	if n.predicted.Values == nil {
		return nil
	}
	to := [256]uint8{}
	var known [256]bool
	known[0], known[n.predicted.Ignore] = true, true
	faults := [256]error{}
	for name, value := range n.predicted.Values {
		known[value] = true
		to[value], faults[value] = n.of(path, name, value)
	}
	for i, v := range m.Data {
		switch {
		case !known[v]:
			return fmt.Errorf("%s: its label value %d has no name in %s: name it, or move that file away to compare by number", path, v, n.json())
		case faults[v] != nil:
			return fmt.Errorf("%w in %s", faults[v], n.json())
		}
		m.Data[i] = to[v]
	}
	return nil
}

func (n *naming) json() string { return filepath.Join(n.from, "dataset.json") }

// values makes a mask of segments that a file names: names decide the values. Segments whose names mean ignore have the given value in a reference,
// which is told, and are background in a prediction.
func (n *naming) values(path string, s *volume.Segmentation, reference bool, ignored uint8) (m *volume.Mask, ignore bool, err error) {
	m, names, err := s.Mask()
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", path, err)
	}
	var to [256]uint8
	taken := map[uint8]string{}
	for v := 1; v < len(names); v++ {
		switch {
		case volume.MeansIgnore(names[v]) && n.value[volume.FoldName(names[v])] == 0:
			if ignore = ignore || reference; reference {
				to[v] = ignored
			}
			continue
		case !slices.ContainsFunc(s.Segments, func(s volume.Segment) bool { return s.Name == names[v] }):
			continue // a number without a segment
		}
		if volume.Nameless(names[v]) {
			switch number := volume.NumberIn(names[v]); {
			case reference && n.confused:
				return nil, false, fmt.Errorf("%s: its segment %q has no name but a number, whose meaning differs between the references that name their segments: name it", path, names[v])
			case number != 0 && number != v:
				return nil, false, fmt.Errorf("%s: its segment %q has the number %d: give it the name of a class", path, names[v], v)
			}
		}
		if to[v], err = n.of(path, names[v], uint8(v)); err != nil {
			return nil, false, err
		}
		if other, ok := taken[to[v]]; ok {
			return nil, false, fmt.Errorf("%s: the segments %q and %q are one class: rename one of them", path, other, names[v])
		}
		taken[to[v]] = names[v]
	}
	for i, v := range m.Data {
		m.Data[i] = to[v]
	}
	return m, ignore, nil
}

// readSegmentation reads a mask that names its segments and lies on voxels of its own. Of a SEG that does not say where its slices are the series on may.
func readSegmentation(path string, on func() (*dicom.Series, error)) (*volume.Segmentation, []string, error) {
	if volume.IsPicture(path) {
		s, err := volume.ReadColours(path)
		return s, nil, err
	}
	s, warnings, err := source.ReadSegmentation(path, nil)
	if err == nil || volume.IsImage(path) {
		return s, warnings, err
	}
	if series, serr := on(); serr == nil && series != nil {
		if s, warnings, again := source.ReadSegmentation(path, series); again == nil {
			return s, warnings, nil
		}
	}
	return nil, nil, err
}
