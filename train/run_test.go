package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

const side = 16 // of the test slices

// discs returns slices of a bright disc of random place and size on a noisy ground, with its mask.
func discs(n int, rng *rand.Rand) Set {
	s := Set{H: side, W: side, Classes: 2}
	for range n {
		image, labels := make([]float32, side*side), make([]uint8, side*side)
		y, x, r := 5+6*rng.Float64(), 5+6*rng.Float64(), 2+2*rng.Float64()
		for i := range image {
			image[i] = float32(0.3 * rng.NormFloat64())
			if math.Hypot(float64(i/side)-y, float64(i%side)-x) < r {
				image[i], labels[i] = image[i]+2, 1
			}
		}
		s.Images, s.Labels = append(s.Images, image), append(s.Labels, labels)
	}
	return s
}

// small is a training of a second on the plain-Go engine.
func small(steps int) Config {
	return Config{
		Width: 4, Dropout: 0.1, Steps: steps, Batch: 4,
		LearningRate: recipe.Schedule{First: 1e-3, Peak: 1e-2, Last: 1e-4, WarmUp: 0.2},
		Loss:         recipe.Loss{Kind: recipe.Softmax, CrossEntropy: 0.5, Dice: 0.5, Smooth: 1},
		Augment:      recipe.Augment{Noise: 0.05, NoiseProbability: 0.5, Rotate: 10},
	}
}

func TestRunLearns(t *testing.T) {
	e := ref.New(2)
	defer e.Close()
	ctx := t.Context()
	data := discs(20, random.Stream(1, "train"))
	var reports []Progress
	r, err := Run(ctx, e, small(100), data, 1, func(p Progress) { reports = append(reports, p) })
	if err != nil {
		t.Fatal(err)
	}
	if len(reports) != 100 || reports[99].Step != 100 || reports[99].Of != 100 || reports[99].Left != 0 || reports[99].Loss != r.Losses[99] {
		t.Errorf("%d reports, the last %+v", len(reports), reports[len(reports)-1])
	}

	test := discs(10, random.Stream(1, "test"))
	var dice float64
	n := model.Network{Net: r.Net, Preprocess: preprocess.Config{Height: side, Width: side}}
	err = n.Predict(ctx, test.Images, func(i int, probs []float32) error {
		labels := make([]uint8, side*side)
		preprocess.Argmax(labels, probs, 2)
		d, _ := metrics.Dice(labels, test.Labels[i], 1)
		dice += d / 10
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if dice < 0.8 {
		t.Errorf("Dice %.3f on slices that were not trained on, want at least 0.8", dice)
	}
}

// A class that nobody has looked for in some slices, where it is background in the mask, is learnt from the others; without knowing it is not.
func TestRunUnannotated(t *testing.T) {
	e := ref.New(2)
	defer e.Close()
	data := discs(20, random.Stream(1, "train"))
	data.Unannotated = make([][]bool, 20)
	for i := range 15 {
		clear(data.Labels[i])
		data.Unannotated[i] = []bool{false, true}
	}
	unknown := data
	unknown.Unannotated = nil
	found := func(data Set) int {
		r, err := Run(t.Context(), e, small(120), data, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := model.Network{Net: r.Net, Preprocess: preprocess.Config{Axis: 2, Height: side, Width: side, Fit: preprocess.Pad, ClipHigh: 100}}
		count := 0
		err = n.Predict(t.Context(), discs(8, random.Stream(2, "test")).Images, func(_ int, probs []float32) error {
			for i := 1; i < len(probs); i += 2 {
				if probs[i] > 0.5 {
					count++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	want := 0
	for _, mask := range discs(8, random.Stream(2, "test")).Labels {
		for _, v := range mask {
			want += int(v)
		}
	}
	if got := found(data); got < want/2 || got > want*3/2 {
		t.Errorf("%d pixels of the discs are found, there are %d", got, want)
	}
	if got := found(unknown); got > want/2 {
		t.Errorf("%d pixels are found of %d although most slices say that there is none: the test tells nothing", got, want)
	}

	nothing := discs(4, random.Stream(1, "train"))
	for i := range nothing.Labels {
		clear(nothing.Labels[i])
		nothing.Unannotated = append(nothing.Unannotated, []bool{false, true})
	}
	r, err := Run(t.Context(), e, small(5), nothing, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range r.Losses {
		if loss != 0 {
			t.Errorf("nothing is annotated, and the losses are %v", r.Losses)
			break
		}
	}
}

func TestRunIsDeterministic(t *testing.T) {
	data := discs(6, random.Stream(2))
	weights := func(seed uint64) []float32 {
		e := ref.New(1)
		defer e.Close()
		r, err := Run(t.Context(), e, small(5), data, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Net.Params().Weights
	}
	first := weights(7)
	if !slices.Equal(first, weights(7)) {
		t.Error("the same seed gave other weights")
	}
	if slices.Equal(first, weights(8)) {
		t.Error("another seed gave the same weights")
	}
}

func TestRunCancelled(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	_, err := Run(ctx, e, small(50), discs(4, random.Stream(3)), 1, func(Progress) {
		if steps++; steps == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || steps != 3 {
		t.Errorf("error %v after %d steps", err, steps)
	}
}

func TestRunRefusesNaNLoss(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	data := discs(4, random.Stream(4))
	c := small(20)
	c.LearningRate.Peak, c.LearningRate.First = 1e30, 1e30
	_, err := Run(t.Context(), e, c, data, 1, nil)
	if err == nil || !strings.Contains(err.Error(), "learning-rate.peak") {
		t.Errorf("got %v, want an error that says what to lower", err)
	}
}

// A network that has learned discs finds those of a ball, across any axis: a transposed or shifted way to the canvas or
// back would cost most of the Dice.
func TestEvaluateOnOwnGrid(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	data := discs(20, random.Stream(1, "train"))
	r, err := Run(t.Context(), e, small(100), data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for axis := range 3 {
		grid := volume.Grid{Size: [3]int{14, 13, 12}, Unit: "mm"}
		for a := range 3 {
			grid.Affine[a][a] = float64(a + 1)
		}
		v := &volume.Volume{Grid: grid, Data: make([]float32, grid.Len())}
		mask := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
		for x := range v.Data {
			i, j, k := x%14, x/14%13, x/14/13
			if math.Hypot(math.Hypot(float64(i-7), float64(j-6)), float64(k-6)) < 4 {
				v.Data[x], mask.Data[x] = 2, 1
			}
		}
		p := preprocess.Config{Axis: axis, Height: side, Width: side, Fit: preprocess.Pad, ClipLow: 0, ClipHigh: 100}
		c := model.Case{ID: "ball", Grid: grid, Ref: mask}
		for k := range p.Slices(grid) {
			c.Images = append(c.Images, p.Image(v.Data, grid, k))
		}
		done := 0
		n := model.Network{Net: r.Net, Preprocess: p, Progress: func(n, of int) { done += n + 10*of }}
		s, err := n.Evaluate(t.Context(), []model.Case{c}, model.Evaluation{Classes: []string{"background", "ball"}})
		if err != nil {
			t.Fatal(err)
		}
		if done != 11 || s.Cases != 1 || s.Unit != "mm" {
			t.Errorf("axis %d: %d reported, %d cases, unit %q", axis, done, s.Cases, s.Unit)
		}
		if d := s.Mean.Dice3D.Value; !(d > 0.85) {
			t.Errorf("axis %d: Dice %v, want at least 0.85", axis, d)
		}
	}
}

// No loss tells of what the last step did.
func TestRunRefusesNonFiniteWeights(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	c := small(3)
	c.LearningRate.Last, c.LearningRate.WarmUp = 1e39, 0 // infinite in single precision
	c.LearningRate.First, c.LearningRate.Peak = 1e-3, 1e-3
	data := discs(4, random.Stream(1, "weights"))
	steps := 0
	if _, err := Run(t.Context(), e, c, data, 1, func(Progress) { steps++ }); err == nil || !strings.Contains(err.Error(), "lower learning-rate") {
		t.Errorf("after %d steps: %v", steps, err)
	}
	c.Steps = 1
	c.LearningRate.First, c.LearningRate.Peak = 1e39, 1e39
	if _, err := Run(t.Context(), e, c, data, 1, nil); err == nil || !strings.Contains(err.Error(), "a weight became") {
		t.Errorf("one step: %v", err)
	}
}

// Deep supervision changes the training and nothing of the network's form; several channels are the network's input.
func TestRunDeepOnChannels(t *testing.T) {
	e := ref.New(2)
	defer e.Close()
	data := discs(8, random.Stream(1, "train"))
	for i, image := range data.Images {
		data.Images[i] = slices.Concat(image, data.Images[(i+1)%8][:side*side], image)
	}
	c := small(6)
	plain, err := Run(t.Context(), e, c, data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Deep = true
	deep, err := Run(t.Context(), e, c, data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := deep.Net.Config(); got.Channels != 3 || got != plain.Net.Config() {
		t.Errorf("networks %+v and, with deep supervision, %+v: want the same, of 3 channels", plain.Net.Config(), got)
	}
	if plain.Losses[0] != deep.Losses[0] || plain.Losses[5] == deep.Losses[5] {
		t.Errorf("losses %v and, with deep supervision, %v: want them to part after the first step", plain.Losses, deep.Losses)
	}
}
