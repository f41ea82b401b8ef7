package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Image reads the image of a case: a file, or a folder with one DICOM series.
func (d *Dataset) Image(index int) (*volume.Volume, error) {
	c := d.Cases[index]
	v, err := c.readImage()
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return v, nil
}

// Reference reads the mask of a case, on the grid of the case's image. Its values must have a class.
//
// The mask must have the image's voxels. Axes in another order or direction are turned. Only formats that save the part
// with labels (.seg.nrrd, DICOM) may cover less than the image, which is background elsewhere. Where both have the same size and direction and differ in their place, or
// where one has no geometry, they are taken voxel by voxel.
func (d *Dataset) Reference(index int) (*volume.Mask, error) {
	c := d.Cases[index]
	if c.Label == "" {
		return nil, fmt.Errorf("case %s has no mask", c.ID)
	}
	m, err := c.readMask()
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	if err := checkValues(m, d.Classes); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return m, nil
}

func (c *Case) readImage() (*volume.Volume, error) {
	if !isFolder(c.Image) {
		return volume.ReadChannel(c.Image, c.Channel)
	}
	v, _, err := dicom.Read(c.Image) // Open has told the warnings
	return v, err
}

func (c *Case) readMask() (*volume.Mask, error) {
	m, err := readMaskFile(c.Label)
	if err != nil {
		return nil, err
	}
	if err := c.number(m); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.Label, err)
	}
	if voxelByVoxel(c.Grid, m.Grid) {
		m.Grid = c.Grid
		return m, nil
	}
	if err := fit(c, m); err != nil {
		return nil, err
	}
	return m.On(c.Grid)
}

// fit returns an error if a mask cannot be put on its image's grid.
func fit(c *Case, m *volume.Mask) error {
	part := isDICOM(c.Label) || strings.HasSuffix(strings.ToLower(c.Label), ".seg.nrrd")
	located := c.Grid.Unit == volume.Millimetre && m.Unit == volume.Millimetre
	if !located || !part && m.Len() != c.Grid.Len() {
		return fmt.Errorf("the image has %v voxels, its mask %v: resample the mask to the image", c.Grid.Size, m.Size)
	}
	if _, err := m.On(c.Grid); err != nil {
		return fmt.Errorf("the mask does not fit its image: %w; resample the mask to the image", err)
	}
	return nil
}

func readMaskFile(path string) (*volume.Mask, error) {
	if !isDICOM(path) {
		return volume.ReadMask(path)
	}
	s, _, err := dicom.ReadSegmentation(path)
	if err != nil {
		return nil, err
	}
	m, _, err := s.Mask()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return m, nil
}

// voxelByVoxel reports whether a mask's voxels are those of the image in the same order, as far as the headers tell.
func voxelByVoxel(image, mask volume.Grid) bool {
	if image.Size != mask.Size {
		return false
	}
	located := image.Unit == volume.Millimetre && mask.Unit == volume.Millimetre
	return !located || image.Orientation() == mask.Orientation()
}

// readHeaders fills in the grid of a case and compares it with its mask's.
func (c *Case) readHeaders() []Problem {
	problem := func(leftOut bool, text string) []Problem { return []Problem{{c.ID, text, leftOut}} }
	if isFolder(c.Image) {
		return c.readSeries()
	}
	h, err := volume.ReadHeader(c.Image)
	if err != nil {
		return problem(true, unreadable("image", c.Image, err))
	}
	c.Grid, c.Stored, c.Channels = h.Grid, h.Stored, h.Channels
	if c.Label == "" || isDICOM(c.Label) {
		return nil
	}
	header, err := volume.ReadHeader(c.Label)
	if err != nil {
		return problem(true, unreadable("mask", c.Label, err))
	}
	mask := header.Grid
	if !voxelByVoxel(c.Grid, mask) {
		m := &volume.Mask{Grid: mask, Data: make([]uint8, mask.Len())}
		if mask.Len() == c.Grid.Len() {
			for i := range m.Data {
				m.Data[i] = 1 // all of it must lie on the image
			}
		}
		if err := fit(c, m); err != nil {
			return problem(true, err.Error())
		}
		return nil
	}
	// Below half a voxel a difference is one of rounding, or of the convention for a voxel's corner and centre.
	s := c.Grid.Spacing()
	if least := min(s[0], s[1], s[2]); c.Grid.Unit == mask.Unit && !c.Grid.Same(mask, 0.5*least) {
		return problem(false, fmt.Sprintf("the headers of image and mask place them up to %.3g %s apart: used voxel by voxel, on the image's geometry",
			apart(c.Grid, mask), c.Grid.Unit))
	}
	return nil
}

// readSeries fills in the grid of a case whose image is a folder with a DICOM series.
func (c *Case) readSeries() []Problem {
	all, faults, err := dicom.Scan(c.Image)
	var problems []Problem
	for _, f := range faults {
		problems = append(problems, Problem{Case: c.ID, Text: fmt.Sprintf("%s is not used: %s", filepath.Base(f.File), f.Text)})
	}
	switch {
	case err != nil:
		return append(problems, Problem{c.ID, unreadable("image", c.Image, err), true})
	case len(all) == 0:
		return append(problems, Problem{c.ID, "no DICOM image in the folder", true})
	case len(all) > 1:
		var names []string
		for _, s := range all {
			names = append(names, s.String())
		}
		return append(problems, Problem{c.ID, fmt.Sprintf("%d series in one folder: move each to a folder of its own: %s", len(all), strings.Join(names, "; ")), true})
	}
	c.Grid, c.Stored = all[0].Grid, all[0].Stored
	for _, w := range all[0].Warnings {
		problems = append(problems, Problem{Case: c.ID, Text: w})
	}
	return problems
}

// isDICOM reports whether a file's name is that of a DICOM file; of these only segmentations are masks.
func isDICOM(name string) bool { return strings.EqualFold(filepath.Ext(name), ".dcm") }

// stem returns a file's name without its extension.
func stem(name string) string {
	if isDICOM(name) {
		return name[:len(name)-len(filepath.Ext(name))]
	}
	return volume.TrimExt(name)
}

// holdsDICOM reports whether there is a DICOM file among the first files in a folder and below.
func holdsDICOM(dir string) bool {
	found, left := false, 20
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // a folder that cannot be read holds nothing for us
		}
		found = isDICOM(path) || hasMagic(path)
		if left--; found || left == 0 {
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// hasMagic reports whether a file begins as a DICOM file does: many have names without extension.
func hasMagic(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [4]byte
	_, err = f.ReadAt(magic[:], 128)
	return err == nil && bytes.Equal(magic[:], []byte("DICM"))
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
func checkValues(m *volume.Mask, classes []string) error {
	largest := uint8(0)
	for _, v := range m.Data {
		largest = max(largest, v)
	}
	if int(largest) < len(classes) {
		return nil
	}
	if len(classes) == 0 {
		return errors.New("the data set has no classes")
	}
	return fmt.Errorf("label value %d has no class: the classes are 0 to %d; renumber the mask, or name the value in dataset.json",
		largest, len(classes)-1)
}
