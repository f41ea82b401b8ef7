package volume

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// AutoAxis stands for the axis that slices were acquired across: see preprocess.CoarsestAxis.
const AutoAxis = -1

// axisNames are the index axes as people write them.
const axisNames = "ijk"

// ParseAxis returns the index axis that a word names: 0 for i, 1 for j, 2 for k, AutoAxis for auto. The numbers 0, 1 and
// 2 stand for themselves.
func ParseAxis(word string) (int, error) {
	if word == "auto" {
		return AutoAxis, nil
	}
	for axis, name := range axisNames {
		if word == string(name) || word == fmt.Sprint(axis) {
			return axis, nil
		}
	}
	return 0, fmt.Errorf("axis: want i, j, k or auto, got %q", word)
}

// AxisName returns i, j or k for the index axis 0, 1 or 2.
func AxisName(axis int) string { return axisNames[axis : axis+1] }

// Slices are the planes of a grid across one of its index axes. Their columns run along the faster of the two other axes
// in memory, their rows along the slower one: across k, the columns run along i and the rows along j.
type Slices struct {
	Axis, RowAxis, ColumnAxis int // index axes along which slices, rows and columns are numbered
	Count, Height, Width      int // number of slices, of rows in each, of columns in each
	// The voxel of slice n at row y and column x has the index n*Step + y*Down + x*Right.
	Step, Down, Right int

	grid Grid
}

// Slices returns the slices of a grid across an index axis. It panics unless the axis is 0, 1 or 2.
func (g Grid) Slices(axis int) Slices {
	s := Slices{Axis: axis, RowAxis: 2, ColumnAxis: 0, grid: g}
	switch axis {
	case 0:
		s.ColumnAxis = 1
	case 1:
	case 2:
		s.RowAxis = 1
	default:
		panic(fmt.Sprintf("volume: Slices: want an axis of 0, 1 or 2, got %d", axis))
	}
	stride := [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	s.Count, s.Height, s.Width = g.Size[axis], g.Size[s.RowAxis], g.Size[s.ColumnAxis]
	s.Step, s.Down, s.Right = stride[axis], stride[s.RowAxis], stride[s.ColumnAxis]
	return s
}

// PixelSize returns the distance between neighbouring rows and between neighbouring columns, in the grid's unit.
func (s Slices) PixelSize() (row, column float64) {
	spacing := s.grid.Spacing()
	return spacing[s.RowAxis], spacing[s.ColumnAxis]
}

// Position returns how far slice n lies from the world's origin along the slices' normal, in the grid's unit: the dot product of any point of the
// slice with the unit normal that points toward R, A or S, whichever world axis is nearest to the axis that slices are numbered along. In a grid along
// the world's axes that is the coordinate of the slice's centre on that axis. A tilted grid has other coordinates in each voxel of a slice; the distance is
// one, and what the slice slider of 3D Slicer shows after Rotate to Volume Plane.
func (s Slices) Position(n int) float64 {
	normal := cross(s.grid.Column(s.RowAxis), s.grid.Column(s.ColumnAxis))
	length := math.Sqrt(dot(normal, normal))
	if normal[strings.IndexByte("LRAPSI", s.grid.Orientation()[s.Axis])/2] < 0 {
		length = -length
	}
	var index [3]float64
	index[s.Axis] = float64(n)
	return dot(s.grid.World(index[0], index[1], index[2]), normal) / length
}

// Edges are the sides of the patient at the edges of a slice: L, R, A, P, S or I; all empty where the grid's unit is not
// the millimetre, whose file says nothing about the patient.
type Edges struct{ Left, Right, Top, Bottom string }

// Edges returns the sides of the patient at the edges of the slices as they are stored.
func (s Slices) Edges() Edges {
	if s.grid.Unit != Millimetre {
		return Edges{}
	}
	letters := s.grid.Orientation()
	right, bottom := letters[s.ColumnAxis], letters[s.RowAxis]
	return Edges{string(opposite[right]), string(right), string(opposite[bottom]), string(bottom)}
}

// Slice returns slice n of the volume across an index axis, [Height Width] of Grid.Slices, in memory of its own.
func (v *Volume) Slice(axis, n int) []float32 { return cut(v.Grid, v.Data, axis, n) }

// Slice returns slice n of the mask as Volume.Slice does.
func (m *Mask) Slice(axis, n int) []uint8 { return cut(m.Grid, m.Data, axis, n) }

// SetSlice puts pixels, [Height Width] of Grid.Slices, in the volume as slice n across an index axis: the inverse of Slice.
func (v *Volume) SetSlice(axis, n int, pixels []float32) { paste(v.Grid, v.Data, axis, n, pixels) }

// SetSlice puts pixels in the mask as Volume.SetSlice does.
func (m *Mask) SetSlice(axis, n int, pixels []uint8) { paste(m.Grid, m.Data, axis, n, pixels) }

func cut[T any](g Grid, data []T, axis, n int) []T {
	s := g.Slices(axis)
	s.check("Slice", len(data), n)
	if s.Right == 1 && s.Down == s.Width { // one piece of the memory
		return slices.Clone(data[n*s.Step:][:s.Height*s.Width])
	}
	out := make([]T, 0, s.Height*s.Width)
	for y := range s.Height {
		at := n*s.Step + y*s.Down
		for range s.Width {
			out = append(out, data[at])
			at += s.Right
		}
	}
	return out
}

func paste[T any](g Grid, data []T, axis, n int, pixels []T) {
	s := g.Slices(axis)
	s.check("SetSlice", len(data), n)
	if len(pixels) != s.Height*s.Width {
		panic(fmt.Sprintf("volume: SetSlice: want [%d %d], got %d values", s.Height, s.Width, len(pixels)))
	}
	for y := range s.Height {
		at := n*s.Step + y*s.Down
		for _, value := range pixels[y*s.Width : (y+1)*s.Width] {
			data[at] = value
			at += s.Right
		}
	}
}

// check panics where data or the number of a slice do not belong to the grid.
func (s Slices) check(function string, voxels, n int) {
	if voxels != s.grid.Len() {
		panic(fmt.Sprintf("volume: %s: %d values for a grid of %v", function, voxels, s.grid.Size))
	}
	if n < 0 || n >= s.Count {
		panic(fmt.Sprintf("volume: %s: slice %d of %d", function, n, s.Count))
	}
}
