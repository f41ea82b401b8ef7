package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/volume"
)

// The 2D Dice by the other rule for empty slices, from a summary alone, is what an accumulator with that rule measures.
func TestDice2DOne(t *testing.T) {
	classes := []string{"background", "a", "b", "never"}
	rng := rand.New(rand.NewPCG(17, 2))
	undefined, one := metrics.NewAccumulator(classes, metrics.Rules{}), metrics.NewAccumulator(classes, metrics.Rules{Empty: metrics.EmptyOne})
	grid := volume.Grid{Size: volume.Size{4, 3, 6}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	for _, id := range []string{"x", "y", "z"} {
		pred, ref := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}, &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		for v := range pred.Data {
			if k := v / 12; k > 1 { // the first two slices are empty
				pred.Data[v], ref.Data[v] = uint8(rng.IntN(2)*(1+k%2)), uint8(rng.IntN(2)*(1+k%2))
			}
		}
		undefined.Add(id, pred, ref)
		one.Add(id, pred, ref)
	}
	got, want := dice2DOne(undefined.Summary()), one.Summary().Mean.Dice2D.Value
	if !(math.Abs(got-want) < 1e-12) {
		t.Errorf("%v, want %v", got, want)
	}
	if plain := undefined.Summary().Mean.Dice2D.Value; !(got > plain) {
		t.Errorf("%v without the empty slices, %v with them", plain, got)
	}
}
