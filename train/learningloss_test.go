package train

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/uncertainty"
)

func learningLoss(steps int) Config {
	c := small(steps)
	c.LearningLoss = recipe.LearningLoss{Margin: 1, Weight: 1, Gradient: 0.27, LearningRate: 1e-2, Momentum: 0.9, WeightDecay: 5e-4}
	return c
}

// The module learns which slices are hard: here those whose mask is noise that nothing can predict.
func TestRunLearningLoss(t *testing.T) {
	e := ref.New(2)
	defer e.Close()
	hard := func(i int) bool { return i%2 == 1 }
	slicesOf := func(n int, name string) Set {
		rng := random.Stream(1, name)
		s := discs(n, rng)
		for i := range s.Images {
			if hard(i) { // bright, so that it can be seen, with labels at random
				for j := range s.Images[i] {
					s.Images[i][j] = 1 + float32(rng.NormFloat64())
					s.Labels[i][j] = uint8(rng.IntN(2))
				}
			}
		}
		return s
	}
	r, err := RunLearningLoss(t.Context(), e, learningLoss(100), slicesOf(20, "train"), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var easiest, hardest = math.Inf(-1), math.Inf(1)
	n := model.Network{Net: r.Net, Module: r.Module, Preprocess: preprocess.Config{Height: side, Width: side}}
	predicted, err := n.Score(t.Context(), slicesOf(20, "test").Images, uncertainty.Score{PredictedLoss: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range predicted {
		if hard(i) {
			hardest = min(hardest, l)
		} else {
			easiest = max(easiest, l)
		}
	}
	if !(hardest > easiest) {
		t.Errorf("the hard slices have predicted losses down to %.3f, the easy ones up to %.3f", hardest, easiest)
	}
	mean := func(losses []float64) (m float64) {
		for _, l := range losses {
			m += l / float64(len(losses))
		}
		return m
	}
	if first, last := mean(r.ModuleLosses[:20]), mean(r.ModuleLosses[80:]); len(r.ModuleLosses) != 100 || !(last < first) {
		t.Errorf("%d losses of the module, from %.3f to %.3f", len(r.ModuleLosses), first, last)
	}
}

// The module's gradient reaches the network in the first part of the training, and only there: without such a part the
// network is that of a training without a module, bit for bit, and up to its end the losses differ.
func TestLearningLossGradientIsCut(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	data := discs(6, random.Stream(2))
	const steps = 10
	train := func(gradient float64) *Result {
		c := learningLoss(steps)
		c.LearningLoss.Gradient = gradient
		r, err := RunLearningLoss(t.Context(), e, c, data, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	plain, err := Run(t.Context(), e, learningLoss(steps), data, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Module != nil || plain.ModuleLosses != nil {
		t.Error("Run has a module")
	}
	none, part := train(0), train(0.2)
	if !slices.Equal(none.Net.State(), plain.Net.State()) {
		t.Error("a module whose gradient is cut from the start changed the network")
	}
	if slices.Equal(part.Net.State(), plain.Net.State()) {
		t.Error("the module's gradient did not reach the network")
	}
	if none.ModuleLosses[0] != part.ModuleLosses[0] {
		t.Error("the first loss of the module depends on what comes after")
	}
	if whole := train(1); slices.Equal(whole.Net.State(), part.Net.State()) {
		t.Error("the module's gradient was not cut")
	}
	weightless := learningLoss(steps)
	weightless.LearningLoss.Weight = 0
	if r, err := RunLearningLoss(t.Context(), e, weightless, data, 1, nil); err != nil || !slices.Equal(r.Net.State(), plain.Net.State()) {
		t.Errorf("a module of weight 0 changed the network (%v)", err)
	}
	one := learningLoss(steps)
	one.Batch = 1
	if _, err := RunLearningLoss(t.Context(), e, one, data, 1, nil); err == nil {
		t.Error("a mini-batch of one slice has no pairs, and no error")
	}
}

// In preset paper the module's gradient is cut where it was published to be, by learning loss and by the ranker; another value of the recipe is that of both.
func TestPublishedGradients(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	data := discs(6, random.Stream(2))
	p, err := recipe.FindPreset("paper")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		run func(context.Context, tensor.Engine, Config, Set, uint64, func(Progress)) (*Result, error)
		own float64
	}{"learning loss": {RunLearningLoss, 20. / 75}, "ranker": {RunRanker, 0.6}} {
		train := func(gradient float64) []float32 {
			config := learningLoss(15) // in 4 or 9 steps
			config.LearningLoss.Gradient = gradient
			r, err := c.run(t.Context(), e, config, data, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r.Net.State()
		}
		want := train(c.own)
		if !slices.Equal(train(p.Train.LearningLoss.Gradient), want) || slices.Equal(train(0), want) || slices.Equal(train(0.87-c.own), want) {
			t.Errorf("%s: the gradient is not cut after %v of the training", name, c.own)
		}
	}
}

// What the module learns by is the strategy's own loss unless the recipe names one, which is then that of either.
func TestLossOfTheModule(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	data := discs(6, random.Stream(2))
	losses := func(run func(context.Context, tensor.Engine, Config, Set, uint64, func(Progress)) (*Result, error), name string) []float64 {
		c := learningLoss(3)
		c.LearningLoss.Loss = name
		r, err := run(t.Context(), e, c, data, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.ModuleLosses
	}
	hinge, rank := losses(RunLearningLoss, ""), losses(RunRanker, "")
	if slices.Equal(hinge, rank) {
		t.Fatal("both strategies have one loss")
	}
	if !slices.Equal(losses(RunLearningLoss, recipe.Hinge), hinge) || !slices.Equal(losses(RunRanker, recipe.RankNet), rank) {
		t.Error("the strategy's own loss by its name is another")
	}
	if !slices.Equal(losses(RunLearningLoss, recipe.RankNet), rank) || !slices.Equal(losses(RunRanker, recipe.Hinge), hinge) {
		t.Error("the recipe's loss is not that of the module")
	}
}
