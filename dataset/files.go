package dataset

import "slices"

// Files returns the paths of a case that are read: its image, or those of all channels, and its mask, if it has one. Each is a file, or a
// folder with a DICOM series.
func (c Case) Files() (images []string, label string) {
	for _, in := range c.inputs() {
		if !slices.Contains(images, in.path) {
			images = append(images, in.path)
		}
	}
	return images, c.Label
}
