package preprocess

import (
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/quickselect"
	"github.com/nextslice/nextslice/volume"
)

// Normalise returns the volume's intensities, clipped to the percentiles c.ClipLow and c.ClipHigh of the volume, then
// shifted and scaled to mean 0 and variance 1 over all voxels (the population's, divided by n). The volume is not
// changed. A constant volume gives zeros. Where both percentiles are the same value although the volume is not constant
// (almost everything is background), nothing is clipped. Other values of c.Scaling do otherwise, as they say.
//
// NaN and infinite voxels, such as those outside the body, are read as c.NaN. Without it they take the least value of the others, after clipping, and do not count in the
// percentiles, the mean and the variance; see NonFinite. An image without any other voxel is an error.
func Normalise(v *volume.Volume, c Config) ([]float32, error) {
	if len(v.Data) == 0 {
		return nil, nil
	}
	out := slices.Clone(v.Data)
	finite := out
	if bad := NonFinite(v.Data); bad == len(v.Data) {
		return nil, fmt.Errorf("all %d voxels are NaN or infinite", bad)
	} else if bad > 0 && c.NaN != nil {
		v = &volume.Volume{Grid: v.Grid, Data: Finite(v.Data, float32(*c.NaN))}
		copy(out, v.Data)
	} else if bad > 0 {
		finite = slices.DeleteFunc(slices.Clone(v.Data), func(x float32) bool { return x-x != 0 })
	}
	p := Percentiles(finite, c.ClipLow, c.ClipHigh)
	low, high := float32(p[0]), float32(p[1])
	lowest := slices.Min(finite)
	copy(out, v.Data) // Percentiles has moved them
	count := len(finite)
	if count < len(out) {
		for i, x := range out {
			if x-x != 0 {
				out[i] = lowest
			}
		}
	}
	if c.Scaling == Fixed {
		c.Window.apply(out)
		return out, nil
	}
	if low < high {
		for i, x := range out {
			out[i] = min(max(x, low), high)
		}
	}
	if c.Scaling == Unit {
		unit(out)
		return out, nil
	}
	background := max(lowest, low) // what the others count as
	if low >= high {
		background = lowest
	}

	mean, least, most := 0.0, out[0], out[0]
	for _, x := range out {
		mean += float64(x)
		least, most = min(least, x), max(most, x)
	}
	if least == most {
		clear(out)
		return out, nil
	}
	others := float64(len(out) - count)
	mean = (mean - others*float64(background)) / float64(count)
	variance := 0.0
	for _, x := range out {
		d := float64(x) - mean
		variance += d * d
	}
	d := float64(background) - mean
	std := math.Sqrt((variance - others*d*d) / float64(count))
	for i, x := range out {
		out[i] = float32((float64(x) - mean) / std)
	}
	return out, nil
}

// Finite returns data with a value in place of NaN and infinities.
func Finite(data []float32, value float32) []float32 {
	out := slices.Clone(data)
	for i, x := range out {
		if x-x != 0 {
			out[i] = value
		}
	}
	return out
}

// NonFinite counts the NaN and infinite values of data.
func NonFinite(data []float32) int {
	bad := 0
	for _, x := range data {
		if x-x != 0 { // NaN for NaN and infinities
			bad++
		}
	}
	return bad
}

// Percentiles returns the exact percentiles (0 … 100, in any order) of data, with linear interpolation between the two
// values around position p/100·(n-1) of the sorted data, as numpy's default. It reorders data. NaN among the data gives
// an undefined result; no data gives NaN.
func Percentiles(data []float32, percent ...float64) []float64 {
	out := make([]float64, len(percent))
	for i, p := range percent {
		if len(data) == 0 {
			out[i] = math.NaN()
			continue
		}
		at := p / 100 * float64(len(data)-1)
		below := min(max(int(math.Floor(at)), 0), len(data)-1)
		quickselect.Nth(data, below)
		out[i] = float64(data[below])
		if f := at - float64(below); f > 0 && below+1 < len(data) {
			next := data[below+1] // the least of the upper part is the next in order
			for _, x := range data[below+2:] {
				next = min(next, x)
			}
			out[i] += f * (float64(next) - out[i])
		}
	}
	return out
}
