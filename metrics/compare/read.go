package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// reader reads pairs of masks on one grid.
type reader struct {
	*naming
	grounds
	byIndex bool
	ignore  uint8 // the value to ignore in references, 0 if dataset.json and options name none
}

// both are the masks of a case. ignored says whether the reference has segments to ignore, which have the reader's value or, without one,
// volume.Ignored. The notes say what is doubtful.
type both struct {
	pred, ref *volume.Mask
	ignored   bool
	notes     []string
}

// read reads both masks. Contours are filled last, on what the other mask lies on where nothing else is known.
func (r *reader) read(p maskPair) (b both, err error) {
	contours := func(path string) bool {
		kind, err := dicom.KindOf(path)
		return !volume.IsImage(path) && err == nil && kind == dicom.Contours
	}
	order := []bool{true, false} // whether it is the reference
	if contours(p.ref) && !contours(p.pred) {
		slices.Reverse(order)
	}
	var first *volume.Mask
	for _, reference := range order {
		path, to := p.pred, &b.pred
		if reference {
			path, to = p.ref, &b.ref
		}
		m, err := r.mask(p, path, reference, contours(path), first, &b)
		if err != nil {
			return both{}, err
		}
		*to, first = m, m
		for _, w := range m.Warnings() {
			b.note(path + ": " + w)
		}
		if n := m.Rounded; n > 0 {
			b.note(fmt.Sprintf("%s: the values of %d voxels are not whole numbers (by less than 0.01): read as the nearest", path, n))
		}
	}
	if d := otherPatient(p); d != "" {
		b.note(d)
	}
	return b, r.together(p, &b)
}

// otherPatient says that DICOM headers name two patients; "" where they do not.
func otherPatient(p maskPair) string {
	if volume.IsImage(p.pred) || volume.IsImage(p.ref) {
		return ""
	}
	pred, err := dicom.ReadHead(p.pred)
	if err != nil {
		return ""
	}
	ref, err := dicom.ReadHead(p.ref)
	if err != nil || pred.Patient == ref.Patient || pred.Patient == "" || ref.Patient == "" {
		return ""
	}
	return fmt.Sprintf("%s and %s are of two patients, as their PatientIDs say: are they meant to be compared?", p.pred, p.ref)
}

func (b *both) note(text string) {
	if !slices.Contains(b.notes, text) {
		b.notes = append(b.notes, text)
	}
}

// mask reads one mask of a pair; beside is the other one, if that was read already.
func (r *reader) mask(p maskPair, path string, reference, contours bool, beside *volume.Mask, b *both) (*volume.Mask, error) {
	if !r.named(path) {
		if reference && r.confused {
			return nil, fmt.Errorf("%s: its values are numbers, whose meaning differs between the references that name their segments: name the values in a dataset.json", path)
		}
		m, err := source.ReadMask(path)
		if err == nil && !reference {
			err = r.renumber(path, m)
		}
		return m, err
	}
	var s *volume.Segmentation
	var warnings []string
	var err error
	if contours {
		s, warnings, err = r.fill(p, path, beside)
	} else {
		s, warnings, err = readSegmentation(path, func() (*dicom.Series, error) { return r.series(p) })
	}
	if err != nil {
		return nil, err
	}
	if !volume.IsImage(path) {
		for _, w := range warnings {
			b.note(path + ": " + w)
		}
	}
	m, ignored, err := r.values(path, s, reference, cmp.Or(r.ignore, volume.Ignored))
	b.ignored = b.ignored || ignored
	return m, err
}

func spacing(g volume.Grid) []float64 {
	s := g.Spacing()
	return s[:]
}

// together brings both masks to one grid. By their places in space that is the grid of the case's image, and where none is known the smallest one that
// holds both: how far a file is cut down to what is outlined, as those of 3D Slicer and SEG often are, is to change no measure. Where the grid may still be
// such a part of an image, that is noted.
func (r *reader) together(p maskPair, b *both) (err error) {
	located := func(m *volume.Mask) bool { return m.Unit == volume.Millimetre }
	if !r.byIndex && located(b.pred) && located(b.ref) {
		g, h := b.pred.Grid, b.ref.Grid
		apart := g.Size == h.Size && g.Orientation() == h.Orientation() && !g.Same(h, 0.5*slices.Min(spacing(h)))
		if apart {
			b.note(fmt.Sprintf("%s and %s have as many voxels along as many axes, but their headers place them apart: they are compared where these say that they lie; --by-index compares voxel by voxel, as a data set takes a mask for its image", p.pred, p.ref))
		}
		partial := mayBePart(p.pred) && mayBePart(p.ref)
		if (partial || g.Size != h.Size) && r.onImage(p, b) {
			return nil
		}
		if b.pred, b.ref, err = onOneGrid(b.pred, b.ref); err != nil {
			return fmt.Errorf("%s cannot be compared with %s: %w; resample it to the reference, or compare --by-index", p.pred, p.ref, err)
		}
		if n := b.ref.Len(); !apart && n > g.Len() && n > h.Len() || partial && b.fillsAnAxis() {
			b.note(fmt.Sprintf("%s and %s look like parts of an image that is not known: slices beyond them are not counted, distances of an empty mask are those of the part, and one slice is taken as an image of one; "+
				"give the image, or the folder of the cases, with --image", p.pred, p.ref))
		}
		return nil
	}
	if b.pred.Size != b.ref.Size {
		return fmt.Errorf("%s has %s voxels, its reference %s %s: without a place in space for both they cannot be compared",
			p.pred, sizeText(b.pred.Size), p.ref, sizeText(b.ref.Size))
	}
	if located(b.pred) != located(b.ref) {
		if !r.byIndex {
			b.note(fmt.Sprintf("%s and %s: only one of them has a place in space; they are compared voxel by voxel, with its spacing", p.pred, p.ref))
		}
		if located(b.pred) {
			b.ref.Grid = b.pred.Grid
		}
	}
	return nil
}

func sizeText(size [3]int) string { return fmt.Sprintf("%d x %d x %d", size[0], size[1], size[2]) }

// mayBePart reports whether a mask is of a format that holds what is outlined alone; others hold every voxel of their image.
func mayBePart(path string) bool { return volume.IsSegmentation(path) || !volume.IsImage(path) }

// onImage brings both masks to the grid of the case's image, and reports whether that is known and has their voxels.
func (r *reader) onImage(p maskPair, b *both) bool {
	image, err := r.known(p)
	if err != nil || image == nil || image.Unit != volume.Millimetre {
		return false
	}
	pred, err := b.pred.On(image.Grid)
	if err != nil {
		return false
	}
	ref, err := b.ref.On(image.Grid)
	if err != nil {
		return false
	}
	b.pred, b.ref = pred, ref
	return true
}

// fillsAnAxis reports whether a class of the masks, which are on one grid, lies in the first slice and in the last one across an axis.
func (b *both) fillsAnAxis() bool {
	var first, last [3]bool
	size := b.ref.Size
	for n := range b.ref.Data {
		if b.ref.Data[n] == 0 && b.pred.Data[n] == 0 {
			continue
		}
		for a, x := range size.Voxel(n) {
			first[a], last[a] = first[a] || x == 0, last[a] || x == size[a]-1
		}
	}
	return first[0] && last[0] || first[1] && last[1] || first[2] && last[2]
}

// onOneGrid brings masks whose voxels coincide to the smallest grid on the axes of the reference that holds both. Where they have no voxel in common the
// prediction must be empty, and the grid is the reference's.
func onOneGrid(pred, ref *volume.Mask) (p, r *volume.Mask, err error) {
	grid, err := ref.Cover(pred.Grid)
	switch {
	case err != nil:
		if p, apart := pred.On(ref.Grid); apart == nil {
			return p, ref, nil
		}
		return nil, nil, err
	case grid.Size == ref.Size: // it is the reference's
		p, err = pred.On(ref.Grid)
		return p, ref, err
	}
	if p, err = pred.On(grid); err != nil {
		return nil, nil, err
	}
	r, err = ref.On(grid)
	return p, r, err
}
