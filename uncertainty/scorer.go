package uncertainty

import (
	"errors"
	"fmt"
	"math"
)

// Scorer computes the scores of items of one size, one after the other. It is not safe for concurrent use: make one
// for each goroutine.
type Scorer struct {
	how    Score
	h, w   int
	passes *Passes

	valid   []bool    // pixels that were valid in every pass
	masked  bool      // some pixel was not
	current []float32 // the map

	region, foreground, lines []bool    // ByForeground
	scratch                   []float32 // ByTop
}

// NewScorer returns a scorer for items of h × w pixels; of how it uses the map, the aggregation and their options, not the
// passes. Panics on an unknown map or aggregation and on options out of range: check first what a person wrote.
func NewScorer(how Score, h, w, classes int) *Scorer {
	if how.Map == "" {
		how.Map = EntropyMap
	}
	if how.Aggregation == "" {
		how.Aggregation = ByMean
	}
	pixels := h * w
	s := &Scorer{how: how, h: h, w: w, passes: NewPasses(how.Map, pixels, classes),
		valid: make([]bool, pixels), current: make([]float32, pixels)}
	switch how.Aggregation {
	case ByMean, ByMax, Legacy:
	case ByForeground:
		if how.Band < 0 {
			panic(fmt.Sprintf("uncertainty: NewScorer: a band of %d pixels", how.Band))
		}
		s.region, s.foreground, s.lines = make([]bool, pixels), make([]bool, pixels), make([]bool, pixels)
	case ByTop:
		if !(how.Fraction > 0 && how.Fraction <= 1) {
			panic(fmt.Sprintf("uncertainty: NewScorer: want a top fraction in (0, 1], got %v", how.Fraction))
		}
		s.scratch = make([]float32, pixels)
	default:
		panic(fmt.Sprintf("uncertainty: NewScorer: no aggregation %q", how.Aggregation))
	}
	s.Reset()
	return s
}

// Reset begins the next item.
func (s *Scorer) Reset() {
	s.passes.Reset()
	s.masked = false
	for i := range s.valid {
		s.valid[i] = true
	}
}

// Add adds one pass of the item: probs is [h w K], valid is [h w] or nil if all pixels are valid, as in every pass
// that is not augmented. A pixel counts only if it is valid in all passes. Neither is kept.
func (s *Scorer) Add(probs []float32, valid []bool) { s.AddWithEntropy(probs, nil, valid) }

// AddWithEntropy is Add for callers that already have the [Entropy] of probs, as in [Passes.AddWithEntropy].
func (s *Scorer) AddWithEntropy(probs, entropies []float32, valid []bool) {
	s.passes.AddWithEntropy(probs, entropies)
	if valid == nil {
		return
	}
	if len(valid) != len(s.valid) {
		panic(fmt.Sprintf("uncertainty: Scorer.Add: want a validity mask of %d pixels, got %d", len(s.valid), len(valid)))
	}
	for i, v := range valid {
		if !v {
			s.valid[i] = false
			s.masked = true
		}
	}
}

// Map returns the uncertainty map of the passes so far, [h w], without regard to validity. It is valid until the
// next call of a method.
func (s *Scorer) Map() []float32 {
	s.passes.Map(s.current)
	return s.current
}

// Score returns the score of the passes since Reset; an error if no pixel is valid or if a valid pixel had a probability
// that is NaN or outside [0, 1]. Panics before the first pass.
func (s *Scorer) Score() (float64, error) {
	m, in := s.Map(), s.valid
	if !s.masked {
		in = nil
	}
	var score float64
	switch s.how.Aggregation {
	case ByMean:
		score = meanOver(m, in)
	case ByForeground:
		score = meanOver(m, s.foregroundOr(m, in))
	case ByMax:
		score = maxOver(m, in)
	case ByTop:
		score = topOver(m, in, s.how.Fraction, s.scratch)
	case Legacy:
		score = s.share() * meanOver(m, in)
	}
	if math.IsNaN(score) {
		return 0, s.fault()
	}
	return score, nil
}

// ClassScores writes K means over the valid pixels: first that of the map u, then, for k = 1 … K-1, that of u·p̄_k with p̄ the mean of
// the passes. As Σ p̄ = 1 the first is the sum of the others and the mean of u·p̄_0. Errors and panics are those of Score; the aggregation does
// not count.
//
// Source: Lüth, Traub et al. 2026, arXiv 2601.13677 (class-stratified power entropy).
func (s *Scorer) ClassScores(dst []float64) error {
	classes := s.passes.classes
	checkShape("Scorer.ClassScores", 1, len(dst), classes)
	clear(dst)
	n := 0.0
	for i, u := range s.Map() {
		if !s.valid[i] {
			continue
		}
		n++
		dst[0] += float64(u)
		mean := s.passes.sum[i*classes : (i+1)*classes]
		for k := 1; k < classes; k++ {
			dst[k] += float64(u) * mean[k] / float64(s.passes.passes)
		}
	}
	for k := range dst {
		dst[k] /= n
		if math.IsNaN(dst[k]) {
			return s.fault()
		}
		dst[k] = max(0, dst[k]) // a probability of -1e-6 is rounding
	}
	return nil
}

// ClassVariances writes the mean over the valid pixels of the variance of each class's probability over the passes, in [0, 1/4]; the map
// must be Variance. Errors and panics are those of Score.
func (s *Scorer) ClassVariances(dst []float64) error {
	classes, scale := s.passes.classes, 1/float64(s.passes.passes)
	checkShape("Scorer.ClassVariances", 1, len(dst), classes)
	clear(dst)
	s.Map() // finds what is no probability
	n := 0.0
	for i, in := range s.valid {
		if !in {
			continue
		}
		n++
		for k := range dst {
			mean := s.passes.sum[i*classes+k] * scale
			v := s.passes.squares[i*classes+k]*scale - mean*mean
			if v < 0 {
				v = 0 // rounding; a NaN stays
			}
			dst[k] += v
		}
	}
	for k := range dst {
		if dst[k] /= n; math.IsNaN(dst[k]) {
			return s.fault()
		}
	}
	return nil
}

// foregroundOr returns the valid pixels of the widened predicted foreground, or in if there are none.
func (s *Scorer) foregroundOr(m []float32, in []bool) []bool {
	for i, u := range m {
		// A pixel without a value has no class either: it is taken in, so that it is not overlooked.
		s.foreground[i] = s.valid[i] && (u != u || s.passes.class(i) != 0)
	}
	widen(s.region, s.foreground, s.lines, s.h, s.w, s.how.Band)
	empty := true
	for i := range s.region {
		s.region[i] = s.region[i] && s.valid[i]
		empty = empty && !s.region[i]
	}
	if empty {
		return in
	}
	return s.region
}

// share returns which part of the pixels is valid.
func (s *Scorer) share() float64 {
	n := 0
	for _, v := range s.valid {
		if v {
			n++
		}
	}
	return float64(n) / float64(len(s.valid))
}

// fault says why the score is NaN.
func (s *Scorer) fault() error {
	for i, u := range s.current {
		if s.valid[i] && u != u {
			return fmt.Errorf("a probability at row %d, column %d is NaN or outside [0, 1]; "+
				"the network has diverged", i/s.w, i%s.w)
		}
	}
	return errors.New("no pixel is valid in all passes")
}
