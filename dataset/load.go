package dataset

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/preprocess"
)

// Slices are the items of some cases in memory. All slices have the same length; a caller must not write to them.
type Slices struct {
	Config preprocess.Config
	Items  []Item
	Names  []string    // of the items, e.g. "Case12/017"
	Images [][]float32 // of each item, [C Height Width], normalised and on the canvas: the dataset's channels, of each what Config.Image makes
	Labels [][]uint8   // of each item, [Height Width] of label values, or nil where the case has no mask
}

// Load reads cases and returns all their slices, in the order of the cases and along the axis. Up to GOMAXPROCS cases
// are read at a time, so that many volumes are in memory besides the slices. progress, which may be nil, is called
// after each case, by one goroutine at a time.
//
// Cases that cannot be used (unreadable, NaN voxels, a mask of another size, a label value without class) are an error
// that names all of them. A cancelled context ends the work after the cases that are being read.
func Load(ctx context.Context, d *Dataset, cases []int, c preprocess.Config, progress func(done, total int)) (*Slices, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("load slices: %w", err)
	}
	s := &Slices{Config: c, Items: d.Items(cases, c.Axis)}
	s.Names = make([]string, len(s.Items))
	s.Images = make([][]float32, len(s.Items))
	s.Labels = make([][]uint8, len(s.Items))
	first := make([]int, len(cases)) // item of each case's slice 0
	n := 0
	for i, index := range cases {
		first[i] = n
		n += c.Slices(d.Cases[index].Grid)
	}
	for i, item := range s.Items {
		s.Names[i] = d.ItemName(item)
	}

	faults := make([]error, len(cases))
	var mutex sync.Mutex
	done := 0
	parallel.For(len(cases), parallel.All, func(i int) {
		if ctx.Err() != nil {
			return
		}
		faults[i] = s.load(d, cases[i], first[i])
		mutex.Lock()
		defer mutex.Unlock()
		if done++; progress != nil && ctx.Err() == nil {
			progress(done, len(cases))
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load slices: %w", err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("load slices: %w", err)
	}
	return s, nil
}

// load reads one case into the items from first on.
func (s *Slices) load(d *Dataset, index, first int) error {
	c := d.Cases[index]
	images, err := d.readInputs(&c)
	if err != nil {
		return fmt.Errorf("case %s: %w", c.ID, err)
	}
	for i, v := range images {
		path := c.inputs()[i].path
		if v.Size != c.Grid.Size {
			return fmt.Errorf("case %s: %s has changed since the data set was opened", c.ID, path)
		}
		data, err := preprocess.Normalise(v, s.Config)
		if err != nil {
			return fmt.Errorf("case %s: %s: %w", c.ID, path, err)
		}
		for k := range s.Config.Slices(v.Grid) {
			s.Images[first+k] = append(s.Images[first+k], s.Config.Image(data, v.Grid, k)...)
		}
	}
	if c.Label == "" {
		return nil
	}
	m, err := d.Reference(index)
	if err != nil {
		return err
	}
	for k := range s.Config.Slices(m.Grid) {
		s.Labels[first+k] = s.Config.Labels(m.Data, m.Grid, k)
	}
	return nil
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
