package uncertainty

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// mapOf returns the map of some passes.
func mapOf(what Map, classes int, passes ...[]float32) []float32 {
	p := NewPasses(what, len(passes[0])/classes, classes)
	for _, probs := range passes {
		p.Add(probs)
	}
	dst := make([]float32, len(passes[0])/classes)
	p.Map(dst)
	return dst
}

// Two passes that are certain of different classes, then two that agree on a coin toss.
func TestMapKnownValues(t *testing.T) {
	disagree := [][]float32{{1, 0}, {0, 1}}
	toss := [][]float32{{0.5, 0.5}, {0.5, 0.5}}
	for _, c := range []struct {
		what           Map
		disagree, toss float64
	}{
		{JSD, math.Ln2, 0}, // H(p̄) = ln 2; the passes' entropies 0 and ln 2
		{LegacyJSD, math.Ln2 / 2, math.Ln2},
		{EntropyMap, math.Ln2, math.Ln2},
		{Variance, 0.25, 0}, // each class is 0 and 1
		{LeastConfidenceMap, 0.5, 0.5},
		{MarginMap, 1, 1},
	} {
		near(t, string(c.what)+" of disagreement", float64(mapOf(c.what, 2, disagree...)[0]), c.disagree, 1e-6)
		near(t, string(c.what)+" of a coin toss", float64(mapOf(c.what, 2, toss...)[0]), c.toss, 1e-6)
	}
}

// T passes that are certain of T different classes: the divergence is ln T, its largest value.
func TestJSDReachesLnT(t *testing.T) {
	near(t, "jsd", float64(mapOf(JSD, 4, []float32{1, 0, 0, 0}, []float32{0, 0, 1, 0}, []float32{0, 0, 0, 1})[0]),
		math.Log(3), 1e-6)
}

func TestMapsAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const pixels = 3
		classes := rapid.IntRange(1, 4).Draw(t, "classes")
		passes := make([][]float32, rapid.IntRange(1, 6).Draw(t, "passes"))
		for i := range passes {
			passes[i] = drawProbs(t, "p", pixels, classes)
		}
		T := float64(len(passes))
		maps := map[Map][]float32{}
		for _, what := range []Map{JSD, LegacyJSD, EntropyMap, Variance, LeastConfidenceMap, MarginMap} {
			maps[what] = mapOf(what, classes, passes...)
		}
		h := func(p float64) float64 {
			if p <= 0 {
				return 0
			}
			return -p * math.Log(p)
		}
		for i := range pixels {
			var ofMean, meanOf, variance float64
			for k := range classes {
				mean := 0.0
				for _, probs := range passes {
					mean += float64(probs[i*classes+k]) / T
					meanOf += h(float64(probs[i*classes+k])) / T
				}
				ofMean += h(mean)
				for _, probs := range passes {
					variance += math.Pow(float64(probs[i*classes+k])-mean, 2) / T / float64(classes)
				}
			}
			for what, want := range map[Map]float64{
				JSD: ofMean - meanOf, LegacyJSD: ofMean/2 + meanOf/2, EntropyMap: ofMean, Variance: variance,
			} {
				if got := float64(maps[what][i]); math.Abs(got-want) > 1e-6 {
					t.Fatalf("%s: got %v, want %v", what, got, want)
				}
			}
			// Jensen: the entropy is concave, so mixing passes never lowers it. And the mixture cannot hold more
			// information about the pass than there are passes.
			if jsd := float64(maps[JSD][i]); jsd < 0 || jsd > math.Log(T)+1e-6 {
				t.Fatalf("jsd %v is outside [0, ln %v]", jsd, T)
			}
			if maps[LegacyJSD][i] > maps[EntropyMap][i]+1e-6 {
				t.Fatalf("legacy-jsd %v is above the entropy of the mean %v", maps[LegacyJSD][i], maps[EntropyMap][i])
			}
			if v := maps[Variance][i]; v < 0 || v > 0.25 {
				t.Fatalf("variance %v is outside [0, 1/4]", v)
			}
		}
	})
}

// One pass gives the maps of one pass, and nothing where passes are compared.
func TestSinglePass(t *testing.T) {
	probs := []float32{0.3, 0.1, 0.6, 0.2, 0.8, 0}
	want := make([]float32, 2)
	Entropy(want, probs, 3)
	for i, got := range mapOf(EntropyMap, 3, probs) {
		near(t, "entropy", float64(got), float64(want[i]), 1e-6)
	}
	for _, what := range []Map{JSD, Variance} {
		for _, got := range mapOf(what, 3, probs) {
			near(t, string(what), float64(got), 0, 1e-12)
		}
	}
}

func TestResetForgets(t *testing.T) {
	for _, what := range []Map{JSD, LegacyJSD, EntropyMap, Variance, LeastConfidenceMap, MarginMap} {
		p := NewPasses(what, 1, 2)
		p.Add([]float32{float32(math.NaN()), 3})
		p.Add([]float32{0.5, 0.5})
		p.Reset()
		p.Add([]float32{0.9, 0.1})
		dst := make([]float32, 1)
		p.Map(dst)
		if want := mapOf(what, 2, []float32{0.9, 0.1})[0]; dst[0] != want {
			t.Errorf("%s after Reset: %v, want %v", what, dst[0], want)
		}
	}
}

func TestBadPassIsNaN(t *testing.T) {
	for _, what := range []Map{JSD, LegacyJSD, EntropyMap, Variance, LeastConfidenceMap, MarginMap} {
		for _, bad := range []float32{float32(math.NaN()), 1.5, -0.5} {
			// The mean of the passes is a probability again: it must not hide the bad one.
			m := mapOf(what, 2, []float32{bad, 0.5, 0.5, 0.5}, []float32{0.1, 0.5, 0.5, 0.5}, []float32{0.1, 0.5, 0.5, 0.5})
			if m[0] == m[0] || m[1] != m[1] {
				t.Errorf("%s with %v: got %v, want NaN at the first pixel only", what, bad, m)
			}
		}
	}
}

// Entropies that the caller has give the map that Add gives.
func TestAddWithEntropy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(1, 4).Draw(t, "classes")
		passes := [][]float32{drawProbs(t, "p", 5, classes), drawProbs(t, "p", 5, classes)}
		for _, what := range []Map{JSD, LegacyJSD, EntropyMap, Variance} {
			p, h, got := NewPasses(what, 5, classes), make([]float32, 5), make([]float32, 5)
			for _, probs := range passes {
				if what.UsesPassEntropies() {
					Entropy(h, probs, classes)
				}
				p.AddWithEntropy(probs, h) // which another map does not look at
			}
			p.Map(got)
			for i, want := range mapOf(what, classes, passes...) {
				if math.Abs(float64(got[i]-want)) > 1e-6 {
					t.Fatalf("%s: pixel %d: %v, want %v", what, i, got[i], want)
				}
			}
		}
	})
}
