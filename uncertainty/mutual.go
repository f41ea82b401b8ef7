package uncertainty

import (
	"math"
	"slices"

	"github.com/nextslice/nextslice/internal/parallel"
)

// mutualBins is the number of bins of an intensity.
const mutualBins = 32

// MutualInformation returns for each of items how much its intensities tell, pixel by pixel, about those of each of others, in the mean over
// these, in nats:
//
//	MI(x, y) = Σ_ab n_ab/P · ln(n_ab·P / (n_a·n_b)),  0 for empty cells
//
// with n_ab the pixels at which x falls into bin a and y into bin b, P their number. There are 32 bins of equal width from the 0.5th to the
// 99.5th percentile of items' intensities; what lies beyond is in the outermost. Where these are equal, or there are no others, it is 0.
// All images have one length; that of a slice with itself is its entropy. Of images [C H W] of several channels, or of a slice with its neighbours, every channel's pixels
// are pixels, in one histogram.
//
// Source: Shannon 1948; as a measure of what is known: Nath et al. 2021, IEEE TMI, arXiv 2101.02323, whose text could not be read. The bins and the mean over others are ours.
func MutualInformation(items, others [][]float32) []float64 {
	return NewMutual(items, others).With(items)
}

// Mutual computes [MutualInformation] of items that are not all there at once.
type Mutual struct {
	low, high float32
	others    [][]uint8
}

// NewMutual returns the mutual information with others, in bins from the 0.5th to the 99.5th percentile of the intensities of items: all, or some that stand for them.
func NewMutual(items, others [][]float32) *Mutual {
	m := &Mutual{}
	if len(items) > 0 && len(others) > 0 {
		m.low, m.high = percentiles(items)
		m.others = binned(others, m.low, m.high)
	}
	return m
}

// With returns the mutual information of each of items with the others, in the mean over these.
func (m *Mutual) With(items [][]float32) []float64 {
	mean := make([]float64, len(items))
	if len(m.others) == 0 {
		return mean
	}
	a := binned(items, m.low, m.high)
	parallel.For(len(a), parallel.All, func(i int) {
		var table mutualTable
		for _, y := range m.others {
			mean[i] += table.of(a[i], y) / float64(len(m.others))
		}
	})
	return mean
}

// percentiles returns the 0.5th and the 99.5th percentile of all values, by the nearest rank.
func percentiles(images [][]float32) (low, high float32) {
	all := make([]float32, 0, len(images)*len(images[0]))
	for _, image := range images {
		all = append(all, image...)
	}
	slices.Sort(all)
	at := func(p float64) float32 { return all[max(0, int(math.Ceil(p*float64(len(all))))-1)] }
	return at(0.005), at(0.995)
}

func binned(images [][]float32, low, high float32) [][]uint8 {
	out := make([][]uint8, len(images))
	parallel.For(len(images), parallel.All, func(i int) {
		out[i] = make([]uint8, len(images[i]))
		for at, v := range images[i] {
			if high > low {
				out[i][at] = uint8(min(mutualBins-1, max(0, mutualBins*float64(v-low)/float64(high-low))))
			}
		}
	})
	return out
}

// mutualTable is a joint histogram.
type mutualTable [mutualBins * mutualBins]int32

// of returns the mutual information of two images of bin numbers.
func (n *mutualTable) of(x, y []uint8) float64 {
	clear(n[:])
	for at, a := range x {
		n[int(a)*mutualBins+int(y[at])]++
	}
	var row, column [mutualBins]float64
	for a := range mutualBins {
		for b := range mutualBins {
			v := float64(n[a*mutualBins+b])
			row[a] += v
			column[b] += v
		}
	}
	sum, pixels := 0.0, float64(len(x))
	for a := range mutualBins {
		for b := range mutualBins {
			if v := float64(n[a*mutualBins+b]); v > 0 {
				sum += v / pixels * math.Log(v*pixels/(row[a]*column[b]))
			}
		}
	}
	return max(0, sum)
}

// Diminishing returns alpha·u - mi/alpha, of values that are brought to [0, 1] by their smallest and largest; values that are all equal become
// 0.
func Diminishing(u, mi []float64, alpha float64) []float64 {
	u, mi = unitRange(u), unitRange(mi)
	out := make([]float64, len(u))
	for i := range out {
		out[i] = alpha*u[i] - mi[i]/alpha
	}
	return out
}

func unitRange(values []float64) []float64 {
	out := make([]float64, len(values))
	if len(values) == 0 {
		return out
	}
	low, high := slices.Min(values), slices.Max(values)
	for i, v := range values {
		if high > low {
			out[i] = (v - low) / (high - low)
		}
	}
	return out
}
