package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Files returns the paths of a case that are read: its image, or those of all channels, and its mask, if it has one. Each is a file, or a
// folder with a DICOM series; where one file stands for its series they are all files of that.
func (c Case) Files() (images []string, label string) {
	for _, in := range c.inputs() {
		of := []string{in.path}
		if in.path == c.Image && len(c.slices) > 0 {
			of = c.slices
		}
		for _, path := range of {
			if !slices.Contains(images, path) {
				images = append(images, path)
			}
		}
	}
	return images, c.Label
}

// Reads says in one line what is read of case i: for each channel, in their order, the path within the data set, the ID of the DICOM series where a
// folder holds several, and the number of the channel in the file. A copy of the data set elsewhere has the same line.
func (d *Dataset) Reads(i int) string {
	var all []string
	for _, in := range d.Cases[i].inputs() {
		path := in.path
		if inside, err := filepath.Rel(d.Dir, path); err == nil {
			path = inside
		}
		all = append(all, fmt.Sprintf("%q %q %d", filepath.ToSlash(path), in.series, in.channel))
	}
	return strings.Join(all, ", ")
}
