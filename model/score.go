package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/uncertainty"
)

// memberBatch is the number of slices that one member of an ensemble predicts before the next one's weights are put in.
const memberBatch = 8 * predictBatch

// Score returns the score of each image, in the order of images: higher = label sooner. Dropout masks and augmentations
// come from rng, which is not used without them.
//
// Dropout: batch norm stands on its running statistics (Gal, Ghahramani 2016, "Dropout as a Bayesian approximation",
// ICML). Members: one pass of the network itself and one of each of n.Members, which must be s.Members - 1 (Beluch,
// Genewein, Nürnberger, Köhler 2018, "The power of ensembles for active learning in image classification", CVPR).
// PredictedLoss: by n.Module, and only the encoder is run (Yoo, Kweon 2019, "Learning loss for active learning", CVPR).
//
// A probability or a predicted loss that is not finite is an *[ItemError]; a network that lacks what s needs is an error.
// Score ends with ctx's error between two mini-batches.
func (n Network) Score(ctx context.Context, images [][]float32, s uncertainty.Score, rng *rand.Rand) ([]float64, error) {
	if err := n.checkScore(s); err != nil {
		return nil, err
	}
	if s.PredictedLoss {
		return n.predictedLosses(ctx, images)
	}
	// Between two passes other goroutines add up the last one. Without the lock Go goes on with this one on the thread of whichever
	// ends last, often on the core of another thread of the engine.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := n.newScorer(s, rng)
	if s.ClassWeights {
		return collect(ctx, p, images, n.weighted, nil, n.done)
	}
	if p.isMeanEntropy() {
		return collect(ctx, p, images, (*uncertainty.Scorer).Score, p.entropies, n.done)
	}
	return collect(ctx, p, images, (*uncertainty.Scorer).Score, nil, n.done)
}

// ClassScores returns K numbers for each image, as uncertainty.Scorer.ClassScores has them, by the passes and the map of s. A network
// with a sigmoid for each class has no probabilities that sum to 1, unless there are two: see bySigmoids.
//
// Errors are those of [Network.Score].
func (n Network) ClassScores(ctx context.Context, images [][]float32, s uncertainty.Score, rng *rand.Rand) ([][]float64, error) {
	if err := n.checkScore(s); err != nil {
		return nil, err
	}
	if err := n.bySigmoids(s.Name); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := n.newScorer(s, rng)
	p.sigmoids = n.sigmoid()
	return collect(ctx, p, images, func(item *uncertainty.Scorer) ([]float64, error) {
		scores := make([]float64, n.Classes())
		return scores, item.ClassScores(scores)
	}, nil, n.done)
}

// Serves returns an error unless a strategy can be carried out with the network, as far as its weights are enough for that. One of an ONNX file serves what ServesForeign says.
func (n Network) Serves(s query.Spec) error {
	if n.Foreign != nil {
		if err := ServesForeign(s); err != nil {
			return err
		}
		return s.CheckClasses(n.sigmoid(), n.Classes())
	}
	if err := n.checkDropout(s.Score); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return s.CheckClasses(n.sigmoid(), n.Classes())
}

// checkScore returns an error if the network lacks what s needs.
func (n Network) checkScore(s uncertainty.Score) error {
	switch {
	case n.Foreign != nil && (s.Dropout || s.Members > 0 || s.PredictedLoss):
		return errInside
	case s.PredictedLoss && n.Module == nil:
		return errors.New("model: the network was trained without the module that predicts losses")
	case s.ClassWeights && len(n.Weights) != n.Classes():
		return fmt.Errorf("model: %d class weights for a network of %d classes", len(n.Weights), n.Classes())
	case s.Members > 0 && len(n.Members) != s.Members-1:
		return fmt.Errorf("model: an ensemble of %d needs %d networks beside the first, got %d", s.Members, s.Members-1, len(n.Members))
	}
	return n.checkDropout(s)
}

// checkDropout returns an error if s is of passes with dropout and the network has none: they would all be the same, and a ranking of rounding errors.
func (n Network) checkDropout(s uncertainty.Score) error {
	if s.Dropout && n.Net.Config().Dropout == 0 {
		return errors.New("the network was trained with a dropout of 0, so that all passes are the same: take one with dropout, or a strategy of single passes or test-time augmentation, such as entropy+sb or tta+sb")
	}
	return nil
}

// bySigmoids returns an error if the network has a sigmoid for each of more than two classes. Of two the second one's counts, as
// distribution makes it of them.
func (n Network) bySigmoids(strategy string) error {
	if n.sigmoid() && n.Classes() > 2 {
		return fmt.Errorf("%s: the probabilities of %d sigmoids need not sum to 1: train with loss.kind softmax", strategy, n.Classes())
	}
	return nil
}

// distribution makes of the probabilities of two sigmoids, [pixels 2], those of two classes: (1 - p₁, p₁).
func distribution(probs []float32) {
	for i := 0; i < len(probs); i += 2 {
		probs[i] = 1 - probs[i+1]
	}
}

// weighted returns the variances of the passes' classes, weighted.
func (n Network) weighted(item *uncertainty.Scorer) (float64, error) {
	variances := make([]float64, n.Classes())
	if err := item.ClassVariances(variances); err != nil {
		return 0, err
	}
	score := 0.0
	for k, v := range variances {
		score += n.Weights[k] * v
	}
	return score, nil
}

// classWeights returns those of classes by how much of each is in masks: the inverse of their shares, 0 for the background, their sum 1.
// A class that is in none counts as if it had one pixel.
func classWeights(masks [][]uint8, classes int) []float64 {
	weights, sum := make([]float64, classes), 0.0
	for _, mask := range masks {
		for _, class := range mask {
			if int(class) < classes { // else it is ignored
				weights[class]++
			}
		}
	}
	for k := 1; k < classes; k++ {
		weights[k] = 1 / max(1, weights[k])
		sum += weights[k]
	}
	weights[0] = 0
	for k := range weights {
		weights[k] /= sum
	}
	return weights
}

// predictedLosses returns the loss that the module predicts for each image.
func (n Network) predictedLosses(ctx context.Context, images [][]float32) ([]float64, error) {
	p := newPredictor(n)
	losses := make([]float64, 0, len(images))
	err := p.batches(ctx, images, func(int) error {
		n.Net.Forward(p.x, unet.Pass{Features: true, Encoder: true})
		for _, loss := range n.Module.Forward(n.Net.Features()) {
			l := float64(loss)
			if math.IsNaN(l) || math.IsInf(l, 0) {
				return &ItemError{len(losses), fmt.Errorf("the predicted loss is %v; the loss module has diverged", l)}
			}
			losses = append(losses, l)
			n.done(len(losses), len(images))
		}
		return nil
	})
	return losses, err
}

// Ranks returns the sigmoid of the loss that the module predicts for each image: a number in (0, 1), of which only the order means something where the module
// was trained to rank.
func (n Network) Ranks(ctx context.Context, images [][]float32) ([]float64, error) {
	if n.Module == nil {
		return nil, errors.New("model: the network was trained without the module that ranks")
	}
	n.Progress = nil
	ranks, err := n.predictedLosses(ctx, images)
	for i, r := range ranks {
		ranks[i] = 1 / (1 + math.Exp(-r))
	}
	return ranks, err
}

// scorer adds up the passes of a group of items.
type scorer struct {
	predictor
	score   uncertainty.Score
	rng     *rand.Rand
	states  [][]float32 // of all members of an ensemble, the network itself first
	items   []*uncertainty.Scorer
	entropy tensor.Tensor // of the mini-batch [N H W 1]

	sigmoids bool // of which distribution makes probabilities

	change  augmentation
	turns   []rotation // of the items of a mini-batch
	changed []float32  // an image, [C H W]
	back    []turned
}

func (n Network) newScorer(s uncertainty.Score, rng *rand.Rand) *scorer {
	p := &scorer{predictor: newPredictor(n), score: s, rng: rng, change: standardAugmentation}
	if s.Members > 0 {
		p.states = append([][]float32{n.Net.State()}, n.Members...)
	}
	return p
}

// collect returns what of makes of the passes of each image. short, if not nil, does instead of the passes what a mini-batch of plain
// ones can be spared; it may ask for an item by the passes all the same.
func collect[T any](ctx context.Context, p *scorer, images [][]float32, of func(*uncertainty.Scorer) (T, error),
	short func(to []T, ask func(i int)) error, done func(done, of int)) ([]T, error) {
	group := predictBatch
	if p.states != nil {
		group = memberBatch
		defer p.Net.SetState(p.states[0])
	}
	for range min(group, len(images)) {
		p.items = append(p.items, uncertainty.NewScorer(p.score, p.h, p.w, p.Classes()))
	}
	all := make([]T, 0, len(images))
	for begin := 0; begin < len(images); begin += group {
		some := images[begin:min(begin+group, len(images))]
		scores, faults := make([]T, len(some)), make([]error, len(some))
		var err error
		score := func(i int) { scores[i], faults[i] = of(p.items[i]) }
		if short != nil {
			err = p.batches(ctx, some, func(int) error { return short(scores, score) })
		} else if err = p.run(ctx, some); err == nil {
			p.parallel(len(some), score)
		}
		if err != nil {
			return nil, err
		}
		for i, score := range scores {
			if faults[i] != nil {
				return nil, &ItemError{begin + i, faults[i]}
			}
			all = append(all, score)
			done(len(all), len(images))
		}
	}
	return all, nil
}

// isMeanEntropy reports whether the score is the mean entropy of one plain pass, which the engine computes.
func (p *scorer) isMeanEntropy() bool {
	s := p.score
	return p.Foreign == nil && s.ForwardPasses() == 1 && !s.Dropout && (s.Map == "" || s.Map == uncertainty.EntropyMap) &&
		(s.Aggregation == "" || s.Aggregation == uncertainty.ByMean)
}

func (p *scorer) run(ctx context.Context, images [][]float32) error {
	for _, item := range p.items {
		item.Reset()
	}
	if p.states == nil {
		return p.batches(ctx, images, func(int) error {
			p.passes(images)
			return nil
		})
	}
	for _, state := range p.states {
		p.Net.SetState(state)
		err := p.batches(ctx, images, func(begin int) error {
			p.add(begin, p.probabilities(unet.Pass{}))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entropies writes the mean entropies of the mini-batch, which is loaded. For an item without one it asks score, which knows why.
func (p *scorer) entropies(scores []float64, score func(i int)) error {
	probs := p.probabilities(unet.Pass{})
	h := p.entropyOf(probs)
	p.parallel(probs.N, func(i int) {
		scores[i] = uncertainty.Mean(h(i))
		if math.IsNaN(scores[i]) {
			p.items[i].Reset()
			p.items[i].Add(probs.Items(i, i+1).Data, nil)
			score(i)
		}
	})
	return nil
}

// entropyOf computes the entropies of the mini-batch's pixels and returns a function that gives those of an item.
func (p *scorer) entropyOf(probs tensor.Tensor) func(i int) []float32 {
	p.entropy.Resize(tensor.Shape{N: probs.N, H: p.h, W: p.w, C: 1})
	p.Net.Entropy(p.entropy.Data, probs)
	return func(i int) []float32 { return p.entropy.Items(i, i+1).Data }
}

// passes runs those of one mini-batch, which is loaded.
func (p *scorer) passes(images [][]float32) {
	for t := range p.score.ForwardPasses() {
		switch {
		case p.score.Dropout:
			p.add(0, p.probabilities(unet.Pass{Dropout: true, Seed: p.rng.Uint64(), SameImages: t > 0}))
		case t > 0 && p.score.Augment:
			p.augmented(images)
		default:
			p.add(0, p.probabilities(unet.Pass{}))
		}
	}
}

// add counts one pass of a mini-batch whose first item is begin.
func (p *scorer) add(begin int, probs tensor.Tensor) {
	if p.sigmoids {
		distribution(probs.Data)
	}
	entropy := func(int) []float32 { return nil }
	if p.Foreign == nil && p.score.Map.UsesPassEntropies() {
		entropy = p.entropyOf(probs)
	}
	p.parallel(probs.N, func(i int) { p.items[begin+i].AddWithEntropy(probs.Items(i, i+1).Data, entropy(i), nil) })
}

// parallel calls f for 0 … n-1 on as many goroutines as the network's engine has threads, which are idle meanwhile.
func (p *scorer) parallel(n int, f func(i int)) { parallel.For(n, p.threads(), f) }
