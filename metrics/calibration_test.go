package metrics

import (
	"math"
	"testing"
)

func TestCalibration(t *testing.T) {
	c := NewCalibration(2, DefaultBins)
	if !math.IsNaN(c.ECE()) || !math.IsNaN(c.Brier()) {
		t.Errorf("no pixels: got %v and %v, want NaN", c.ECE(), c.Brier())
	}
	c.Add([]float32{1, 0, 0, 1}, []uint8{0, 1})
	if c.ECE() != 0 || c.Brier() != 0 {
		t.Errorf("certain and right: got %v and %v, want 0", c.ECE(), c.Brier())
	}

	// Certain and wrong.
	c = NewCalibration(2, DefaultBins)
	c.Add([]float32{1, 0}, []uint8{1})
	if c.ECE() != 1 || c.Brier() != 2 {
		t.Errorf("certain and wrong: got %v and %v, want 1 and 2", c.ECE(), c.Brier())
	}

	// Four pixels at confidence 0.75 of which three are right, and two at 1 of which one is right:
	// ECE = 4/6 · 0 + 2/6 · 0.5; Brier = (3 · 2/16 + 2 · 9/16 + 0 + 2) / 6.
	c = NewCalibration(2, DefaultBins)
	c.Add([]float32{0.75, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.25, 1, 0}, []uint8{0, 1, 0, 1, 0})
	c.Add([]float32{1, 0}, []uint8{1})
	if want := 1.0 / 6; !near(c.ECE(), want, 1e-12) {
		t.Errorf("ECE: got %v, want %v", c.ECE(), want)
	}
	if want := (3.0/8 + 9.0/8 + 2) / 6; !near(c.Brier(), want, 1e-12) {
		t.Errorf("Brier: got %v, want %v", c.Brier(), want)
	}
	bins := c.Bins()
	if want := (Bin{Pixels: 4, Confidence: 0.75, Accuracy: 0.75}); bins[11] != want { // (11/15, 12/15]
		t.Errorf("bin 11: got %+v, want %+v", bins[11], want)
	}
	if want := (Bin{Pixels: 2, Confidence: 1, Accuracy: 0.5}); bins[14] != want {
		t.Errorf("bin 14: got %+v, want %+v", bins[14], want)
	}

	// Uniform over K classes: Brier (1 - 1/K)² + (K-1)/K² = 1 - 1/K.
	c = NewCalibration(4, 1)
	c.Add([]float32{0.25, 0.25, 0.25, 0.25}, []uint8{3})
	if !near(c.Brier(), 0.75, 1e-12) || !near(c.ECE(), 0.25, 1e-12) {
		t.Errorf("uniform: got ECE %v and Brier %v, want 0.25 and 0.75", c.ECE(), c.Brier())
	}

	// A confidence on the border of two bins is in the lower one.
	c = NewCalibration(2, 2)
	c.Add([]float32{0.5, 0.5, 0.75, 0.25}, []uint8{0, 0})
	if bins := c.Bins(); bins[0].Pixels != 1 || bins[1].Pixels != 1 {
		t.Errorf("got bins %+v, want a pixel in each", bins)
	}
}

func TestCalibrationRefuses(t *testing.T) {
	for name, f := range map[string]func(){
		"NaN":         func() { NewCalibration(2, 15).Add([]float32{float32(math.NaN()), 1}, []uint8{0}) },
		"logits":      func() { NewCalibration(2, 15).Add([]float32{3, -1}, []uint8{0}) },
		"wrong label": func() { NewCalibration(2, 15).Add([]float32{0, 1}, []uint8{2}) },
		"wrong shape": func() { NewCalibration(3, 15).Add([]float32{0, 1}, []uint8{0}) },
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
