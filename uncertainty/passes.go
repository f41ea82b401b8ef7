package uncertainty

import (
	"fmt"
	"math"
)

// Map says how the passes of an item become one uncertainty map. p_t are the probabilities of pass t at a pixel, p̄
// their mean over the T passes, H the entropy in nats.
type Map string

const (
	// JSD is the Jensen-Shannon divergence H(p̄) - 1/T Σ_t H(p_t), in [0, ln min(K, T)]: 0 where the passes agree.
	// It is also known as BALD and as mutual information (Houlsby et al. 2011, arXiv 1112.5745; Gal, Islam,
	// Ghahramani 2017, "Deep Bayesian active learning with image data"). It is what the text of Gaillochet et al.
	// 2023 names. With one pass it is 0 everywhere.
	JSD Map = "jsd"

	// LegacyJSD is ½ H(p̄) + ½ 1/T Σ_t H(p_t), in [0, ln K]: what the published code of Gaillochet et al. 2023
	// computes, with a plus where the divergence has a minus. Their figures rest on it.
	LegacyJSD Map = "legacy-jsd"

	// EntropyMap is H(p̄), in [0, ln K]; of one pass the same as [Entropy].
	EntropyMap Map = "entropy"

	// Variance is 1/K Σ_k 1/T Σ_t (p_tk - p̄_k)², in [0, 1/4]: the variance over the passes (divided by T, not T-1),
	// averaged over the classes. The unit is probability squared. With one pass it is 0 everywhere.
	Variance Map = "variance"

	// LeastConfidenceMap is 1 - max_k p̄_k, in [0, 1 - 1/K]. The unit is probability, not nats.
	// Source: Wang et al. 2017, "Cost-effective active learning for deep image classification", IEEE TCSVT 27(12):2591-2600.
	LeastConfidenceMap Map = "least-confidence"

	// MarginMap is 1 - (p₁ - p₂), in [0, 1], of the two largest p̄_k, p₂ = 0 if K = 1: higher is less certain. The unit is
	// probability. Source: as above, who pick the smallest p₁ - p₂.
	MarginMap Map = "margin"
)

// Passes sums up the passes of one item so that no pass needs to be kept: [pixels K] sums of the probabilities and,
// where the map needs them, [pixels] sums of the entropies or [pixels K] sums of squares, all in float64.
type Passes struct {
	what    Map
	classes int
	passes  int

	sum       []float64 // Σ_t p_t; NaN in all classes of a pixel that had a value that is no probability
	squares   []float64 // Σ_t p_t²; Variance only
	entropies []float64 // Σ_t H(p_t); JSD and LegacyJSD only
}

// NewPasses returns an empty sum for items of this many pixels and classes. Panics on an unknown map.
func NewPasses(what Map, pixels, classes int) *Passes {
	if pixels < 1 || classes < 1 {
		panic(fmt.Sprintf("uncertainty: NewPasses: %d pixels of %d classes", pixels, classes))
	}
	p := &Passes{what: what, classes: classes, sum: make([]float64, pixels*classes)}
	switch what {
	case JSD, LegacyJSD: // those that UsesPassEntropies reports
		p.entropies = make([]float64, pixels)
	case Variance:
		p.squares = make([]float64, pixels*classes)
	case EntropyMap, LeastConfidenceMap, MarginMap:
	default:
		panic(fmt.Sprintf("uncertainty: NewPasses: no map %q", what))
	}
	return p
}

// Reset empties the sum for the next item.
func (p *Passes) Reset() {
	p.passes = 0
	clear(p.sum)
	clear(p.squares)
	clear(p.entropies)
}

// UsesPassEntropies reports whether the map is made from the entropy of each pass: see [Passes.AddWithEntropy].
func (m Map) UsesPassEntropies() bool { return m == JSD || m == LegacyJSD }

// Add adds one pass, [pixels K]. probs is not kept. Panics on a wrong length.
func (p *Passes) Add(probs []float32) { p.AddWithEntropy(probs, nil) }

// AddWithEntropy is Add for callers that already have the [Entropy] of probs: [pixels], or nil. The entropies are ignored
// where [Map.UsesPassEntropies] is false.
func (p *Passes) AddWithEntropy(probs, entropies []float32) {
	checkShape("Passes.Add", len(p.sum)/p.classes, len(probs), p.classes)
	if entropies != nil {
		checkShape("Passes.AddWithEntropy", len(entropies), len(probs), p.classes)
	}
	p.passes++
	for i, x := range probs {
		v := float64(x)
		if !isProbability(x) {
			v = math.NaN()
		}
		p.sum[i] += v
	}
	for i := range p.squares {
		p.squares[i] += float64(probs[i]) * float64(probs[i])
	}
	if entropies == nil {
		for i := range p.entropies {
			p.entropies[i] += entropy(probs[i*p.classes:(i+1)*p.classes], 1)
		}
		return
	}
	for i := range p.entropies {
		p.entropies[i] += float64(entropies[i])
	}
}

// Map writes the uncertainty map of the passes so far to dst, [pixels]. A pixel that had a probability that is NaN
// or outside [0, 1] in any pass is NaN. Panics before the first pass and on a wrong length.
func (p *Passes) Map(dst []float32) {
	checkShape("Passes.Map", len(dst), len(p.sum), p.classes)
	if p.passes == 0 {
		panic("uncertainty: Passes.Map: no pass was added")
	}
	scale := 1 / float64(p.passes)
	for i := range dst {
		from, to := i*p.classes, (i+1)*p.classes
		var u float64
		switch p.what {
		case JSD:
			// Not below 0 but for rounding: the entropy is concave.
			u = max(0, entropy(p.sum[from:to], scale)-p.entropies[i]*scale)
		case LegacyJSD:
			u = (entropy(p.sum[from:to], scale) + p.entropies[i]*scale) / 2
		case EntropyMap:
			u = entropy(p.sum[from:to], scale)
		case Variance:
			u = variance(p.sum[from:to], p.squares[from:to], scale)
		case LeastConfidenceMap:
			first, _ := twoLargest(p.sum[from:to], scale)
			u = 1 - first
		case MarginMap:
			first, second := twoLargest(p.sum[from:to], scale)
			u = 1 - (first - second)
		}
		dst[i] = float32(u)
	}
}

// class returns the most probable class of pixel i over all passes; the lower one of equals.
func (p *Passes) class(i int) int {
	best := 0
	sum := p.sum[i*p.classes : (i+1)*p.classes]
	for k, v := range sum {
		if v > sum[best] {
			best = k
		}
	}
	return best
}

func variance(sum, squares []float64, scale float64) float64 {
	total := 0.0
	for k, v := range sum {
		mean := v * scale
		// The sums are of float32 squares in float64: what cancels here is below 1e-15.
		total += max(0, squares[k]*scale-mean*mean)
	}
	return total / float64(len(sum))
}
