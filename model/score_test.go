package model

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

const side = 16 // of the test slices

// network returns a network that sees test slices.
func network(n *unet.Net) Network {
	return Network{Net: n, Preprocess: preprocess.Config{Height: side, Width: side}}
}

// noise returns test slices.
func noise(n int) [][]float32 {
	images, rng := make([][]float32, n), random.Stream(2)
	for i := range images {
		images[i] = make([]float32, side*side)
		for j := range images[i] {
			images[i][j] = float32(rng.NormFloat64())
		}
	}
	return images
}

func tensorOf(image []float32) tensor.Tensor {
	return tensor.Tensor{Shape: tensor.Shape{N: 1, H: side, W: side, C: 1}, Stride: 1, Data: image}
}

// scoresOf returns what Score finds.
func scoresOf(t *testing.T, n Network, images [][]float32, s uncertainty.Score, seed uint64) []float64 {
	t.Helper()
	done := 0
	n.Progress = func(d, of int) {
		if done++; d != done || of != len(images) {
			t.Errorf("%d of %d images are said to be done, want %d of %d", d, of, done, len(images))
		}
	}
	scores, err := n.Score(t.Context(), images, s, random.Stream(seed))
	if err != nil {
		t.Fatal(err)
	}
	if len(scores) != len(images) || done != len(images) {
		t.Fatalf("%d scores of %d images, %d done", len(scores), len(images), done)
	}
	return scores
}

// predictions returns the probabilities of each image.
func predictions(t *testing.T, n *unet.Net, images [][]float32, pass unet.Pass) [][]float32 {
	t.Helper()
	var all [][]float32
	err := network(n).Forward(t.Context(), images, pass, func(i int, probs []float32) error {
		if i != len(all) {
			t.Errorf("image %d comes as number %d", i, len(all))
		}
		all = append(all, slices.Clone(probs))
		return nil
	})
	if err != nil || len(all) != len(images) {
		t.Fatalf("%d predictions of %d images, %v", len(all), len(images), err)
	}
	return all
}

// A slice's prediction must not depend on the slices that it is predicted with.
func TestPredictBatches(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(5))
	images := noise(predictBatch + 3)
	together := predictions(t, n, images, unet.Pass{})
	for i := range images {
		probs := predictions(t, n, images[i:i+1], unet.Pass{})[0]
		for j := range probs {
			if math.Abs(float64(probs[j]-together[i][j])) > 1e-6 {
				t.Fatalf("slice %d alone: probability %d is %v, together %v", i, j, probs[j], together[i][j])
			}
		}
		for j := 0; j < len(probs); j += 3 {
			if sum := probs[j] + probs[j+1] + probs[j+2]; math.Abs(float64(sum)-1) > 1e-5 {
				t.Fatalf("slice %d: probabilities of pixel %d sum to %v", i, j/3, sum)
			}
		}
	}
}

func TestScoreOfOnePass(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 2, Width: 4, Dropout: 0.5}, random.Stream(5))
	images := noise(predictBatch + 1)
	got := scoresOf(t, network(n), images, uncertainty.Score{}, 1)
	m := make([]float32, side*side)
	for i, probs := range predictions(t, n, images, unet.Pass{}) {
		uncertainty.Entropy(m, probs, 2)
		if want := uncertainty.Mean(m); math.Abs(got[i]-want) > 1e-6 {
			t.Errorf("slice %d: score %v, want the mean entropy %v", i, got[i], want)
		}
	}

	passes := uncertainty.Score{Map: uncertainty.JSD, Passes: 3, Dropout: true}
	first := scoresOf(t, network(n), images, passes, 1)
	if !slices.Equal(first, scoresOf(t, network(n), images, passes, 1)) {
		t.Error("dropout: the same stream gave other scores")
	}
	if slices.Equal(first, scoresOf(t, network(n), images, passes, 2)) {
		t.Error("dropout: another stream gave the same scores")
	}
	if slices.Min(first) <= 0 {
		t.Errorf("dropout: passes that differ have divergence 0: %v", first)
	}
	images[3][5] = float32(math.NaN())
	_, err := network(n).Score(t.Context(), images, uncertainty.Score{}, nil)
	if fault, ok := errors.AsType[*ItemError](err); !ok || fault.Item != 3 {
		t.Errorf("an image of NaN: %v", err)
	}
}

// What a score needs and the network does not have is an error.
func TestScoreRefusals(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(5)))
	for _, s := range []uncertainty.Score{{PredictedLoss: true}, {Members: 2}} {
		if _, err := n.Score(t.Context(), noise(1), s, nil); err == nil {
			t.Errorf("%+v of a network alone: no error", s)
		}
	}
	passes := uncertainty.Score{Map: uncertainty.JSD, Passes: 3, Dropout: true} // the network has a dropout of 0
	_, score := n.Score(t.Context(), noise(1), passes, random.Stream(1))
	_, classes := n.ClassScores(t.Context(), noise(1), passes, random.Stream(1))
	_, several := n.networks(passes, random.Stream(1))
	for what, err := range map[string]error{"score": score, "class scores": classes, "several networks": several} {
		if err == nil || !strings.Contains(err.Error(), "dropout of 0") {
			t.Errorf("%s by dropout of a network without: %v", what, err)
		}
	}
	n.Members = [][]float32{n.Net.State()}
	if _, err := n.Score(t.Context(), noise(1), uncertainty.Score{Members: 3}, nil); err == nil {
		t.Error("an ensemble of three by two networks: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Score(ctx, noise(1), uncertainty.Score{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// The score of several passes by their definition: each pass predicted by itself, then the map, then its mean.
func TestScoreOfPasses(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	net := func(seed uint64) *unet.Net {
		return unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(seed))
	}
	n := net(1)
	images := noise(memberBatch + 3)
	check := func(name string, images [][]float32, s uncertainty.Score, passes ...[][]float32) {
		t.Helper()
		if s.ForwardPasses() != len(passes) {
			t.Errorf("%s: %d passes per item, want %d", name, s.ForwardPasses(), len(passes))
		}
		ensemble := network(n)
		ensemble.Members = [][]float32{net(7).State(), net(8).State()} // only used where the score asks for them
		got := scoresOf(t, ensemble, images, s, 3)
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
		dropout = append(dropout, predictions(t, n, few, unet.Pass{Dropout: true, Seed: rng.Uint64()}))
	}
	check("dropout", few, uncertainty.Score{Map: uncertainty.JSD, Passes: 3, Dropout: true}, dropout...)

	before := n.State()
	members := uncertainty.Score{Map: uncertainty.Variance, Members: 3}
	check("ensemble", images, members, predictions(t, n, images, unet.Pass{}),
		predictions(t, net(7), images, unet.Pass{}), predictions(t, net(8), images, unet.Pass{}))
	if !slices.Equal(before, n.State()) {
		t.Error("an ensemble's score left the network with other weights")
	}
}

func TestSigmoid(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := unet.New(e, unet.Config{Classes: 2, Width: 4, Sigmoid: true}, random.Stream(1))
	images := noise(4)
	for i, probs := range predictions(t, n, images, unet.Pass{}) {
		logits := n.Forward(tensorOf(images[i]), unet.Pass{})
		for j, z := range logits.Data {
			if want := 1 / (1 + math.Exp(-float64(z))); math.Abs(float64(probs[j])-want) > 1e-5 {
				t.Fatalf("item %d: probability %d is %v, want %v", i, j, probs[j], want)
			}
		}
	}
	if scores := scoresOf(t, network(n), images, uncertainty.Score{}, 1); slices.Min(scores) <= 0 || slices.Max(scores) > 2/math.E {
		t.Errorf("entropies %v, want numbers above 0 and at most 2/e", scores)
	}
}

func TestPredictedLosses(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4}, random.Stream(1)))
	n.Module = unet.NewLossModule(4, random.Stream(2))
	images := noise(predictBatch + 2)
	for i, got := range scoresOf(t, n, images, uncertainty.Score{PredictedLoss: true}, 1) {
		n.Net.Forward(tensorOf(images[i]), unet.Pass{Features: true})
		if want := float64(n.Module.Forward(n.Net.Features())[0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("item %d: %v, want %v", i, got, want)
		}
	}
	n.Module.Params().Weights[0] = float32(math.NaN())
	_, err := n.Score(t.Context(), images, uncertainty.Score{PredictedLoss: true}, nil)
	if fault, ok := errors.AsType[*ItemError](err); !ok || fault.Item != 0 {
		t.Errorf("a module of NaN: %v", err)
	}
}

// Class scores are made of the same passes as scores: the first is the score by the mean, and of two sigmoids the second counts.
func TestClassScoresOfNetwork(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	images := noise(11)
	n := network(unet.New(e, unet.Config{Classes: 3, Width: 4, Dropout: 0.5}, random.Stream(1)))
	for _, s := range []uncertainty.Score{{}, {Map: uncertainty.JSD, Passes: 3, Dropout: true}} {
		want := scoresOf(t, n, images, s, 4)
		n.Progress = nil
		got, err := n.ClassScores(t.Context(), images, s, random.Stream(4))
		if err != nil || len(got) != len(images) {
			t.Fatal(len(got), err)
		}
		for i := range got {
			if len(got[i]) != 3 || math.Abs(got[i][0]-want[i]) > 1e-6 || !(got[i][1]+got[i][2] < got[i][0]) {
				t.Errorf("%+v, item %d: class scores %v, score %v", s, i, got[i], want[i])
			}
		}
	}
	one, err := n.ClassScores(t.Context(), images[10:], uncertainty.Score{}, nil)
	if all, _ := n.ClassScores(t.Context(), images, uncertainty.Score{}, nil); err != nil || !slices.Equal(one[0], all[10]) {
		t.Errorf("class scores depend on the other images: %v, %v", one, err)
	}

	n = network(unet.New(e, unet.Config{Classes: 3, Width: 4, Sigmoid: true}, random.Stream(1)))
	if _, err := n.ClassScores(t.Context(), images, uncertainty.Score{Name: "clasp"}, nil); err == nil {
		t.Error("three sigmoids have class scores")
	}
	n = network(unet.New(e, unet.Config{Classes: 2, Width: 4, Sigmoid: true}, random.Stream(1)))
	got, err := n.ClassScores(t.Context(), images, uncertainty.Score{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = n.Predict(t.Context(), images, func(i int, probs []float32) error {
		var want [2]float64
		for at := 1; at < len(probs); at += 2 {
			p := float64(probs[at])
			h := -p*math.Log(p) - (1-p)*math.Log(1-p)
			want[0] += 2 * h / float64(len(probs))
			want[1] += 2 * h * p / float64(len(probs))
		}
		if math.Abs(got[i][0]-want[0]) > 1e-6 || math.Abs(got[i][1]-want[1]) > 1e-6 {
			t.Errorf("item %d of two sigmoids: %v, want %v", i, got[i], want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
