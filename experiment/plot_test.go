package experiment

import (
	"slices"
	"testing"
)

// An axis that begins at nought, or a rounding error below it, says 0 and not -0.
func TestTenths(t *testing.T) {
	for _, low := range []float64{0, 1e-12, -1e-12} {
		var labels []string
		for _, tick := range (tenths{}).Ticks(low, 0.4) {
			labels = append(labels, tick.Label)
		}
		if want := []string{"0", "0.1", "0.2", "0.3", "0.4"}; !slices.Equal(labels, want) {
			t.Errorf("from %v: %q, want %q", low, labels, want)
		}
	}
	if ticks := (tenths{}).Ticks(0.71, 0.86); len(ticks) != 3 || ticks[0].Label != "0.75" {
		t.Errorf("a short axis: %v, want every twentieth", ticks)
	}
}
