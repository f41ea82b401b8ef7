package model

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

// The networks of a pool are the same for all items and calls: an item's predictions do not depend on the items beside it, and what is
// asked of some pixels is what the disagreement was made of.
func TestNetworksAreTheSame(t *testing.T) {
	e := ref.New(2)
	defer e.Close()
	for _, sigmoid := range []bool{false, true} {
		n := network(unet.New(e, unet.Config{Classes: 2, Width: 4, Dropout: 0.5, Sigmoid: sigmoid}, random.Stream(1)))
		images := noise(11)
		spec := query.Spec{Score: uncertainty.Score{Name: "batchbald", Passes: 3, Dropout: true, Map: uncertainty.JSD}, Strategy: needing{Networks: true}}
		p := n.Pool(t.Context(), spec, Candidates{Images: images, Random: random.Stream(3)})
		d, err := p.Disagreement([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
		if err != nil {
			t.Fatal(err)
		}
		pixels := make([]int, side*side)
		for i := range pixels {
			pixels[i] = i
		}
		all, err := p.Probabilities([]int{10, 3}, pixels)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := p.Probabilities([]int{3}, []int{17})
		if err != nil || !slices.Equal(alone[0], all[1][17*6:][:6]) {
			t.Errorf("item 3 alone: %v, %v; beside another one %v", alone, err, all[1][17*6:][:6])
		}
		mean := 0.0
		for pixel := range pixels { // of item 10
			passes, mix := 0.0, [2]float64{}
			for t := range 3 {
				for k := range 2 {
					v := float64(all[0][(pixel*3+t)*2+k])
					passes -= v * math.Log(v) / 3
					mix[k] += v / 3
				}
			}
			mean += (-mix[0]*math.Log(mix[0]) - mix[1]*math.Log(mix[1]) - passes) / (side * side)
		}
		if math.Abs(mean-d.Scores[10]) > 1e-9 || mean < 1e-7 || d.Networks != 3 || d.Classes != 2 || d.Width != side {
			t.Errorf("sigmoid %v: the disagreement on item 10 is %v, of its probabilities %v", sigmoid, d.Scores[10], mean)
		}
		scores, sum := 0.0, 0.0
		for i := range d.Scores {
			scores += d.Scores[i]
		}
		for _, v := range d.Sum {
			sum += v / (side * side)
		}
		if math.Abs(scores-sum) > 1e-9 {
			t.Errorf("the maps sum to %v, the scores to %v", sum, scores)
		}
	}
	n := network(unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5, Sigmoid: true}, random.Stream(1)))
	if _, err := n.networks(uncertainty.Score{Name: "batchbald", Passes: 3, Dropout: true}, random.Stream(1)); err == nil {
		t.Error("three sigmoids have a joint")
	}
}
