package metrics_test

import (
	"math"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/volume"
)

func TestMeanDice(t *testing.T) {
	if d := metrics.MeanDice([]uint8{0, 1, 1, 2}, []uint8{0, 1, 2, 2}, 4); math.Abs(d-2./3) > 1e-12 {
		t.Errorf("got %v", d)
	}
	if d := metrics.MeanDice([]uint8{0}, []uint8{0}, 3); !math.IsNaN(d) {
		t.Errorf("both empty: %v", d)
	}
	if d := metrics.NewPartialDice(2).Mean(); !math.IsNaN(d) {
		t.Errorf("no case: %v", d)
	}
}

// Slice by slice it is the 3D Dice of an evaluation, to the last bit; classes that a case lacks are left out there too.
func TestPartialDiceOfWholeCases(t *testing.T) {
	classes := []string{"background", "a", "b", "nowhere"}
	rng := random.Stream(1)
	a, d := metrics.NewAccumulator(classes, metrics.Rules{}), metrics.NewPartialDice(len(classes))
	grid := volume.Grid{Size: [3]int{5, 4, 3}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}, Unit: "mm"}
	for _, id := range []string{"x", "y", "z"} {
		pred, ref := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}, &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		most := 3
		if id == "y" {
			most = 2 // without class b
		}
		for i := range ref.Data {
			pred.Data[i], ref.Data[i] = uint8(rng.IntN(most)), uint8(rng.IntN(most))
		}
		a.Add(id, pred, ref)
		for begin := 0; begin < len(ref.Data); begin += 20 {
			d.Add(id, pred.Data[begin:begin+20], ref.Data[begin:begin+20])
		}
	}
	if got, want := d.Mean(), a.Summary().Mean.Dice3D.Value; got != want || !(got > 0) {
		t.Errorf("got %v, want %v", got, want)
	}
}
