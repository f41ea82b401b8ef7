package uncertainty

import (
	"math"
	"testing"
)

func TestEntropyKnownValues(t *testing.T) {
	for _, c := range []struct {
		p    []float32
		want float64
	}{
		{[]float32{1, 0}, 0},
		{[]float32{0, 1, 0}, 0},
		{[]float32{0.5, 0.5}, math.Ln2},
		{[]float32{0.5, 0.5, 0}, math.Ln2},
		{[]float32{0.25, 0.25, 0.25, 0.25}, math.Log(4)},
		{[]float32{1. / 3, 1. / 3, 1. / 3}, math.Log(3)},
		{[]float32{0.9, 0.1}, -0.9*math.Log(0.9) - 0.1*math.Log(0.1)},
		{[]float32{1}, 0},
	} {
		dst := []float32{99}
		Entropy(dst, c.p, len(c.p))
		if math.Abs(float64(dst[0])-c.want) > 1e-6 {
			t.Errorf("H(%v) = %v, want %v", c.p, dst[0], c.want)
		}
	}
}

// Every 997th float32 in (0, 1]: the hand-made logarithm against math.Log.
func TestSurpriseAccuracy(t *testing.T) {
	worst := 0.0
	for bits := uint32(1); bits <= math.Float32bits(1); bits += 997 {
		p := math.Float32frombits(bits)
		worst = max(worst, math.Abs(surprise(p)+float64(p)*math.Log(float64(p))))
	}
	if worst > 3e-8 {
		t.Errorf("largest error %.3g nats, want at most 3e-8", worst)
	}
}
