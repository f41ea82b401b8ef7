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

// together brings both masks to one grid.
func (r *reader) together(p maskPair, b *both) (err error) {
	located := func(m *volume.Mask) bool { return m.Unit == volume.Millimetre }
	if !r.byIndex && located(b.pred) && located(b.ref) {
		if g, h := b.pred.Grid, b.ref.Grid; g.Size == h.Size && g.Orientation() == h.Orientation() && !g.Same(h, 0.5*slices.Min(spacing(h))) {
			b.note(fmt.Sprintf("%s and %s have as many voxels along as many axes, but their headers place them apart: they are compared where these say that they lie; --by-index compares voxel by voxel, as a data set takes a mask for its image", p.pred, p.ref))
		}
		if b.pred, b.ref, err = onOneGrid(b.pred, b.ref); err != nil {
			return fmt.Errorf("%s cannot be compared with %s: %w; resample it to the reference, or compare --by-index", p.pred, p.ref, err)
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

// onOneGrid brings masks whose voxels coincide to one grid: the reference's, or where it does not hold all of the prediction the
// one of its axes that does.
func onOneGrid(pred, ref *volume.Mask) (p, r *volume.Mask, err error) {
	if p, err = pred.On(ref.Grid); err == nil {
		return p, ref, nil
	}
	both, err := ref.Cover(pred.Grid)
	if err != nil {
		return nil, nil, err
	}
	if p, err = pred.On(both); err != nil {
		return nil, nil, err
	}
	r, err = ref.On(both)
	return p, r, err
}
