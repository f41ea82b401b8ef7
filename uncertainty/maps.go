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

// LeastConfidence writes one minus the largest class probability of each pixel to dst:
//
//	1 - max_k p_k,  in [0, 1 - 1/K]
//
// Shapes and NaN as in [Entropy]. The unit is probability, not nats.
//
// Source: Wang et al. 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT 27(12):2591-2600.
func LeastConfidence(dst, probs []float32, classes int) {
	checkShape("LeastConfidence", len(dst), len(probs), classes)
	for i := range dst {
		first, _ := twoLargest(probs[i*classes:(i+1)*classes], 1)
		dst[i] = float32(1 - first)
	}
}

// Margin writes one minus the lead of the most probable class over the second of each pixel to dst:
//
//	1 - (p₁ - p₂),  in [0, 1],  p₁ ≥ p₂ the two largest probabilities; p₂ = 0 if K = 1
//
// so that, as everywhere, higher = less certain. Shapes and NaN as in [Entropy]. The unit is probability, not nats.
//
// Source: Wang et al. 2017, as above, who pick the smallest p₁ - p₂.
func Margin(dst, probs []float32, classes int) {
	checkShape("Margin", len(dst), len(probs), classes)
	for i := range dst {
		first, second := twoLargest(probs[i*classes:(i+1)*classes], 1)
		dst[i] = float32(1 - (first - second))
	}
}

func checkShape(what string, pixels, values, classes int) {
	if classes < 1 || values != pixels*classes {
		panic(fmt.Sprintf("uncertainty: %s: want [pixels K] probabilities for %d pixels of %d classes, got %d values",
			what, pixels, classes, values))
	}
}
