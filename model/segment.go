package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/volume"
)

// Prediction is what a model says about a case, on the case's own grid.
type Prediction struct {
	Mask *volume.Mask
	// Uncertainty is the entropy of the class probabilities at each voxel, in nats, from 0 to ln of the number of classes;
	// nil unless asked for.
	Uncertainty *volume.Volume
	Warnings    []string // what makes the prediction doubtful
}

// Segment predicts the mask of a case and, if asked, the uncertainty map. images are those of the model's channels, in their
// order and on one grid; another number of them is an error. They may have its axes in any order and
// direction that its header tells. Slices larger than the canvas are not cut where the training cases were padded to it:
// the canvas grows. NaN or infinite voxels are warned of, an image without others is an error, and so is the end of ctx. progress, which may be nil, is called
// after each slice.
func (m *Model) Segment(ctx context.Context, images []*volume.Volume, uncertain bool, progress func(done, of int)) (*Prediction, error) {
	if len(images) != m.Images() {
		return nil, fmt.Errorf("the model takes %s of a case, got %d", dataset.DescribeChannels(m.Channels), len(images))
	}
	v := images[0]
	out := &Prediction{}
	turned := slices.Clone(images)
	switch known := v.Unit == volume.Millimetre; {
	case known && m.Orientation != "":
		for i, image := range images {
			if image.Size != v.Size || image.Affine != v.Affine {
				return nil, fmt.Errorf("image %d of the case lies on another grid than the first", i+1)
			}
			var err error
			if turned[i], err = image.Turned(m.Orientation); err != nil {
				return nil, err
			}
		}
		out.Warnings = m.compareSpacing(turned[0].Grid)
	case known != (m.Orientation != ""):
		out.Warnings = append(out.Warnings, "the header of the image or those of the training cases say nothing about spacing and orientation: "+
			"the axes are taken to run alike")
	}
	bad := 0
	for _, image := range images {
		bad += preprocess.NonFinite(image.Data)
	}
	if bad > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d voxels are NaN or infinite: %s", bad, m.Preprocess.NonFiniteText()))
	}
	grid := turned[0].Grid
	p, err := m.canvas(grid)
	if err != nil {
		return nil, err
	}
	c := Case{Grid: grid, Images: make([][]float32, p.Slices(grid))}
	for _, image := range turned {
		data, err := preprocess.Normalise(image, p)
		if err != nil {
			return nil, err
		}
		for k := range c.Images {
			c.Images[k] = append(c.Images[k], p.Image(data, grid, k)...)
		}
	}
	var entropy *volume.Volume
	var same constancy
	each := func(_ int, probs []float32) { same.add(probs, len(m.Classes)) }
	if uncertain {
		entropy = &volume.Volume{Grid: grid, Data: make([]float32, grid.Len()), Stored: "float32"}
		h, w := p.SliceSize(grid)
		slice := make([]float32, h*w)
		each = func(k int, probs []float32) {
			same.add(probs, len(m.Classes))
			uncertainty.Entropy(slice, probs, len(m.Classes))
			entropy.SetSlice(p.Axis, k, slice)
		}
	}
	mask, err := Network{Net: m.Net, Foreign: m.Foreign, Preprocess: p, Refinement: m.Refinement, Progress: progress}.Segment(ctx, c, each)
	if err != nil {
		return nil, err
	}
	if mask, err = mask.Turned(v.Orientation()); err != nil {
		return nil, err
	}
	out.Warnings = append(out.Warnings, m.Doubts...)
	if w := same.warning(); w != "" {
		out.Warnings = append(out.Warnings, w)
	}
	out.Mask = &volume.Mask{Grid: v.Grid, Data: mask.Data} // the very grid, not one that was turned twice
	if uncertain {
		if entropy, err = entropy.Turned(v.Orientation()); err != nil {
			return nil, err
		}
		out.Uncertainty = &volume.Volume{Grid: v.Grid, Data: entropy.Data, Stored: entropy.Stored}
	}
	return out, nil
}

// canvas returns how slices of a grid are made. The network takes images of any size: where slices are padded, larger
// ones get a larger canvas, as preprocess.Derive would make it, instead of losing their border.
func (m *Model) canvas(g volume.Grid) (preprocess.Config, error) {
	p := m.Preprocess
	if m.Foreign != nil {
		h, w := p.SliceSize(g)
		return m.Foreign.grows(p, h, w)
	}
	if p.Fit == preprocess.Pad {
		const multiple = 1 << unet.Levels
		h, w := p.SliceSize(g)
		p.Height = max(p.Height, (h+multiple-1)/multiple*multiple)
		p.Width = max(p.Width, (w+multiple-1)/multiple*multiple)
	}
	return p, nil
}

// compareSpacing says where pixels have another size than those of the training: a network knows structures by their size
// in pixels. Slices that are resized to the canvas have no such size.
func (m *Model) compareSpacing(g volume.Grid) []string {
	if m.Preprocess.Fit != preprocess.Pad {
		return nil
	}
	for a, s := range g.Spacing() {
		if want := m.Spacing[a]; a != m.Preprocess.Axis && want > 0 && (s > 1.5*want || want > 1.5*s) {
			return []string{fmt.Sprintf("the pixels are %.3g mm wide, those of the training cases were %.3g mm: expect a poor mask", s, want)}
		}
	}
	return nil
}
