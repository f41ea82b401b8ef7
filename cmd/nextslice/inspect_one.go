package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
	"github.com/nextslice/nextslice/volume/source"
)

// inspected is what one image or segmentation holds.
type inspected struct {
	Path        string             `json:"path"`
	Series      string             `json:"series,omitempty"` // ID of a DICOM series
	Size        volume.Size        `json:"size"`
	Spacing     [3]float64         `json:"spacing"`
	Unit        volume.Unit        `json:"unit"`
	Orientation string             `json:"orientation"`
	Stored      string             `json:"stored,omitempty"`   // type of an image's voxels
	Packed      map[string]int     `json:"packed,omitempty"`   // files of a DICOM series by what their pixels are packed with
	Channels    int                `json:"channels,omitempty"` // of an image
	Range       *[2]float64        `json:"range,omitempty"`    // of an image's finite voxels
	Segments    []inspectedSegment `json:"segments,omitempty"`
	Warnings    []string           `json:"warnings,omitempty"`
}

type inspectedSegment struct {
	Name   string   `json:"name"`
	Color  [3]uint8 `json:"color"`
	Voxels int      `json:"voxels"`
}

// one inspects a file, or every series of a folder.
func (c inspectCommand) one(ctx context.Context, s streams, kind source.Kind) error {
	found, problems, err := c.inspectPath(ctx, kind)
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(s.out, found)
	} else {
		for _, f := range found {
			fmt.Fprint(s.out, f)
		}
	}
	warn(s.err, problems)
	for _, f := range found {
		problems = append(problems, f.Warnings...)
	}
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("problems found: %d", len(problems))
	}
	return err
}

func (c inspectCommand) inspectPath(ctx context.Context, kind source.Kind) (found []inspected, problems []string, err error) {
	switch kind {
	case source.Segments, source.Contours:
		one, err := c.inspectSegments()
		return []inspected{one}, nil, err
	case source.Volume, source.Picture:
		one, err := c.inspectImage()
		return []inspected{one}, nil, err
	}
	all, faults, err := dicom.Scan(c.Path)
	if info, statErr := os.Stat(c.Path); statErr == nil && !info.IsDir() {
		var image *source.Image
		if image, err = openImage(c.Path, ""); err == nil {
			all, faults = []*dicom.Series{image.Series}, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	for _, f := range faults {
		problems = append(problems, fmt.Sprintf("%s is not used: %s", f.File, f.Text))
	}
	for _, series := range all {
		if err := ctx.Err(); err != nil {
			return nil, nil, errors.New("interrupted")
		}
		v, err := series.Read()
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		one := describe(c.Path, v.Grid)
		one.Series, one.Stored, one.Range, one.Warnings = series.ID, v.Stored, valueRange(v.Data), series.Warnings
		one.Packed = series.Packings()
		found = append(found, one)
	}
	if len(found) == 0 && len(problems) == 0 {
		return nil, nil, fmt.Errorf("read %s: no DICOM image in it", c.Path)
	}
	return found, problems, nil
}

func (c inspectCommand) inspectImage() (inspected, error) {
	h, err := volume.ReadHeader(c.Path)
	if err != nil {
		return inspected{}, err
	}
	v, err := volume.ReadChannel(c.Path, c.Channel)
	if err != nil {
		return inspected{}, err
	}
	one := describe(c.Path, v.Grid)
	one.Stored, one.Channels, one.Range, one.Warnings = v.Stored, h.Channels, valueRange(v.Data), v.Warnings()
	return one, nil
}

func (c inspectCommand) inspectSegments() (inspected, error) {
	var on *dicom.Series
	var doubts []string
	if c.Reference != "" {
		image, err := openImage(c.Reference, "")
		if err != nil {
			return inspected{}, fmt.Errorf("--reference: %w", err)
		}
		on, doubts = image.Series, image.Warnings
	}
	seg, warnings, err := readSegmentation(c.Path, on)
	if err != nil {
		return inspected{}, err
	}
	one := describe(c.Path, seg.Grid)
	one.Warnings = append(doubts, warnings...)
	for _, segment := range seg.Segments {
		n := 0
		for _, v := range seg.Layers[segment.Layer] {
			if v == segment.Value {
				n++
			}
		}
		one.Segments = append(one.Segments, inspectedSegment{segment.Name, segment.Color, n})
	}
	return one, nil
}

func describe(path string, g volume.Grid) inspected {
	return inspected{Path: path, Size: g.Size, Spacing: g.Spacing(), Unit: g.Unit, Orientation: g.Orientation()}
}

// valueRange returns the least and the greatest finite value, nil if there is none.
func valueRange(data []float32) *[2]float64 {
	var r *[2]float64
	for _, x := range data {
		switch v := float64(x); {
		case v-v != 0:
		case r == nil:
			r = &[2]float64{v, v}
		default:
			r[0], r[1] = min(r[0], v), max(r[1], v)
		}
	}
	return r
}

// String returns one line of the geometry and the values, and one for each segment and warning.
func (i inspected) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v voxels", i.Path, i.Size)
	if i.Unit == volume.Millimetre {
		fmt.Fprintf(&b, " of %.4g x %.4g x %.4g %s", i.Spacing[0], i.Spacing[1], i.Spacing[2], i.Unit)
	}
	fmt.Fprintf(&b, ", %s", i.Orientation)
	if i.Stored != "" {
		fmt.Fprintf(&b, ", %s", i.Stored)
	}
	if i.Channels > 1 {
		fmt.Fprintf(&b, ", %d channels", i.Channels)
	}
	if i.Range != nil {
		fmt.Fprintf(&b, ", values %g to %g", i.Range[0], i.Range[1])
	}
	if i.Series != "" {
		fmt.Fprintf(&b, ", series %s", i.Series)
	}
	for _, packing := range slices.Sorted(maps.Keys(i.Packed)) {
		fmt.Fprintf(&b, ", %d files packed with %s", i.Packed[packing], packing)
	}
	b.WriteString("\n")
	for n, s := range i.Segments {
		fmt.Fprintf(&b, "  %d %s, colour %d %d %d, %d voxels\n", n+1, s.Name, s.Color[0], s.Color[1], s.Color[2], s.Voxels)
	}
	for _, w := range i.Warnings {
		fmt.Fprintf(&b, "  warning: %s\n", w)
	}
	return b.String()
}
