package preprocess

import (
	"math"

	"github.com/nextslice/nextslice/volume"
)

// middle returns the middle part of slices, Crop of their height and width, and the row and column that it begins at.
func (c Config) middle(s volume.Slices) (inner volume.Slices, top, left int) {
	if c.Crop == 0 || c.Crop == 1 {
		return s, 0, 0
	}
	inner = s
	inner.Height, inner.Width = max(1, int(math.Round(float64(s.Height)*c.Crop))), max(1, int(math.Round(float64(s.Width)*c.Crop)))
	return inner, (s.Height - inner.Height) / 2, (s.Width - inner.Width) / 2
}

// Channels returns the number of channels that Image makes of a slice.
func (c Config) Channels() int { return max(1, c.Stack) }

// stack returns the slices that the channels of slice k are made of: itself, the one before it, the one after it, and so on.
// Beyond the ends of the volume its last slice counts on.
func (c Config) stack(k, slices int) []int {
	out := []int{k}
	for d := 1; len(out) < c.Channels(); d++ {
		out = append(out, max(k-d, 0), min(k+d, slices-1))
	}
	return out
}

// average writes to each pixel of the canvas the mean over the area of the slice that it covers; the slice is the first of data.
func (c Config) average(out, data []float32, s volume.Slices) {
	rows, columns := shares(c.Height, s.Height), shares(c.Width, s.Width)
	line := make([]float32, s.Width)
	for y, row := range rows {
		clear(line)
		for i, weight := range row.weights {
			at := (row.first + i) * s.Down
			for x := range line {
				line[x] += weight * data[at+x*s.Right]
			}
		}
		for x, column := range columns {
			sum := float32(0)
			for i, weight := range column.weights {
				sum += weight * line[column.first+i]
			}
			out[y*c.Width+x] = sum
		}
	}
}

// share says of which pixels of an axis a pixel of the resized axis is made: of those from first on, with weights that sum to 1.
type share struct {
	first   int
	weights []float32
}

// shares returns those of an axis of n pixels that is made of one of from pixels. A pixel that is no wider than one of
// those is interpolated between two, as by taps.
func shares(n, from int) []share {
	out := make([]share, n)
	size := float64(from) / float64(n)
	if size <= 1 {
		for x, t := range taps(n, from, 1) {
			out[x] = share{t.a, []float32{1 - t.f, t.f}[:1+t.b-t.a]}
			if t.a == t.b {
				out[x].weights[0] = 1
			}
		}
		return out
	}
	for x := range out {
		low, high := float64(x)*size, float64(x+1)*size
		s := &out[x]
		s.first = min(int(low), from-1)
		for i := s.first; i < from && float64(i) < high-1e-9; i++ {
			s.weights = append(s.weights, float32((min(high, float64(i+1))-max(low, float64(i)))/size))
		}
	}
	return out
}
