package uncertainty

import (
	"fmt"
	"math"
)

// Entropy writes the Shannon entropy of each pixel's class probabilities to dst, in nats:
//
//	H(p) = -Σ_k p_k ln p_k,  in [0, ln K],  with 0 ln 0 = 0
//
// probs is [pixels K], dst is [pixels] and may hold anything before. A pixel with a probability that is NaN or
// outside [0, 1] becomes NaN. Accurate to 1e-6. Panics on shapes that do not fit.
//
// Source: Shannon 1948, "A mathematical theory of communication", Bell System Technical Journal 27, section 6.
func Entropy(dst, probs []float32, classes int) {
	checkShape("Entropy", len(dst), len(probs), classes)
	for i := range dst {
		dst[i] = float32(entropy(probs[i*classes : (i+1)*classes]))
	}
}

// entropy returns the entropy of one distribution, NaN if a value is no probability.
func entropy(p []float32) float64 {
	h := 0.0
	for _, x := range p {
		h += surprise(x)
	}
	return h
}

// tiny is where -p ln p is below 1e-35 and p may be denormal: it counts as 0.
const tiny = 0x1p-126

// above1 is how far rounding and interpolation may carry a probability out of [0, 1]; within it values are clamped.
const above1 = 1e-5

// surprise returns -p ln p, the term of one class in an entropy; NaN if p is no probability. The error is below 3e-8.
//
// It is called for every class, pixel and pass of the pool in each cycle, so the logarithm is computed by hand, in
// about a quarter of the time of math.Log: p = 2^e · m with m in [√½, √2], and with s = (m-1)/(m+1)
//
//	ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + s⁷/7 + ...),  |s| < 0.172
func surprise(p float32) float64 {
	if p < tiny || !(p < 1) {
		if p >= -above1 && p <= 1+above1 {
			return 0
		}
		return math.NaN()
	}
	// Subtracting the bits of √½ rounds the exponent so that m lies around 1 rather than above it.
	const sqrtHalf = 0x3f3504f3
	bits := math.Float32bits(p)
	e := int32(bits-sqrtHalf) >> 23
	m := float64(math.Float32frombits(bits - uint32(e)<<23))
	s := (m - 1) / (m + 1)
	z := s * s
	ln := float64(e)*math.Ln2 + 2*s*(1+z*(1.0/3+z*(1.0/5+z*(1.0/7))))
	return -float64(p) * ln
}

func checkShape(what string, pixels, values, classes int) {
	if classes < 1 || values != pixels*classes {
		panic(fmt.Sprintf("uncertainty: %s: want [pixels K] probabilities for %d pixels of %d classes, got %d values",
			what, pixels, classes, values))
	}
}
