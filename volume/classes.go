package volume

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

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

// Named reports whether a segment has a name that says what it is.
func (s *Segmentation) Named() bool {
	return slices.ContainsFunc(s.Segments, func(one Segment) bool { return !Nameless(one.Name) && !MeansIgnore(one.Name) })
}

// Name gives the segments the names of classes, from value 1 on. It is the rule which names count where some stand in the file and others are given:
//
//  1. The names that stand in the file win, whatever their numbers. Those that are given must contain them, or it is an error; names that mean ignore (see MeansIgnore) need not be among them.
//  2. In a file without names (see Nameless) those that are given count. Blank ones are none.
//
// A segment stays without a name where none is given for its value, where its own says another number (see NumberIn), and beside segments that have one.
func (s *Segmentation) Name(names []string) error {
	named := s.Named()
	for i, segment := range s.Segments {
		v := int(segment.Value)
		switch nameless := Nameless(segment.Name); {
		case nameless && !named && v <= len(names) && strings.TrimSpace(names[v-1]) != "" && (NumberIn(segment.Name) == 0 || NumberIn(segment.Name) == v):
			s.Segments[i].Name = strings.TrimSpace(names[v-1])
		case nameless || MeansIgnore(segment.Name) || len(names) == 0:
		case !slices.ContainsFunc(names, func(name string) bool { return FoldName(name) == FoldName(segment.Name) }):
			return fmt.Errorf("its segment %q is none of the classes %s: rename it, or give --names with it", segment.Name, strings.Join(names, ", "))
		}
	}
	return nil
}

// CheckNames returns an error if two segments are called the same, as which no program could tell them apart. Segments may have no names.
func CheckNames(names []string) error {
	seen := map[string]int{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if first, is := seen[name]; is && name != "" {
			return fmt.Errorf("the segments %d and %d are both called %q: give them different names, or join them", first+1, i+1, shorten(name))
		}
		seen[name] = i
	}
	return nil
}

// MeansIgnore reports whether the name of a segment says that its voxels are those of no class: ignore, unsure, void or not labelled, whatever
// the letter case and the blanks around it.
func MeansIgnore(name string) bool {
	return slices.Contains([]string{"ignore", "unsure", "void", "not labelled"}, FoldName(name))
}

// CheckClassNames returns the names of classes, without the background, with no blanks around them. It is an error where masks with these names could not be read back: one is empty or has
// a control character, such as a line's end, is background or means that nobody annotated its voxels (see MeansIgnore), or two are one name (see FoldName).
func CheckClassNames(names []string) ([]string, error) {
	trimmed, before := make([]string, len(names)), map[string]string{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		folded := FoldName(name)
		other, twice := before[folded]
		switch {
		case name == "":
			return nil, fmt.Errorf("the name of class %d is empty", i+1)
		case strings.ContainsFunc(name, unicode.IsControl):
			return nil, fmt.Errorf("the class name %q has a control character, such as a line's end", shorten(name))
		case folded == "background":
			return nil, fmt.Errorf("a class is called %q, as what is of no class is: give it another name", name)
		case MeansIgnore(name):
			return nil, fmt.Errorf("a class is called %q, which means that nobody annotated its voxels: give it another name", name)
		case twice:
			return nil, fmt.Errorf("two classes have the name %q: letter case, blanks around it and the encoding of accents do not count", shorten(other))
		}
		trimmed[i], before[folded] = name, name
	}
	return trimmed, nil
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
