package dataset

import "strings"

// Masks returns the paths of the masks in a data set's folder by the IDs of their cases, as far as names tell: no image and no
// mask is read. Cases without a mask are left out. It returns an error where the folder is none of the layouts.
func Masks(dir string) (map[string]string, error) {
	l, err := list(dir)
	if err != nil {
		return nil, err
	}
	masks := map[string]string{}
	for _, c := range l.cases {
		if c.Label != "" {
			masks[c.ID] = c.Label
		}
	}
	return masks, nil
}

// IgnoreValue returns the value of ignored voxels in the masks of a data set's folder, as its dataset.json has it; 0 if there is
// none, or the folder is none of the layouts.
func IgnoreValue(dir string) uint8 {
	l, err := list(dir)
	if err != nil {
		return 0
	}
	return l.ignore
}

// ClassValues returns the values in masks of numbers of the classes that dataset.json of a data set's folder names, but for the background; nil if it
// names none, or the folder is none of the layouts.
func ClassValues(dir string) map[string]uint8 {
	l, err := list(dir)
	if err != nil || len(l.classes) < 2 {
		return nil
	}
	values := map[string]uint8{}
	for n, name := range l.classes[1:] {
		values[name] = uint8(n + 1)
		if l.values != nil {
			values[name] = l.values[n]
		}
	}
	return values
}

// maskSuffixes end the names that people give to the mask of X, without the extension.
var maskSuffixes = []string{"_segmentation", "-segmentation", "_seg", "-seg", "_label", "-label", "_mask", "-mask", "_gt", "-gt"}

// CaseOf returns the case that a mask belongs to by its name, which comes without extension: "X" for "X_segmentation" and the
// like, in capitals or not. marked says whether there was such a suffix.
func CaseOf(name string) (id string, marked bool) {
	for _, s := range maskSuffixes {
		if n := len(name) - len(s); n > 0 && strings.EqualFold(name[n:], s) {
			return name[:n], true
		}
	}
	return name, false
}
