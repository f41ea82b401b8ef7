package uncertainty

import (
	"math"

	"github.com/nextslice/nextslice/internal/quickselect"
)

// Aggregation says how an uncertainty map becomes one score. Only valid pixels count.
type Aggregation string

const (
	// ByMean is the mean over the pixels: the default.
	ByMean Aggregation = "mean"

	// ByForeground is the mean over the predicted foreground (most probable class other than 0, by the mean of the
	// passes) and the band of pixels around it: large images of little foreground are not diluted by background
	// that is always certain. Where no foreground is predicted it is the mean over all pixels.
	ByForeground Aggregation = "foreground"

	// ByMax is the largest value.
	ByMax Aggregation = "max"

	// ByTop is the mean over the most uncertain fraction of the pixels, at least one.
	ByTop Aggregation = "top"

	// Legacy is the sum over the valid pixels divided by the number of all pixels: what the published code of
	// Gaillochet et al. 2023 computes for test-time augmentation. Items that rotate far score lower by it.
	Legacy Aggregation = "legacy"
)

// Mean returns the mean of m; NaN if m is empty or holds a NaN.
func Mean(m []float32) float64 { return meanOver(m, nil) }

// meanOver returns the mean of m where in is true, everywhere if in is nil; NaN if that is nowhere.
func meanOver(m []float32, in []bool) float64 {
	sum, n := 0.0, 0
	for i, v := range m {
		if in == nil || in[i] {
			sum += float64(v)
			n++
		}
	}
	return sum / float64(n)
}

// maxOver returns the largest value of m where in is true; NaN if that is nowhere or if a NaN is among them.
func maxOver(m []float32, in []bool) float64 {
	highest := math.Inf(-1)
	for i, v := range m {
		if in == nil || in[i] {
			highest = max(highest, float64(v)) // the builtin passes a NaN on
		}
	}
	if math.IsInf(highest, -1) {
		return math.NaN()
	}
	return highest
}

// topOver returns the mean of the ceil(fraction·n) largest of the n values of m where in is true; NaN if that is
// nowhere or if a NaN is among them. scratch is as long as m and is overwritten.
func topOver(m []float32, in []bool, fraction float64, scratch []float32) float64 {
	n := 0
	for i, v := range m {
		if in == nil || in[i] {
			if v != v {
				return math.NaN()
			}
			scratch[n] = -v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	count := min(n, max(1, int(math.Ceil(fraction*float64(n)))))
	quickselect.Nth(scratch[:n], count-1)
	for i := range count {
		scratch[i] = -scratch[i]
	}
	return Mean(scratch[:count])
}

// widen sets dst where src is true within a square of 2·band+1 pixels around: a dilation, along rows and then along
// columns. All are [h w]; scratch is overwritten.
func widen(dst, src, scratch []bool, h, w, band int) {
	for y := range h {
		widenLine(scratch[y*w:], src[y*w:], w, 1, band)
	}
	for x := range w {
		widenLine(dst[x:], scratch[x:], h, w, band)
	}
}

// widenLine does it along one line of n pixels that lie stride apart.
func widenLine(dst, src []bool, n, stride, band int) {
	last := -band - 1 // where src was true last
	for i := range n {
		if src[i*stride] {
			last = i
		}
		dst[i*stride] = i-last <= band
	}
	next := n + band
	for i := n - 1; i >= 0; i-- {
		if src[i*stride] {
			next = i
		}
		if next-i <= band {
			dst[i*stride] = true
		}
	}
}
