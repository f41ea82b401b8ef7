package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// Description is what one image or segmentation holds.
type Description struct {
	Path        string               `json:"path"`
	Series      string               `json:"series,omitempty"` // ID of a DICOM series
	Size        volume.Size          `json:"size"`
	Spacing     [3]float64           `json:"spacing"`
	Unit        volume.Unit          `json:"unit"`
	Orientation string               `json:"orientation"`
	Stored      string               `json:"stored,omitempty"`   // type of an image's voxels
	Packed      map[string]int       `json:"packed,omitempty"`   // files of a DICOM series by what their pixels are packed with
	Channels    int                  `json:"channels,omitempty"` // of an image
	Range       *[2]float64          `json:"range,omitempty"`    // of an image's finite voxels
	Segments    []SegmentDescription `json:"segments,omitempty"`
	Warnings    []string             `json:"warnings,omitempty"`
}

// SegmentDescription is what one of its segments holds.
type SegmentDescription struct {
	Name   string   `json:"name"`
	Value  int      `json:"value"` // in the file
	Color  [3]uint8 `json:"color"`
	Voxels int      `json:"voxels"`
}

// DescribeImage says what a channel of an image file holds.
func DescribeImage(path string, channel int) (Description, error) {
	h, err := volume.ReadHeader(path)
	if err != nil {
		return Description{}, err
	}
	v, err := volume.ReadChannel(path, channel)
	if err != nil {
		return Description{}, err
	}
	one := describe(path, v.Grid)
	one.Stored, one.Channels, one.Range, one.Warnings = v.Stored, h.Channels, valueRange(v.Data), v.Warnings()
	return one, nil
}

// DescribeSegmentation says what a segmentation holds that was read from a file, with what is doubtful about it.
func DescribeSegmentation(path string, seg *volume.Segmentation, warnings []string) Description {
	one := describe(path, seg.Grid)
	one.Warnings = warnings
	for _, segment := range seg.Segments {
		n := 0
		for _, v := range seg.Layers[segment.Layer] {
			if v == segment.Value {
				n++
			}
		}
		one.Segments = append(one.Segments, SegmentDescription{segment.Name, int(segment.Value), segment.Color, n})
	}
	return one
}

// DescribeSeries reads a DICOM series and says what it holds. path is the folder.
func DescribeSeries(path string, series *dicom.Series) (Description, error) {
	v, err := series.Read()
	if err != nil {
		return Description{}, err
	}
	one := describe(path, v.Grid)
	one.Series, one.Stored, one.Range, one.Warnings = series.ID, v.Stored, valueRange(v.Data), series.Warnings
	one.Packed = series.Packings()
	return one, nil
}

func describe(path string, g volume.Grid) Description {
	return Description{Path: path, Size: g.Size, Spacing: g.Spacing(), Unit: g.Unit, Orientation: g.Orientation()}
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

// String returns one line of the geometry and the values, and one for each segment, with its value, and warning.
func (i Description) String() string {
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
	for _, s := range i.Segments {
		fmt.Fprintf(&b, "  %d %s, colour %d %d %d, %d voxels\n", s.Value, s.Name, s.Color[0], s.Color[1], s.Color[2], s.Voxels)
	}
	for _, w := range i.Warnings {
		fmt.Fprintf(&b, "  warning: %s\n", w)
	}
	return b.String()
}
