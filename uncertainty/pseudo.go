package uncertainty

// Ignored is the value in a pseudo-mask of pixels that have no label.
const Ignored = 255

// PseudoMask makes a mask of class probabilities, [pixels K]: the most probable class of each pixel, the lower one of equals, or Ignored where
// the entropy is not below threshold, in nats, and pixels is set. taken reports whether the item may be learnt: with items set only if its mean
// entropy is below threshold, and never without a single label. dst is [pixels]. It panics on shapes that do not fit and on more than 255
// classes.
//
// A probability that is NaN or outside [0, 1] makes the item not taken.
//
// Source: Wang et al. 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT 27(12), section III, where an item
// has one label; the masks and Ignored are ours.
func PseudoMask(dst []uint8, probs []float32, classes int, threshold float64, items, pixels bool) (taken bool) {
	checkShape("PseudoMask", len(dst), len(probs), classes)
	if classes > Ignored {
		panic("uncertainty: PseudoMask: more classes than a mask can tell from Ignored")
	}
	mean, labels := 0.0, 0
	for i := range dst {
		p := probs[i*classes : (i+1)*classes]
		h := entropy(p, 1)
		mean += h / float64(len(dst))
		best := 0
		for k, v := range p {
			if v > p[best] {
				best = k
			}
		}
		dst[i] = uint8(best)
		if pixels && !(h < threshold) {
			dst[i] = Ignored
			continue
		}
		labels++
	}
	if mean != mean {
		return false
	}
	return labels > 0 && (!items || mean < threshold)
}
