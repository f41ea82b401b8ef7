package dataset

import (
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/volume/source"
)

// Masks returns the paths of the masks in a data set's folder by the IDs of their cases, as far as names tell: of images and masks no more
// is read than the headers of NRRD files, which may name segments. Cases without a mask are left out. It returns an error where the folder is none of the layouts.
func Masks(dir string) (map[string]string, error) {
	l, err := list(dir, false)
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

// Labels are what a dataset.json says of the values in masks of numbers.
type Labels struct {
	Values   map[string]uint8 // of the classes, but for the background; nil where it names none
	Ignore   uint8            // see Dataset.Ignore
	Problems []Problem        // why names are not used
}

// LabelsOf reads the labels of the dataset.json that a mask or a folder of masks belongs to, and returns the folder that it lies in: the folder
// itself, that of the file, or, of a folder labels…, masks or final, the one above. Where there is none the folder is "".
func LabelsOf(path string) (l Labels, dir string, err error) {
	if dir = path; !isFolder(path) {
		dir = filepath.Dir(path)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return l, "", err
	}
	for !exists(filepath.Join(dir, "dataset.json")) {
		name := strings.ToLower(filepath.Base(dir))
		if name != "final" && name != "masks" && !strings.HasPrefix(name, "labels") {
			return l, "", nil
		}
		dir = filepath.Dir(dir)
	}
	j, err := readJSON(filepath.Join(dir, "dataset.json"))
	if err != nil {
		return l, dir, err
	}
	l.Ignore, l.Problems = j.ignore, j.problems
	for n, name := range j.classes[min(1, len(j.classes)):] {
		if l.Values == nil {
			l.Values = map[string]uint8{}
		}
		l.Values[name] = uint8(n + 1)
		if j.values != nil {
			l.Values[name] = j.values[n]
		}
	}
	return l, dir, nil
}

// Images returns, by the IDs of the cases in a data set's folder, functions that read the headers of their images; see Masks.
func Images(dir string) (map[string]func() (*source.Image, error), error) {
	l, err := list(dir, false)
	if err != nil {
		return nil, err
	}
	folders := numberedCases(l.cases)
	images := map[string]func() (*source.Image, error){}
	for _, c := range l.cases {
		images[c.ID] = func() (*source.Image, error) { return c.openImage(l.channels, folders) }
	}
	return images, nil
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
