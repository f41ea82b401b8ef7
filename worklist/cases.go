package worklist

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// cases cuts the cases of a data set into slices as a network sees them.
type cases struct {
	set         *dataset.Dataset
	preprocess  preprocess.Config
	orientation string // that a model's cases are turned to; "" for none
}

// grid returns the grid that a case is cut on.
func (c cases) grid(index int) (volume.Grid, error) {
	g := c.set.Cases[index].Grid
	if c.orientation == "" || g.Unit != volume.Millimetre {
		return g, nil
	}
	return g.Turned(c.orientation)
}

// place says where a slice of a case lies in its own file.
type place struct {
	slice    int     // along axis, from 0
	axis     int     // of the file
	position float64 // in mm along its normal, see volume.Slices.Position; NaN where the header does not say
	along    string  // the patient's axis that is nearest the normal: R, A or S
}

// places returns those of all slices of a case.
func (c cases) places(index int) ([]place, error) {
	own := c.set.Cases[index].Grid
	g, err := c.grid(index)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.set.Cases[index].ID, err)
	}
	across := g.Slices(c.preprocess.Axis)
	axis, back := c.preprocess.Axis, false
	if g.Affine != own.Affine { // turned: which axis of the file runs along
		now, there := g.Orientation()[axis], own.Orientation()
		for a := range 3 {
			if strings.IndexByte("LRAPSI", there[a])/2 == strings.IndexByte("LRAPSI", now)/2 {
				axis, back = a, there[a] != now
			}
		}
	}
	all := make([]place, across.Count)
	for k := range all {
		p := place{slice: k, axis: axis, position: math.NaN()}
		if back {
			p.slice = across.Count - 1 - k
		}
		if own.Unit == volume.Millimetre {
			p.position = across.Position(k)
			p.along = string("RAS"[strings.IndexByte("LRAPSI", g.Orientation()[c.preprocess.Axis])/2])
		}
		all[k] = p
	}
	return all, nil
}

// images returns some slices of a case, and how many of its voxels are NaN or infinite.
func (c cases) images(index int, wanted []int) (images [][]float32, bad int, err error) {
	id := c.set.Cases[index].ID
	volumes, err := c.set.Images(index)
	if err != nil {
		return nil, 0, err
	}
	g, err := c.grid(index)
	if err != nil {
		return nil, 0, fmt.Errorf("case %s: %w", id, err)
	}
	images = make([][]float32, len(wanted))
	for _, v := range volumes {
		if v.Size != c.set.Cases[index].Grid.Size {
			return nil, 0, fmt.Errorf("case %s has changed since the data set was opened", id)
		}
		bad += preprocess.NonFinite(v.Data)
		if c.orientation != "" && v.Unit == volume.Millimetre {
			if v, err = v.Turned(c.orientation); err != nil {
				return nil, 0, fmt.Errorf("case %s: %w", id, err)
			}
		}
		data, err := preprocess.Normalise(v, c.preprocess)
		if err != nil {
			return nil, 0, fmt.Errorf("case %s: %w", id, err)
		}
		for i, k := range wanted {
			images[i] = append(images[i], c.preprocess.Image(data, g, k)...)
		}
	}
	return images, bad, nil
}

// masks returns the mask of each slice of a case that has one, on the canvas; nil where all of the slice is ignored.
func (c cases) masks(index int) ([][]uint8, error) {
	m, err := c.set.Reference(index)
	if err != nil {
		return nil, err
	}
	g, err := c.grid(index)
	if err == nil && g.Affine != m.Affine && c.orientation != "" && m.Unit == volume.Millimetre {
		m, err = m.Turned(c.orientation)
	}
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.set.Cases[index].ID, err)
	}
	masks := make([][]uint8, c.preprocess.Slices(g))
	for k := range masks {
		if c.set.Ignore == 0 || slices.ContainsFunc(m.Slice(c.preprocess.Axis, k), func(v uint8) bool { return v != volume.Ignored }) {
			masks[k] = c.preprocess.Labels(m.Data, g, k)
		}
	}
	return masks, nil
}
