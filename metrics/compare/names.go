package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/source"
)

// segmentNames are the label values of classes by the names of segments, as foldName writes them; nil where values alone count.
type segmentNames map[string]uint8

func foldName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// nameless matches the names of segments that say no more than a number.
var nameless = regexp.MustCompile(`(?i)^\s*((segment|class|value)[ _]?\d+)?\s*$`)

// namesSegments reports whether the format of a mask names its segments.
func namesSegments(path string) bool { return volume.IsSegmentation(path) || !volume.IsImage(path) }

// namesOf returns what the names of segments mean: the values that the dataset.json of the references' folder gives them, else those that the
// references do, which are the classes that such references are when a data set is opened. The note is that they disagree.
func namesOf(ref string, pairs []maskPair) (names segmentNames, note string) {
	if named := dataset.ClassValues(ref); len(named) > 0 {
		names = segmentNames{}
		for name, value := range named {
			names[foldName(name)] = value
		}
		return names, ""
	}
	numbers := slices.ContainsFunc(pairs, func(p maskPair) bool { return !namesSegments(p.ref) || !namesSegments(p.pred) })
	var files [][]volume.Segment
	for _, p := range pairs {
		if !namesSegments(p.ref) {
			continue
		}
		s, _, err := source.ReadSegmentation(p.ref, nil)
		if err != nil {
			continue // whoever compares it says so
		}
		files = append(files, slices.DeleteFunc(s.Segments, func(s volume.Segment) bool { return dataset.MeansIgnore(s.Name) || nameless.MatchString(s.Name) }))
	}
	classes, agree := dataset.NamedClasses(files, numbers)
	if classes == nil {
		return nil, ""
	}
	names = segmentNames{}
	for value, name := range classes[1:] {
		names[foldName(name)] = uint8(value + 1)
	}
	if numbers && !agree {
		note = "the references number their segments differently: in masks of numbers 1, 2 … are taken as " + strings.Join(classes[1:], ", ")
	}
	return names, note
}

// value returns the value of a segment's class; its own where it has no name or no names are known.
func (n segmentNames) value(path string, segment string, own uint8) (uint8, error) {
	if len(n) == 0 || nameless.MatchString(segment) {
		return own, nil
	}
	if v, ok := n[foldName(segment)]; ok {
		return v, nil
	}
	var known []string
	for name := range n {
		known = append(known, name)
	}
	slices.SortFunc(known, func(a, b string) int { return int(n[a]) - int(n[b]) })
	return 0, fmt.Errorf("%s: its segment %q is none of the references' classes (%s): rename it", path, segment, strings.Join(known, ", "))
}
