package report

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
)

func TestCalibration(t *testing.T) {
	a, b, none := makeRun("", "random", 1, 0.5), makeRun("", "random", 2, 0.5), makeRun("", "random", 3, 0.5)
	a.Calibrate([]metrics.Bin{{Pixels: 100, Confidence: 0.6, Accuracy: 0.5}, {Pixels: 300, Confidence: 0.9, Accuracy: 0.8}})
	b.Calibrate([]metrics.Bin{{}, {Pixels: 100, Confidence: 0.8, Accuracy: 1}})
	c := calibration([]record.Run{a, b, none}, 1)
	// ECE of a: 0.1; of b: 0.2. Together the second bin has (300·0.9 + 100·0.8)/400 = 0.875 and (300·0.8 + 100)/400 = 0.85.
	near(t, "ECE", c.ECE.Mean, 0.15)
	if c.ECE.N != 2 {
		t.Errorf("of %d runs", c.ECE.N)
	}
	want := []metrics.Bin{{Pixels: 100, Confidence: 0.6, Accuracy: 0.5}, {Pixels: 400, Confidence: 0.875, Accuracy: 0.85}}
	close := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want, c.Bins, close); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if calibration([]record.Run{none}, 1) != nil {
		t.Error("a calibration of nothing")
	}
}
