package uncertainty

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// flat returns two-class probabilities with these values of class 1.
func flat(p1 ...float32) []float32 {
	probs := make([]float32, 0, 2*len(p1))
	for _, p := range p1 {
		probs = append(probs, 1-p, p)
	}
	return probs
}

func score(t *testing.T, c Score, h, w int, probs []float32, valid []bool) float64 {
	t.Helper()
	s := NewScorer(c, h, w, 2)
	s.Add(probs, valid)
	got, err := s.Score()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAggregations(t *testing.T) {
	// A row of eight pixels; least confidence makes the map 0.1 0.2 0.3 0.4 0.2 0 0 0; foreground is pixel 2 and 3.
	probs := flat(0.1, 0.2, 0.7, 0.6, 0.2, 0, 0, 0)
	valid := []bool{true, true, true, false, true, true, true, true}
	for _, c := range []struct {
		config      Score
		all, masked float64
	}{
		{Score{Aggregation: ByMean}, 1.2 / 8, 0.8 / 7},
		{Score{Aggregation: Legacy}, 1.2 / 8, 0.8 / 8},
		{Score{Aggregation: ByMax}, 0.4, 0.3},
		{Score{Aggregation: ByForeground}, 0.7 / 2, 0.3},
		{Score{Aggregation: ByForeground, Band: 1}, 1.1 / 4, 0.5 / 2}, // pixels 1-4; masked: 1, 2
		{Score{Aggregation: ByForeground, Band: 99}, 1.2 / 8, 0.8 / 7},
		{Score{Aggregation: ByTop, Fraction: 0.25}, 0.7 / 2, 0.5 / 2}, // 2 of 8; 2 of 7
		{Score{Aggregation: ByTop, Fraction: 0.0001}, 0.4, 0.3},       // at least one
		{Score{Aggregation: ByTop, Fraction: 1}, 1.2 / 8, 0.8 / 7},
	} {
		c.config.Map = LeastConfidenceMap
		near(t, string(c.config.Aggregation), score(t, c.config, 1, 8, probs, nil), c.all, 1e-6)
		near(t, string(c.config.Aggregation)+" masked", score(t, c.config, 1, 8, probs, valid), c.masked, 1e-6)
	}
}

func TestNoForegroundPredicted(t *testing.T) {
	got := score(t, Score{Map: LeastConfidenceMap, Aggregation: ByForeground, Band: 2}, 2, 2, flat(0.1, 0.2, 0.3, 0.4), nil)
	near(t, "mean over all pixels", got, 0.25, 1e-6)
}

// A pixel counts only if it is valid in every pass.
func TestValidInAllPasses(t *testing.T) {
	s := NewScorer(Score{Map: LeastConfidenceMap}, 1, 3, 2)
	s.Add(flat(0.1, 0.2, 0.3), []bool{false, true, true})
	s.Add(flat(0.1, 0.2, 0.3), nil)
	s.Add(flat(0.1, 0.2, 0.3), []bool{true, true, false})
	got, err := s.Score()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "pixel 1 alone", got, 0.2, 1e-6)
	s.Reset()
	s.Add(flat(0.1, 0.2, 0.3), nil)
	got, _ = s.Score()
	near(t, "all pixels after Reset", got, 0.2, 1e-6)
}

func TestScoreErrorsNameTheItem(t *testing.T) {
	for _, aggregation := range []Aggregation{ByMean, ByForeground, ByMax, ByTop, Legacy} {
		for _, what := range []Map{JSD, LegacyJSD, EntropyMap, Variance, LeastConfidenceMap, MarginMap} {
			s := NewScorer(Score{Map: what, Aggregation: aggregation, Fraction: 0.2}, 2, 3, 2)
			for _, bad := range []float32{float32(math.NaN()), 1.5} {
				probs := flat(0.9, 0.1, 0.1, 0.1, 0.1, 0.1)
				probs[8] = bad // pixel 4
				s.Reset()
				s.Add(probs, nil)
				_, err := s.Score()
				if err == nil || !strings.Contains(err.Error(), "row 1, column 1") {
					t.Errorf("%s, %s, %v: got error %v", aggregation, what, bad, err)
				}
				// Outside the valid pixels anything may stand.
				s.Reset()
				s.Add(probs, []bool{true, true, true, true, false, true})
				if _, err := s.Score(); err != nil {
					t.Errorf("%s, %s: invalid pixel was read: %v", aggregation, what, err)
				}
			}
			s.Reset()
			s.Add(flat(0, 0, 0, 0, 0, 0), make([]bool, 6))
			if _, err := s.Score(); err == nil || !strings.Contains(err.Error(), "no pixel") {
				t.Errorf("%s without a valid pixel: got error %v", aggregation, err)
			}
		}
	}
}

func TestMean(t *testing.T) {
	near(t, "mean", Mean([]float32{1, 2, 6}), 3, 0)
	if v := Mean(nil); v == v {
		t.Errorf("mean of nothing: %v, want NaN", v)
	}
}

func TestTopAgainstSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few distinct values, so that there are ties.
		ints := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 60).Draw(t, "map")
		m := make([]float32, len(ints))
		for i, v := range ints {
			m[i] = float32(v)
		}
		fraction := rapid.Float64Range(0.001, 1).Draw(t, "fraction")
		count := max(1, int(math.Ceil(fraction*float64(len(m)))))
		sorted := slices.Sorted(slices.Values(m))
		want := Mean(sorted[len(sorted)-count:])
		if got := topOver(m, nil, fraction, make([]float32, len(m))); math.Abs(got-want) > 1e-6 {
			t.Fatalf("top %d of %v: got %v, want %v", count, m, got, want)
		}
	})
}

func TestWidenAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(1, 9).Draw(t, "h"), rapid.IntRange(1, 9).Draw(t, "w")
		band := rapid.IntRange(0, 4).Draw(t, "band")
		src := make([]bool, h*w)
		for i := range src {
			src[i] = rapid.IntRange(0, 7).Draw(t, "on") == 0
		}
		dst := make([]bool, h*w)
		widen(dst, src, make([]bool, h*w), h, w, band)
		for y := range h {
			for x := range w {
				want := false
				for i, on := range src {
					want = want || on && max(i/w-y, y-i/w) <= band && max(i%w-x, x-i%w) <= band
				}
				if dst[y*w+x] != want {
					t.Fatalf("row %d, column %d: got %v, want %v", y, x, dst[y*w+x], want)
				}
			}
		}
	})
}

func TestScorerAllocatesNothing(t *testing.T) {
	probs := make([]float32, 32*32*2)
	for i := range probs {
		probs[i] = 0.5
	}
	for _, aggregation := range []Aggregation{ByMean, ByForeground, ByMax, ByTop, Legacy} {
		s := NewScorer(Score{Map: JSD, Aggregation: aggregation, Fraction: 0.1, Band: 2}, 32, 32, 2)
		allocs := testing.AllocsPerRun(10, func() {
			s.Reset()
			s.Add(probs, nil)
			s.Add(probs, nil)
			if _, err := s.Score(); err != nil {
				t.Error(err)
			}
		})
		if allocs > 0 {
			t.Errorf("%s: %v allocations per item, want none", aggregation, allocs)
		}
	}
}

func BenchmarkScorer(b *testing.B) {
	probs := make([]float32, 128*128*2)
	for i := range 128 * 128 {
		p := float32(i%1000) / 1000
		probs[2*i], probs[2*i+1] = p, 1-p
	}
	s := NewScorer(Score{}, 128, 128, 2)
	for b.Loop() {
		s.Reset()
		s.Add(probs, nil)
		s.Score()
	}
}

// Class scores of two pixels by hand; the first is the sum of all classes'.
func TestClassScores(t *testing.T) {
	s := NewScorer(Score{}, 1, 2, 3)
	s.Add([]float32{0.5, 0.5, 0, 0.2, 0.2, 0.6}, nil)
	got := make([]float64, 3)
	if err := s.ClassScores(got); err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{0.821709, 0.268314, 0.285081} {
		if math.Abs(got[k]-want) > 1e-6 {
			t.Errorf("score %d: %v, want %v", k, got[k], want)
		}
	}
	if background := got[0] - got[1] - got[2]; math.Abs(background-0.268314) > 1e-6 {
		t.Errorf("the classes leave %v for the background, want 0.268314", background)
	}

	// Of two passes p is their mean; a pixel that is not valid does not count.
	s = NewScorer(Score{Map: JSD}, 1, 2, 2)
	s.Add([]float32{1, 0, 0.5, 0.5}, nil)
	s.Add([]float32{0, 1, 0.5, 0.5}, []bool{true, false})
	got = got[:2]
	if err := s.ClassScores(got); err != nil || math.Abs(got[0]-math.Ln2) > 1e-6 || math.Abs(got[1]-math.Ln2/2) > 1e-6 {
		t.Errorf("two passes that disagree: %v, %v; want ln 2 and half of it", got, err)
	}
	s.Reset()
	s.Add([]float32{float32(math.NaN()), 0, 0, 1}, nil)
	if err := s.ClassScores(got); err == nil {
		t.Error("a probability that is NaN has class scores")
	}
}
