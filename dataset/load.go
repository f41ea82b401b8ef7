package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// Slices are the items of some cases in memory. All slices have the same length; a caller must not write to them.
type Slices struct {
	Config preprocess.Config
	Items  []Item
	Names  []string    // of the items, e.g. "Case12/017"
	Images [][]float32 // of each item, [C Height Width], normalised and on the canvas: the dataset's channels, of each what Config.Image makes
	Labels [][]uint8   // of each item, [Height Width] of label values, or nil where the case has no mask or all of the slice is ignored
	// Unannotated tells of each item the classes, [K], that nobody has looked for in its case; nil where all are annotated, in one case or in all.
	Unannotated [][]bool
	// Warnings say which cases have NaN or infinite voxels and how many; preprocess.Normalise says what is made of them.
	Warnings []string
	// NonFinite are the numbers of those voxels, of each warning.
	NonFinite []int
	// LeftOut are the cases that cannot be used, in the order of the cases, each with its file and the fault in one line: they have no items.
	LeftOut []Problem
}

// Load reads cases and returns all their slices, in the order of the cases and along the axis. Up to GOMAXPROCS cases
// are read at a time, so that many volumes are in memory besides the slices. progress, which may be nil, is called
// after each case, by one goroutine at a time.
//
// Cases that cannot be used (unreadable, no voxel but NaN, a mask of another size, a label value without class) are left out and listed
// in LeftOut; that none can be used is an error. A cancelled context ends the work after the cases that are being read.
func Load(ctx context.Context, d *Dataset, cases []int, c preprocess.Config, progress func(done, total int)) (*Slices, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("load slices: %w", err)
	}
	s := &Slices{Config: c, Items: d.Items(cases, c.Axis)}
	s.Names = make([]string, len(s.Items))
	s.Images = make([][]float32, len(s.Items))
	s.Labels = make([][]uint8, len(s.Items))
	s.Unannotated = make([][]bool, len(s.Items))
	first := make([]int, len(cases)) // item of each case's slice 0
	n := 0
	for i, index := range cases {
		first[i] = n
		n += c.Slices(d.Cases[index].Grid)
	}
	for i, item := range s.Items {
		s.Names[i], s.Unannotated[i] = d.ItemName(item), d.Cases[item.Case].Unannotated
	}

	faults := make([]error, len(cases))
	bad := make([]int, len(cases))
	done := counter(len(cases), "", func(_ string, done, total int) {
		if progress != nil && ctx.Err() == nil {
			progress(done, total)
		}
	})
	parallel.For(len(cases), parallel.All, func(i int) {
		if ctx.Err() != nil {
			return
		}
		bad[i], faults[i] = s.load(d, cases[i], first[i])
		done()
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load slices: %w", err)
	}
	for i, fault := range faults {
		if fault != nil {
			s.LeftOut = append(s.LeftOut, Problem{Case: d.Cases[cases[i]].ID, Text: d.oneLine(fault.Error()), LeftOut: true})
		}
	}
	if n := len(s.LeftOut); n > 0 && n == len(cases) {
		return nil, fmt.Errorf("load slices: no case of %d can be used%s", n, firstProblems(s.LeftOut, 3))
	}
	s.remove(cases, faults)
	for i, n := range bad {
		if n > 0 {
			s.NonFinite = append(s.NonFinite, n)
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d voxels are NaN or infinite: %s", d.Cases[cases[i]].ID, n, c.NonFiniteText()))
		}
	}
	return s, nil
}

// remove takes the items of faulty cases away.
func (s *Slices) remove(cases []int, faults []error) {
	bad := map[int]bool{}
	for i, fault := range faults {
		bad[cases[i]] = bad[cases[i]] || fault != nil
	}
	n := 0
	for i, item := range s.Items {
		if !bad[item.Case] {
			s.Items[n], s.Names[n], s.Images[n], s.Labels[n], s.Unannotated[n] = item, s.Names[i], s.Images[i], s.Labels[i], s.Unannotated[i]
			n++
		}
	}
	s.Items, s.Names, s.Images, s.Labels, s.Unannotated = s.Items[:n], s.Names[:n], s.Images[:n], s.Labels[:n], s.Unannotated[:n]
}

// load reads one case into the items from first on, and counts its NaN and infinite voxels. The error names the file.
func (s *Slices) load(d *Dataset, index, first int) (bad int, err error) {
	c := d.Cases[index]
	images, err := d.readInputs(&c)
	if err != nil {
		return 0, naming(c.Image, err)
	}
	for i, v := range images {
		path := c.inputs()[i].path
		if v.Size != c.Grid.Size {
			return 0, fmt.Errorf("%s has changed since the data set was opened", path)
		}
		bad += preprocess.NonFinite(v.Data)
		data, err := preprocess.Normalise(v, s.Config)
		if err != nil {
			return 0, naming(path, err)
		}
		for k := range s.Config.Slices(v.Grid) {
			s.Images[first+k] = append(s.Images[first+k], s.Config.Image(data, v.Grid, k)...)
		}
	}
	if c.Label == "" {
		return bad, nil
	}
	m, err := d.reference(index)
	if err != nil {
		return 0, err
	}
	for k := range s.Config.Slices(m.Grid) {
		if c.ignore == 0 || slices.ContainsFunc(m.Slice(s.Config.Axis, k), func(v uint8) bool { return v != volume.Ignored }) {
			s.Labels[first+k] = s.Config.Labels(m.Data, m.Grid, k)
		}
	}
	return bad, nil
}

// oneLine returns a fault in one line, with files as the data set's folder has them.
func (d *Dataset) oneLine(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, filepath.Clean(d.Dir)+string(filepath.Separator), "")), " ")
}

// LeftOut returns the cases that were found but are not in Cases, each with the fault in one line.
func (d *Dataset) LeftOut() (left []Problem) {
	for _, p := range d.Problems {
		if p.LeftOut && p.Case != "" {
			p.Text = d.oneLine(p.Text)
			left = append(left, p)
		}
	}
	return left
}

// naming returns an error that names the file in which the fault is.
func naming(path string, err error) error {
	if strings.Contains(err.Error(), filepath.Base(path)) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Labelled returns the items that have a mask.
func (s *Slices) Labelled() *Slices {
	out := &Slices{Config: s.Config}
	for i, mask := range s.Labels {
		if mask != nil {
			out.Items, out.Names = append(out.Items, s.Items[i]), append(out.Names, s.Names[i])
			out.Images, out.Labels = append(out.Images, s.Images[i]), append(out.Labels, mask)
			if s.Unannotated != nil {
				out.Unannotated = append(out.Unannotated, s.Unannotated[i])
			}
		}
	}
	return out
}

// Range returns which of the items belong to a case: n of them, from first on; n = 0 if the case was not loaded.
func (s *Slices) Range(index int) (first, n int) {
	for i, item := range s.Items {
		if item.Case == index {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	return first, n
}
