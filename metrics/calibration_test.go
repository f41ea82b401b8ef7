package metrics

import (
	"math"
	"testing"
)

func TestCalibration(t *testing.T) {
	ece := func(c *Calibration) float64 { return ECE(c.Bins()) }
	c := NewCalibration(2, DefaultBins)
	if got := ece(c); !math.IsNaN(got) {
		t.Errorf("no pixels: got %v, want NaN", got)
	}
	c.Add([]float32{1, 0, 0, 1}, []uint8{0, 1})
	if got := ece(c); got != 0 {
		t.Errorf("certain and right: got %v, want 0", got)
	}
	c = NewCalibration(2, DefaultBins)
	c.Add([]float32{1, 0}, []uint8{1})
	if got := ece(c); got != 1 {
		t.Errorf("certain and wrong: got %v, want 1", got)
	}

	// Four pixels at confidence 0.75 of which three are right, and two at 1 of which one is right: 4/6 · 0 + 2/6 · 0.5.
	c = NewCalibration(2, DefaultBins)
	c.Add([]float32{0.75, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.25, 1, 0}, []uint8{0, 1, 0, 1, 0})
	c.Add([]float32{1, 0}, []uint8{1})
	if got, want := ece(c), 1.0/6; !near(got, want, 1e-12) {
		t.Errorf("ECE: got %v, want %v", got, want)
	}
	bins := c.Bins()
	if want := (Bin{Pixels: 4, Confidence: 0.75, Accuracy: 0.75}); bins[11] != want { // (11/15, 12/15]
		t.Errorf("bin 11: got %+v, want %+v", bins[11], want)
	}
	if want := (Bin{Pixels: 2, Confidence: 1, Accuracy: 0.5}); bins[14] != want {
		t.Errorf("bin 14: got %+v, want %+v", bins[14], want)
	}

	// Uniform over K classes: as sure as 1/K, and wrong.
	c = NewCalibration(4, 1)
	c.Add([]float32{0.25, 0.25, 0.25, 0.25}, []uint8{3})
	if got := ece(c); !near(got, 0.25, 1e-12) {
		t.Errorf("uniform: got %v, want 0.25", got)
	}

	// A confidence on the border of two bins is in the lower one.
	c = NewCalibration(2, 2)
	c.Add([]float32{0.5, 0.5, 0.75, 0.25}, []uint8{0, 0})
	if bins := c.Bins(); bins[0].Pixels != 1 || bins[1].Pixels != 1 {
		t.Errorf("got bins %+v, want a pixel in each", bins)
	}
}

// The diagram of all pixels is that of the parts, weighted by their pixels.
func TestMergeBins(t *testing.T) {
	got := MergeBins([]Bin{{100, 0.6, 0.5}, {300, 0.9, 0.8}, {}}, []Bin{{}, {100, 0.8, 1}, {}})
	for i, want := range []Bin{{100, 0.6, 0.5}, {400, 0.875, 0.85}, {}} {
		if b := got[i]; b.Pixels != want.Pixels || !near(b.Confidence, want.Confidence, 1e-12) || !near(b.Accuracy, want.Accuracy, 1e-12) {
			t.Errorf("bin %d: got %+v, want %+v", i, b, want)
		}
	}
	if MergeBins() != nil {
		t.Error("a diagram of nothing")
	}
}

func TestCalibrationRefuses(t *testing.T) {
	for name, f := range map[string]func(){
		"NaN":         func() { NewCalibration(2, 15).Add([]float32{float32(math.NaN()), 1}, []uint8{0}) },
		"logits":      func() { NewCalibration(2, 15).Add([]float32{3, -1}, []uint8{0}) },
		"wrong label": func() { NewCalibration(2, 15).Add([]float32{0, 1}, []uint8{2}) },
		"wrong shape": func() { NewCalibration(3, 15).Add([]float32{0, 1}, []uint8{0}) },
		"other bins":  func() { MergeBins(make([]Bin, 2), make([]Bin, 3)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
