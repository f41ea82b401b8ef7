package uncertainty

import "math"

type float interface{ float32 | float64 }

// tolerance is how far rounding and interpolation may carry a probability out of [0, 1].
const tolerance = 1e-5

func isProbability[F float](p F) bool { return p >= -tolerance && p <= 1+tolerance }

// entropy returns the entropy of the distribution scale·p, NaN if a value is no probability.
func entropy[F float](p []F, scale float64) float64 {
	h := 0.0
	for _, x := range p {
		h += surprise(float64(x) * scale)
	}
	return h
}

// surprise returns -p ln p, the term of one class in an entropy; NaN if p is no probability. The error is below 1e-9.
//
// It is called for every class, pixel and pass of the pool in each cycle, so the logarithm is a short series instead
// of math.Log: p = 2^e · m with m in [√½, √2], and with s = (m-1)/(m+1)
//
//	ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + s⁷/7 + s⁹/9 + ...),  |s| < 0.172
func surprise(p float64) float64 {
	const tiny = 0x1p-126 // below it -p ln p is under 1e-35
	if p < tiny || !(p < 1) {
		if isProbability(p) {
			return 0
		}
		return math.NaN()
	}
	// Subtracting the bits of √½ before the exponent is cut off makes m lie around 1 instead of above it.
	const sqrtHalf = 0x3fe6a09e667f3bcd
	bits := math.Float64bits(p)
	e := int64(bits-sqrtHalf) >> 52
	m := math.Float64frombits(bits - uint64(e)<<52)
	s := (m - 1) / (m + 1)
	z := s * s
	return -p * (float64(e)*math.Ln2 + 2*s*(1+z*(1.0/3+z*(1.0/5+z*(1.0/7+z*(1.0/9))))))
}

// twoLargest returns the largest of scale·p and the second, NaN twice if a value is no probability. The second of a
// single class is 0.
func twoLargest(p []float64, scale float64) (first, second float64) {
	for _, x := range p {
		v := x * scale
		if !isProbability(v) {
			return math.NaN(), math.NaN()
		}
		v = min(max(v, 0), 1)
		if v > first {
			first, second = v, first
		} else {
			second = max(second, v)
		}
	}
	return first, second
}
