package model

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
)

// scoresNamed returns what a strategy's score is for the images.
func scoresNamed(t *testing.T, n Network, name string, images [][]float32) []float64 {
	t.Helper()
	spec, err := query.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return scoresOf(t, n, images, spec.Score, 3)
}

// Every option of a score arrives where it is computed.
func TestScoreOptions(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	newNet := func(seed uint64) *unet.Net {
		return unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(seed))
	}
	net, images := newNet(1), noise(9)
	same, other := network(net), network(net)
	same.Members, other.Members = [][]float32{net.State(), net.State()}, [][]float32{newNet(2).State()}

	each := func(what string, a, b []float64, holds func(a, b float64) bool) {
		t.Helper()
		for i := range a {
			if !holds(a[i], b[i]) {
				t.Errorf("%s: image %d has %v and %v", what, i, a[i], b[i])
			}
		}
	}
	less := func(a, b float64) bool { return a < b }
	mean := scoresNamed(t, same, "entropy", images)
	each("mean < top fraction", mean, scoresNamed(t, same, "entropy(aggregation=top)", images), less)
	each("fraction 0.5 < 0.1", scoresNamed(t, same, "entropy(aggregation=top,fraction=0.5)", images), scoresNamed(t, same, "entropy(aggregation=top)", images), less)
	each("top fraction < max", scoresNamed(t, same, "entropy(aggregation=top)", images), scoresNamed(t, same, "entropy(aggregation=max)", images), less)
	each("least confidence < margin", scoresNamed(t, same, "least-confidence", images), scoresNamed(t, same, "margin", images), less)

	none := make([]float64, len(images))
	nothing := func(a, b float64) bool { return a < 1e-7 && b == 0 }
	for _, name := range []string{"dropout", "tta"} {
		each(name, none, scoresNamed(t, same, name+"(passes=3)", images), less)
		each(name+"'s variance", scoresNamed(t, same, name+"(map=variance,passes=3)", images), scoresNamed(t, same, name+"(passes=3)", images), less)
	}
	each("an ensemble of equals", scoresNamed(t, same, "ensemble(members=3)", images), none, nothing)
	each("an ensemble", none, scoresNamed(t, other, "ensemble(members=2)", images), less)
	if after := scoresNamed(t, same, "entropy", images); !slices.Equal(mean, after) {
		t.Errorf("the network has changed: entropy %v before, %v after", mean, after)
	}
}
