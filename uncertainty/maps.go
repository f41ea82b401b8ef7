package uncertainty

import "fmt"

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
		dst[i] = float32(entropy(probs[i*classes:(i+1)*classes], 1))
	}
}

func checkShape(what string, pixels, values, classes int) {
	if classes < 1 || values != pixels*classes {
		panic(fmt.Sprintf("uncertainty: %s: want [pixels K] probabilities for %d pixels of %d classes, got %d values",
			what, pixels, classes, values))
	}
}
