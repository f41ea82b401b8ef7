package metrics

import (
	"math"
	"testing"

	"github.com/nextslice/nextslice/volume"
)

// Voxels whose reference is ignored count in no measure, whatever is predicted there.
func TestIgnored(t *testing.T) {
	size := [3]int{6, 6, 3}
	for _, rule := range []string{EmptyUndefined, EmptyOne} {
		measured := func(change func(pred, ref *volume.Mask)) ClassSummary {
			pred, ref := mask(size, oneMM), mask(size, oneMM)
			fill(ref, 1, [3]int{1, 1, 0}, [3]int{4, 4, 2})
			fill(pred, 1, [3]int{2, 1, 0}, [3]int{4, 4, 2})
			change(pred, ref)
			a := NewAccumulator([]string{"background", "gland"}, Rules{Empty: rule, Further: &Tolerances{NSD: 1, LesionOverlap: 0.1}})
			before := append([]uint8(nil), ref.Data...)
			a.Add("a", pred, ref)
			for i := range before {
				if ref.Data[i] != before[i] {
					t.Fatal("the reference was changed")
				}
			}
			return a.Summary().Classes[0]
		}
		plain := measured(func(_, _ *volume.Mask) {})
		// A false lesion where nobody knows: all measures are as if it were not there.
		got := measured(func(pred, ref *volume.Mask) {
			fill(ref, volume.Ignored, [3]int{5, 0, 0}, [3]int{6, 6, 2})
			fill(pred, 1, [3]int{5, 3, 0}, [3]int{6, 5, 2})
		})
		if got != plain {
			t.Errorf("%s: got %+v, want %+v", rule, got, plain)
		}
		// Slice 0 is ignored throughout: only slice 1 counts, of 9 and 6 voxels; slice 2 as the rule has it.
		got = measured(func(_, ref *volume.Mask) { fill(ref, volume.Ignored, [3]int{0, 0, 0}, [3]int{6, 6, 1}) })
		dice, n := 12./15, 1
		mean := dice
		if rule == EmptyOne {
			mean, n = (dice+1)/2, 2
		}
		if got.Dice3D.Value != dice || math.Abs(got.Dice2D.Value-mean) > 1e-12 || got.Dice2D.N != n || got.Dice2D.Undefined != 3-n {
			t.Errorf("%s: 3D %+v, 2D %+v", rule, got.Dice3D, got.Dice2D)
		}
		// A case that is ignored throughout has no value.
		got = measured(func(_, ref *volume.Mask) { fill(ref, volume.Ignored, [3]int{}, size) })
		if got.Dice3D.N+got.Dice2D.N+got.HD95.N+got.ASSD.N != 0 || got.Dice3D.Undefined != 1 || got.Dice2D.Undefined != 3 {
			t.Errorf("%s: all ignored: %+v", rule, got)
		}
	}
}

func TestIgnoredInDice(t *testing.T) {
	const x = volume.Ignored
	if d := MeanDice([]uint8{0, 1, 1, x, 1}, []uint8{0, 1, x, 1, 0}, 2); math.Abs(d-2./3) > 1e-12 {
		t.Errorf("MeanDice: got %v, want 2/3", d)
	}
	d := NewPartialDice(2)
	d.Add("a", []uint8{1, 1, 0, 1}, []uint8{1, x, x, 0})
	if d := d.Mean(); math.Abs(d-2./3) > 1e-12 {
		t.Errorf("PartialDice: got %v, want 2/3", d)
	}
	c := NewCalibration(2, 1)
	c.Add([]float32{0.2, 0.8, 0.2, 0.8}, []uint8{1, x})
	if b := c.Bins()[0]; b.Pixels != 1 || b.Accuracy != 1 {
		t.Errorf("Calibration: %+v", b)
	}
}
