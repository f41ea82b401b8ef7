package volume

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// FoldName returns a name as it is compared: letter case, blanks around it and how its accents are encoded (NFC or NFD) do not count.
func FoldName(name string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(name))) }

var nameless = regexp.MustCompile(`(?i)^\s*((segment|class|value)[ _]?\d+)?\s*$`)

// Nameless reports whether the name of a segment says no more than a number: there is none, or it is Segment_1, as the segments of files without
// names are called, class 1 or the like, whatever the letter case.
func Nameless(name string) bool { return nameless.MatchString(name) }

// NumberIn returns the number of a name that says no more (see Nameless), such as 2 of Segment_2; 0 where there is none.
func NumberIn(name string) int {
	n, _ := strconv.Atoi(strings.TrimFunc(name, func(r rune) bool { return r < '0' || r > '9' }))
	return n
}

// MeansIgnore reports whether the name of a segment says that its voxels are those of no class: ignore, unsure, void or not labelled, whatever
// the letter case and the blanks around it.
func MeansIgnore(name string) bool {
	return slices.Contains([]string{"ignore", "unsure", "void", "not labelled"}, FoldName(name))
}

// MaskOf returns the segmentation as one mask of the classes with these names, of which classes[0] is the background. The names of the
// segments decide, not their values or their order, which differ from file to file, as FoldName compares them, unless two classes
// differ only in what that leaves out. A class without a segment has no voxel.
//
// A segment whose name is no class is an error that lists both, and so are two segments of one class and voxels of two classes.
func (s *Segmentation) MaskOf(classes []string) (*Mask, error) {
	to := make([]uint8, len(s.Segments))
	taken := map[uint8]string{}
	var unknown []string
	for i, segment := range s.Segments {
		c, err := classNamed(classes, segment.Name)
		switch {
		case err != nil:
			return nil, err
		case c == 0:
			unknown = append(unknown, fmt.Sprintf("%q", shorten(segment.Name)))
			continue
		case taken[c] != "":
			return nil, fmt.Errorf("two segments, %q and %q, are both class %q: give them different names or join them", shorten(taken[c]), shorten(segment.Name), classes[c])
		}
		to[i], taken[c] = c, segment.Name
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no class has the name of segment %s: the classes are %s", strings.Join(unknown, ", "), strings.Join(classes[min(1, len(classes)):], ", "))
	}
	renamed := &Segmentation{Grid: s.Grid, Layers: make([][]uint8, len(s.Layers))}
	for l, layer := range s.Layers {
		var value [256]uint8
		for i, segment := range s.Segments {
			if segment.Layer == l {
				value[segment.Value] = to[i]
			}
		}
		renamed.Layers[l] = make([]uint8, len(layer))
		for v, x := range layer {
			renamed.Layers[l][v] = value[x]
		}
	}
	for i, segment := range s.Segments {
		renamed.Segments = append(renamed.Segments, Segment{Name: segment.Name, Layer: segment.Layer, Value: to[i]})
	}
	m, _, err := renamed.Mask()
	return m, err
}

// classNamed returns the class above 0 of a name, 0 if there is none.
func classNamed(classes []string, name string) (uint8, error) {
	found := 0
	for c := 1; c < min(len(classes), 256); c++ {
		if classes[c] == name {
			return uint8(c), nil
		}
		if FoldName(classes[c]) == FoldName(name) {
			if found > 0 {
				return 0, fmt.Errorf("the name of segment %q fits the classes %q and %q", shorten(name), classes[found], classes[c])
			}
			found = c
		}
	}
	return uint8(found), nil
}
