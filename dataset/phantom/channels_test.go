package phantom

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
)

// The first sequence of a case is the case as it is alone; the second shows the same patient otherwise.
func TestGenerateTwo(t *testing.T) {
	alone, maskAlone := Generate(random.Stream(1, "phantom", 0))
	t2, pd, mask := GenerateTwo(random.Stream(1, "phantom", 0))
	if !slices.Equal(t2.Data, alone.Data) || !slices.Equal(mask.Data, maskAlone.Data) {
		t.Error("the first sequence is not the case without a second")
	}
	if pd.Grid != t2.Grid || slices.Equal(pd.Data, t2.Data) {
		t.Error("the second sequence is the first, or lies elsewhere")
	}
	// Short echoes keep signal where T2 is short: the mean is higher.
	mean := func(data []float32) (m float64) {
		for _, x := range data {
			m += float64(x) / float64(len(data))
		}
		return m
	}
	if a, b := mean(t2.Data), mean(pd.Data); b < 1.5*a {
		t.Errorf("mean %v and, weighted by proton density, %v", a, b)
	}
}
