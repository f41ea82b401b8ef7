package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// Image reads the image of a case: a file, or a DICOM series. Of several channels it is the first.
func (d *Dataset) Image(index int) (*volume.Volume, error) { return d.ChannelImage(index, 0) }

// ChannelImage reads one of the images of a case, n counting the channels of UseChannels.
func (d *Dataset) ChannelImage(index, n int) (*volume.Volume, error) {
	c := d.Cases[index]
	c.several = c.inputs()[n : n+1]
	images, err := d.readInputs(&c)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return images[0], nil
}

// Stack returns a channel of a case whose slices, across axis 2 of the case's grid, can be read one at a time: each is then what ChannelImage has
// there. It is nil where the image has to be read as a whole: all but most DICOM series, and what has changed since the data set was opened.
func (d *Dataset) Stack(index, n int) (*dicom.Stack, error) {
	c := d.Cases[index]
	in := c.inputs()[n]
	if in.channel > 0 || !source.IsSeries(in.path) {
		return nil, nil
	}
	image, err := source.Open(in.path, in.series)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	if image.Grid != c.Grid {
		return nil, nil
	}
	return image.Series.Stack(), nil
}

// Images reads the images of a case, one for each channel of UseChannels, all on the case's grid.
func (d *Dataset) Images(index int) ([]*volume.Volume, error) {
	c := d.Cases[index]
	images, err := d.readInputs(&c)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return images, nil
}

// Reference reads the mask of a case, on the grid of the case's image. Its values must have a class, or be [volume.Ignored]
// where Dataset.Ignore says so.
//
// The mask must have the image's voxels. Axes in another order or direction are reordered. Only formats that store the
// labelled region alone (.seg.nrrd, DICOM) may cover less than the image, which is background elsewhere. Where both have
// the same size and direction but differ in position, or where one has no geometry, they are compared voxel by voxel. A DICOM mask, which is drawn on
// what its header says and may be a part of it, lies where that says, whatever its size: it is refused where the image has no such place.
func (d *Dataset) Reference(index int) (*volume.Mask, error) {
	c := d.Cases[index]
	if c.Label == "" {
		return nil, fmt.Errorf("case %s has no mask", c.ID)
	}
	m, err := d.reference(index)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return m, nil
}

// reference is Reference without the case's name in the error, but with that of the file.
func (d *Dataset) reference(index int) (*volume.Mask, error) {
	c := d.Cases[index]
	m, err := c.readMask(d.Classes)
	if err == nil {
		err = c.checkValues(m, d.Classes)
	}
	if err != nil {
		return nil, naming(c.Label, err)
	}
	return m, nil
}

// readMask reads the mask of a case: what its segments are called decides their classes, in a file without names the values do.
func (c *Case) readMask(classes []string) (*volume.Mask, error) {
	if c.named() {
		s, _, err := c.readSegments() // Open has reported the warnings
		if err != nil {
			return nil, err
		}
		return c.placed(s, classes)
	}
	m, err := source.ReadMask(c.Label)
	if err != nil {
		return nil, err
	}
	if err := c.number(m); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.Label, err)
	}
	return c.place(m)
}

// placed makes a mask of segments on the grid of the image.
func (c *Case) placed(s *volume.Segmentation, classes []string) (*volume.Mask, error) {
	m, err := c.maskOf(s, classes)
	if err != nil {
		return nil, err
	}
	return c.place(m)
}

// readValues is readMask with the values that classes have in the file: those of their segments where these have names.
func (c *Case) readValues(classes []string) (m *volume.Mask, values [256]int, err error) {
	for class := range values {
		values[class] = class
	}
	if c.ignore > 0 {
		values[volume.Ignored] = int(c.ignore)
	}
	if !c.named() {
		for n, v := range c.Values {
			values[n+1] = int(v)
		}
		m, err = c.readMask(classes)
		return m, values, err
	}
	s, _, err := c.readSegments()
	if err != nil {
		return nil, values, err
	}
	if m, err = c.placed(s, classes); err != nil {
		return nil, values, err
	}
	named, err := c.byNumber(s, classes)
	if err != nil {
		return nil, values, err
	}
	for _, segment := range named.Segments {
		class := slices.Index(classes, segment.Name)
		if class < 0 {
			class = slices.IndexFunc(classes, func(name string) bool { return volume.FoldName(name) == volume.FoldName(segment.Name) })
		}
		if class < 0 {
			class = volume.Ignored // else there is no such mask
		}
		values[class] = int(segment.Value)
	}
	return m, values, nil
}

// place puts a mask on the grid of its image.
func (c *Case) place(m *volume.Mask) (*volume.Mask, error) {
	if c.voxelByVoxel(m.Grid) {
		m.Grid = c.Grid
		return m, nil
	}
	if err := fit(c, m); err != nil {
		return nil, err
	}
	rounded := m.Rounded
	m, err := m.On(c.Grid)
	if err == nil {
		m.Rounded = rounded
	}
	return m, err
}

// fit returns an error if a mask cannot be put on its image's grid.
func fit(c *Case, m *volume.Mask) error {
	part := c.named()
	located := c.Grid.Unit == volume.Millimetre && m.Unit == volume.Millimetre
	if !located || !part && m.Len() != c.Grid.Len() {
		return fmt.Errorf("the image has %v voxels, its mask %v: resample the mask to the image", c.Grid.Size, m.Size)
	}
	if _, err := m.On(c.Grid); err != nil {
		return fmt.Errorf("the mask does not fit its image: %w; resample the mask to the image", err)
	}
	return nil
}

// voxelByVoxel reports whether a mask's voxels are those of the image in the same order, as far as the headers tell. Those of a DICOM mask are only where
// both lie in the same place.
func (c *Case) voxelByVoxel(mask volume.Grid) bool {
	if c.Grid.Size != mask.Size {
		return false
	}
	located := c.Grid.Unit == volume.Millimetre && mask.Unit == volume.Millimetre
	return !located || c.Grid.Orientation() == mask.Orientation() && (volume.IsImage(c.Label) || c.Grid.Same(mask, c.halfVoxel()))
}

// halfVoxel is the distance below which a difference in position is one of rounding, or of the convention for a voxel's corner and centre.
func (c *Case) halfVoxel() float64 {
	s := c.Grid.Spacing()
	return 0.5 * min(s[0], s[1], s[2])
}

// readHeaders fills in the grid of a case, whose channels may have names or be folders, and compares it with its mask's.
func (c *Case) readHeaders(channels []string, folders bool) (problems []Problem) {
	problem := func(leftOut bool, text string) []Problem {
		return append(problems, Problem{Case: c.ID, Text: text, LeftOut: leftOut})
	}
	image, err := c.openImage(channels, folders)
	switch several := (*volume.ChoiceError)(nil); {
	case err != nil && c.sequences != nil:
		return problem(true, err.Error())
	case err != nil:
		text := unreadable("image", c.Image, err)
		if errors.As(err, &several) {
			text += "; move each to a folder of its own, or, to read them as channels, name them in dataset.json (channel_names)"
		}
		return problem(true, text)
	}
	c.Grid, c.Stored, c.Channels = image.Grid, image.Stored, image.Channels
	if image.Series != nil {
		c.patient, c.Modality, c.Windows, c.origin = image.Series.Patient, image.Series.Modality, image.Series.Windows, originOf(image.Series)
		if !isFolder(c.Image) {
			c.slices = image.Series.Files()
		}
	}
	for _, w := range image.Warnings {
		problems = append(problems, Problem{Case: c.ID, Text: w})
	}
	if c.Label == "" || !volume.IsImage(c.Label) {
		return problems
	}
	header, err := volume.ReadHeader(c.Label)
	if err != nil {
		return problem(true, unreadable("mask", c.Label, err))
	}
	mask := header.Grid
	for _, w := range mask.Warnings() {
		if !slices.Contains(image.Warnings, w) {
			problems = append(problems, Problem{Case: c.ID, Text: "mask: " + w})
		}
	}
	if !c.voxelByVoxel(mask) {
		m := &volume.Mask{Grid: mask, Data: make([]uint8, mask.Len())}
		if mask.Len() == c.Grid.Len() {
			for i := range m.Data {
				m.Data[i] = 1 // all of it must lie on the image
			}
		}
		if err := fit(c, m); err != nil {
			return problem(true, err.Error())
		}
		return problems
	}
	if c.Grid.Unit == mask.Unit && !c.Grid.Same(mask, c.halfVoxel()) {
		return problem(false, fmt.Sprintf("the headers of image and mask place them up to %.3g %s apart: they are taken voxel by voxel, with the geometry of the image",
			apart(c.Grid, mask), c.Grid.Unit))
	}
	return problems
}

// holdsDICOM reports whether there is a DICOM file in a folder and below, among the first that may be one by their names. Where none is found the error is
// that of a folder that cannot be read.
func holdsDICOM(dir string) (found bool, fault error) {
	left := 200
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // a linked folder is walked like others
	}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			fault = err
			return nil
		case e.IsDir() || notDICOM(e.Name()):
			return nil
		}
		found = dicom.IsFile(path)
		if left--; found || left == 0 {
			return fs.SkipAll
		}
		return nil
	})
	if found {
		fault = nil
	}
	return found, fault
}

// notDICOM reports whether a name is that of another kind of file: images of other formats, and what lies beside scans.
func notDICOM(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".txt", ".md", ".log", ".json", ".yaml", ".yml", ".xml", ".html", ".htm", ".csv", ".tsv", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".rtf", ".ini", ".inf",
		".zip", ".gz", ".tar", ".7z", ".db", ".mat", ".npy", ".npz", ".raw", ".bmp", ".gif", ".bval", ".bvec", ".py", ".exe", ".dll", ".jar", ".css", ".js":
		return true
	}
	return strings.HasPrefix(name, ".") || volume.IsImage(name)
}

// apart returns the largest difference between world coordinates of the corners of two grids.
func apart(a, b volume.Grid) float64 {
	largest := 0.0
	p, q := a.Corners(), b.Corners()
	for n := range p {
		for r := range 3 {
			largest = max(largest, p[n][r]-q[n][r], q[n][r]-p[n][r])
		}
	}
	return largest
}

// unreadable says why a file of a case cannot be read.
func unreadable(kind, path string, err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		// The file that is missing may be another one that the header names.
		if !exists(path) {
			return fmt.Sprintf("the %s %s is missing", kind, filepath.Base(path))
		}
	case errors.Is(err, os.ErrPermission):
		return fmt.Sprintf("no permission to read the %s %s", kind, filepath.Base(path))
	}
	return fmt.Sprintf("the %s cannot be read: %v", kind, err)
}

// checkValues returns an error if a value of the mask has no class.
func (c *Case) checkValues(m *volume.Mask, classes []string) error {
	largest := uint8(0)
	for _, v := range m.Data {
		if v > largest && !c.ignored(v) {
			largest = v
		}
	}
	if int(largest) < len(classes) {
		return c.checkAnnotated(m, classes)
	}
	if len(classes) == 0 {
		return errors.New("the data set has no classes")
	}
	return fmt.Errorf("label value %d has no class: the classes are 0 to %d; renumber the mask, or name the value in dataset.json",
		largest, len(classes)-1)
}
