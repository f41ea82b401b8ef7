package uncertainty

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestMapsKnownValues(t *testing.T) {
	for _, c := range []struct {
		p                       []float32
		entropy, lowest, margin float64
	}{
		{[]float32{1, 0}, 0, 0, 0},
		{[]float32{0, 1, 0}, 0, 0, 0},
		{[]float32{1}, 0, 0, 0},
		{[]float32{0.5, 0.5}, math.Ln2, 0.5, 1},
		{[]float32{0.5, 0.5, 0}, math.Ln2, 0.5, 1},
		{[]float32{0.25, 0.25, 0.25, 0.25}, math.Log(4), 0.75, 1},
		{[]float32{1. / 3, 1. / 3, 1. / 3}, math.Log(3), 2. / 3, 1},
		{[]float32{0.1, 0.9}, -0.9*math.Log(0.9) - 0.1*math.Log(0.1), 0.1, 0.2},
		{[]float32{0.3, 0.1, 0.6}, -0.3*math.Log(0.3) - 0.1*math.Log(0.1) - 0.6*math.Log(0.6), 0.4, 0.7},
	} {
		dst := []float32{99}
		Entropy(dst, c.p, len(c.p))
		near(t, "entropy", float64(dst[0]), c.entropy, 1e-6)
		dst = mapOf(LeastConfidenceMap, len(c.p), c.p)
		near(t, "least confidence", float64(dst[0]), c.lowest, 1e-6)
		dst = mapOf(MarginMap, len(c.p), c.p)
		near(t, "margin", float64(dst[0]), c.margin, 1e-6)
	}
}

// The series against math.Log over all exponents and mantissas.
func TestSurpriseAccuracy(t *testing.T) {
	worst := 0.0
	for bits := uint32(1); bits <= math.Float32bits(1); bits += 997 {
		p := float64(math.Float32frombits(bits))
		worst = max(worst, math.Abs(surprise(p)+p*math.Log(p)))
	}
	if worst > 1e-9 {
		t.Errorf("largest error %.3g nats, want at most 1e-9", worst)
	}
}

func TestNoProbability(t *testing.T) {
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	for name, f := range map[string]func(dst, probs []float32, classes int){
		"entropy": Entropy, "least confidence": onePass(LeastConfidenceMap), "margin": onePass(MarginMap),
	} {
		for _, bad := range []float32{nan, inf, -inf, -0.01, 1.01} {
			dst := make([]float32, 3)
			f(dst, []float32{0.5, 0.5, 0.5, bad, bad, 0.5}, 2)
			if dst[0] != dst[0] || dst[1] == dst[1] || dst[2] == dst[2] {
				t.Errorf("%s with %v: got %v, want a value and two NaN", name, bad, dst)
			}
		}
		// Rounding is no fault.
		dst := make([]float32, 1)
		if f(dst, []float32{1.000001, -0.000001}, 2); dst[0] != 0 {
			t.Errorf("%s of a rounded certainty: %v, want 0", name, dst[0])
		}
	}
}

// onePass is a map of single passes.
func onePass(what Map) func(dst, probs []float32, classes int) {
	return func(dst, probs []float32, classes int) { copy(dst, mapOf(what, classes, probs)) }
}

func TestWrongShapePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("3 values for 2 pixels of 2 classes must panic")
		}
	}()
	Entropy(make([]float32, 2), make([]float32, 3), 2)
}

// drawProbs draws [pixels K] probabilities, some of them certain.
func drawProbs(t *rapid.T, label string, pixels, classes int) []float32 {
	probs := make([]float32, pixels*classes)
	for i := range pixels {
		sum := 0.0
		weights := rapid.SliceOfN(rapid.Float64Range(0, 1), classes, classes).Draw(t, label)
		for _, w := range weights {
			sum += w
		}
		for k, w := range weights {
			if sum == 0 {
				w, sum = 1, 1 // certain of class 0
			}
			probs[i*classes+k] = float32(w / sum)
		}
	}
	return probs
}

func TestEntropyAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(1, 6).Draw(t, "classes")
		probs := drawProbs(t, "p", 4, classes)
		dst := make([]float32, 4)
		Entropy(dst, probs, classes)
		for i, got := range dst {
			want := 0.0
			for _, p := range probs[i*classes : (i+1)*classes] {
				if p > 0 {
					want -= float64(p) * math.Log(float64(p))
				}
			}
			if math.Abs(float64(got)-want) > 1e-6 {
				t.Fatalf("pixel %d: got %v, want %v", i, got, want)
			}
			if got < 0 || float64(got) > math.Log(float64(classes))+1e-6 {
				t.Fatalf("pixel %d: %v is outside [0, ln %d]", i, got, classes)
			}
		}
	})
}
