package scoring_test

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/scoring"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/nn/unet"
)

const h, w, width, classes = 8, 16, 4, 3

func newNet(seed uint64, dropout float64) *unet.Net {
	return unet.New(ref.New(1), unet.Config{Classes: classes, Width: width, Dropout: dropout}, random.Stream(seed))
}

func newImages(n int) [][]float32 {
	images, rng := make([][]float32, n), random.Stream(7)
	for i := range images {
		images[i] = make([]float32, h*w)
		for j := range images[i] {
			images[i][j] = float32(rng.NormFloat64())
		}
	}
	return images
}

// scores returns what a strategy's score is for the images.
func scores(t *testing.T, n scoring.Network, name string, images [][]float32) []float64 {
	t.Helper()
	spec, err := query.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	err = n.Score(t.Context(), spec.Score, images, random.Stream(3), func(i int, score float64) error {
		if i != len(all) {
			t.Errorf("%s: score %d comes as number %d", name, i, len(all))
		}
		all = append(all, score)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(all) != len(images) {
		t.Fatalf("%s: %d scores of %d images", name, len(all), len(images))
	}
	return all
}

// Every option of a score arrives where it is computed.
func TestScore(t *testing.T) {
	net, images := newNet(1, 0.5), newImages(9)
	same := scoring.Network{Net: net, H: h, W: w, Members: [][]float32{net.State(), net.State()}}
	other := scoring.Network{Net: net, H: h, W: w, Members: [][]float32{newNet(2, 0.5).State()}}

	each := func(what string, a, b []float64, holds func(a, b float64) bool) {
		t.Helper()
		for i := range a {
			if !holds(a[i], b[i]) {
				t.Errorf("%s: image %d has %v and %v", what, i, a[i], b[i])
			}
		}
	}
	less := func(a, b float64) bool { return a < b }
	mean := scores(t, same, "entropy", images)
	each("mean < top fraction", mean, scores(t, same, "entropy(aggregation=top)", images), less)
	each("fraction 0.5 < 0.1", scores(t, same, "entropy(aggregation=top,fraction=0.5)", images), scores(t, same, "entropy(aggregation=top)", images), less)
	each("top fraction < max", scores(t, same, "entropy(aggregation=top)", images), scores(t, same, "entropy(aggregation=max)", images), less)
	each("least confidence < margin", scores(t, same, "least-confidence", images), scores(t, same, "margin", images), less)

	none := make([]float64, len(images))
	nothing := func(a, b float64) bool { return a < 1e-7 && b == 0 }
	for _, name := range []string{"dropout", "tta"} {
		each(name, none, scores(t, same, name+"(passes=3)", images), less)
		each(name+"'s variance", scores(t, same, name+"(map=variance,passes=3)", images), scores(t, same, name+"(passes=3)", images), less)
	}
	each("dropout of nothing", scores(t, scoring.Network{Net: newNet(1, 0), H: h, W: w}, "dropout(passes=3)", images), none, nothing)
	each("an ensemble of equals", scores(t, same, "ensemble(members=3)", images), none, nothing)
	each("an ensemble", none, scores(t, other, "ensemble(members=2)", images), less)
	if after := scores(t, same, "entropy", images); !slices.Equal(mean, after) {
		t.Errorf("the network has changed: entropy %v before, %v after", mean, after)
	}

	var want []float64
	module := unet.NewLossModule(width, random.Stream(4))
	err := train.PredictedLosses(t.Context(), net, module, h, w, images, func(_ int, loss float64) error {
		want = append(want, loss)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := scores(t, scoring.Network{Net: net, H: h, W: w, Module: module}, "learning-loss", images); !slices.Equal(got, want) {
		t.Errorf("learning loss: %v, want %v", got, want)
	}
}

func TestFeatures(t *testing.T) {
	n, images := scoring.Network{Net: newNet(1, 0.5), H: h, W: w}, newImages(5)
	for f, size := range map[query.Features]int{query.Bottleneck: 8 * width, query.Gradient: width * classes} {
		next := 0
		err := n.Features(t.Context(), f, images, func(i int, vector []float32) error {
			if i != next || len(vector) != size {
				t.Errorf("%s: vector %d, of %d, comes as number %d; want %d", f, i, len(vector), next, size)
			}
			next++
			return nil
		})
		if err != nil || next != len(images) {
			t.Errorf("%s: %d vectors, error %v", f, next, err)
		}
	}
	if err := n.Features(t.Context(), query.NoFeatures, images, nil); err == nil {
		t.Error("no features: no error")
	}
}
