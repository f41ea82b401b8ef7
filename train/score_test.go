package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/nn/unet"
)

// scoresOf returns what Score finds.
func scoresOf(t *testing.T, n *unet.Net, h, w int, images [][]float32, s Scoring, seed uint64) []float64 {
	t.Helper()
	var scores []float64
	err := Score(t.Context(), n, h, w, images, s, random.Stream(seed), func(i int, score float64) error {
		if i != len(scores) {
			t.Errorf("score %d comes as number %d", i, len(scores))
		}
		scores = append(scores, score)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// predictions returns the probabilities of each image.
func predictions(t *testing.T, n *unet.Net, h, w int, images [][]float32, pass unet.Pass) [][]float32 {
	t.Helper()
	var all [][]float32
	err := Predict(t.Context(), n, h, w, images, pass, func(_ int, probs []float32) error {
		all = append(all, slices.Clone(probs))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The score of several passes by their definition: each pass predicted by itself, then the map, then its mean.
func TestScoreOfPasses(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	net := func(seed uint64) *unet.Net {
		return unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(seed))
	}
	n := net(1)
	images := discs(memberBatch+3, random.Stream(2)).Images
	check := func(name string, images [][]float32, s Scoring, passes ...[][]float32) {
		t.Helper()
		if s.PerItem() != len(passes) {
			t.Errorf("%s: %d passes per item, want %d", name, s.PerItem(), len(passes))
		}
		got := scoresOf(t, n, side, side, images, s, 3)
		sum, m := uncertainty.NewPasses(s.Map, side*side, 3), make([]float32, side*side)
		for i := range images {
			sum.Reset()
			for _, p := range passes {
				sum.Add(p[i])
			}
			sum.Map(m)
			if want := uncertainty.Mean(m); math.Abs(got[i]-want) > 1e-6 {
				t.Errorf("%s: item %d: score %v, want %v", name, i, got[i], want)
			}
		}
	}

	few := images[:predictBatch-1]
	rng := random.Stream(3)
	var dropout [][][]float32
	for range 3 {
		dropout = append(dropout, predictions(t, n, side, side, few, unet.Pass{Dropout: true, Seed: rng.Uint64()}))
	}
	check("dropout", few, Scoring{Config: uncertainty.Config{Map: uncertainty.JSD}, Passes: 3, Dropout: true}, dropout...)

	before := n.State()
	members := Scoring{Config: uncertainty.Config{Map: uncertainty.Variance}, Members: [][]float32{net(7).State(), net(8).State()}}
	check("ensemble", images, members, predictions(t, n, side, side, images, unet.Pass{}),
		predictions(t, net(7), side, side, images, unet.Pass{}), predictions(t, net(8), side, side, images, unet.Pass{}))
	if !slices.Equal(before, n.State()) {
		t.Error("an ensemble's score left the network with other weights")
	}
}

// Probabilities of a network that was trained with sigmoids are sigmoids.
func TestSigmoid(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	c := small(2)
	c.Loss.Kind = Sigmoid
	data := discs(4, random.Stream(1))
	r, err := Run(t.Context(), e, c, data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, probs := range predictions(t, r.Net, side, side, data.Images, unet.Pass{}) {
		logits := r.Net.Forward(tensorOf(data.Images[i], side, side), unet.Pass{})
		for j, z := range logits.Data {
			if want := 1 / (1 + math.Exp(-float64(z))); math.Abs(float64(probs[j])-want) > 1e-5 {
				t.Fatalf("item %d: probability %d is %v, want %v", i, j, probs[j], want)
			}
		}
	}
	if scores := scoresOf(t, r.Net, side, side, data.Images, Scoring{}, 1); slices.Min(scores) <= 0 || slices.Max(scores) > 2/math.E {
		t.Errorf("entropies %v, want numbers above 0 and at most 2/e", scores)
	}
}

func TestPredictedLosses(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(1))
	module := unet.NewLossModule(4, random.Stream(2))
	images := discs(predictBatch+2, random.Stream(3)).Images
	for i, got := range losses(t, n, module, images) {
		n.Forward(tensorOf(images[i], side, side), unet.Pass{Features: true})
		if want := float64(module.Forward(n.Features())[0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("item %d: %v, want %v", i, got, want)
		}
	}
	module.Params().Weights[0] = float32(math.NaN())
	err := PredictedLosses(t.Context(), n, module, side, side, images, func(int, float64) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "item 0") {
		t.Errorf("a module of NaN: %v", err)
	}
}

func losses(t *testing.T, n *unet.Net, module *unet.LossModule, images [][]float32) []float64 {
	t.Helper()
	var predicted []float64
	err := PredictedLosses(t.Context(), n, module, side, side, images, func(_ int, loss float64) error {
		predicted = append(predicted, loss)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return predicted
}
