package compare

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// grounds are the images that masks were drawn on: masks are compared on their grids, and contours (RTSTRUCT), which hold no slices themselves, are filled on
// their slices. Of contours these are, in this order: the image that was given; the
// image of the case in the data set of the references; the series that the contours name, in their own folder; the voxels of the other mask, as
// many more as the contours need.
type grounds struct {
	image *source.Image                            // for all
	of    map[string]func() (*source.Image, error) // by case
	drawn map[string]*dicom.Series                 // by the path of the contours: the series in their own folder
}

// openGrounds finds the images: image, a file, a series or a folder of cases, may be "".
func openGrounds(image, ref string) (g grounds, err error) {
	g.drawn = map[string]*dicom.Series{}
	if image != "" {
		kind, err := source.KindOf(image)
		if err == nil && kind != source.Cases {
			g.image, err = source.Open(image, "")
		}
		if err != nil {
			return g, fmt.Errorf("--image: %w", err)
		}
		if g.image != nil {
			return g, nil
		}
		ref = image
	}
	var all map[string]func() (*source.Image, error)
	if _, dir, err := dataset.LabelsOf(ref); image == "" && err == nil && dir != "" {
		all, _ = dataset.Images(dir)
	}
	if all == nil {
		if all, err = dataset.Images(ref); err != nil && image != "" {
			return g, fmt.Errorf("--image: %w", err)
		}
	}
	g.of = map[string]func() (*source.Image, error){}
	for id, open := range all {
		g.of[caseName(id)] = open
	}
	return g, nil
}

// known returns the image of a case, nil where there is none. In a folder of masks alone these look like images: a mask is not its own image.
func (g *grounds) known(p maskPair) (*source.Image, error) {
	if g.image != nil {
		return g.image, nil
	}
	for _, name := range []string{p.name, p.refName()} {
		if open := g.of[name]; open != nil {
			image, err := open()
			if err == nil && (same(image.Path, p.ref) || same(image.Path, p.pred)) {
				continue
			}
			return image, err
		}
	}
	return nil, nil
}

// same reports whether two paths lead to one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// series returns the DICOM series of a case, nil where there is none.
func (g *grounds) series(p maskPair) (*dicom.Series, error) {
	image, err := g.known(p)
	if image == nil || err != nil {
		return nil, err
	}
	return image.Series, nil
}

// fill fills the contours of a case. beside is the other mask, nil where that has contours too.
func (g *grounds) fill(p maskPair, path string, beside *volume.Mask) (*volume.Segmentation, []string, error) {
	image, err := g.known(p)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("the image that %s was drawn on: %w", path, err)
	case image != nil && image.Series != nil:
		return dicom.ReadContours(path, image.Series)
	case image != nil:
		return dicom.ReadContoursOn(path, image.Grid, false)
	}
	series, tried := g.drawn[path]
	if !tried {
		series = dicom.DrawnOn(path)
		g.drawn[path] = series
	}
	switch {
	case series != nil:
		return dicom.ReadContours(path, series)
	case beside == nil || beside.Unit != volume.Millimetre:
		return nil, nil, fmt.Errorf("%s is a structure set (RTSTRUCT), which holds no slices: give the image that it was drawn on, --image PATH, or put its DICOM series into the folder %s", path, filepath.Dir(path))
	}
	s, warnings, err := dicom.ReadContoursOn(path, beside.Grid, true)
	if err != nil {
		return nil, nil, err
	}
	if on, err := s.On(beside.Grid); err == nil { // in the other mask's order of axes
		s = on
	}
	return s, warnings, nil
}
