package train

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/uncertainty"
	"github.com/nextslice/nextslice/nn/unet"
)

// Scoring says how a network scores items by the uncertainty of its predictions. The zero value is the entropy of one
// deterministic pass, averaged over the image.
type Scoring struct {
	uncertainty.Config // which map, and how it becomes a number

	// Passes is T, the number of forward passes; 0 is 1. They differ by what is set below.
	Passes int
	// Dropout makes every pass one with dropout active and batch norm on its running statistics (Monte Carlo dropout:
	// Gal, Ghahramani 2016, "Dropout as a Bayesian approximation", ICML).
	Dropout bool
	// TTA makes every pass but the first one of a changed image.
	TTA TTA
	// Members are the states (unet.Net.State) of further networks: the passes of an ensemble are one of the network's
	// own and one of each of them (Beluch, Genewein, Nürnberger, Köhler 2018, "The power of ensembles for active
	// learning in image classification", CVPR). Passes is not used then.
	Members [][]float32
}

// PerItem returns the number of forward passes for each item.
func (s Scoring) PerItem() int { return max(1, s.Passes, 1+len(s.Members)) }

// meanEntropy reports whether the score is the mean entropy of one plain pass, which the engine computes.
func (s Scoring) meanEntropy() bool {
	return s.PerItem() == 1 && !s.Dropout && (s.Map == "" || s.Map == uncertainty.EntropyMap) &&
		(s.Aggregation == "" || s.Aggregation == uncertainty.ByMean)
}

// ItemError says which image has no score.
type ItemError struct {
	Item int // index in the images
	Err  error
}

func (e *ItemError) Error() string { return e.Err.Error() }
func (e *ItemError) Unwrap() error { return e.Err }

// memberBatch is the number of slices that one member of an ensemble predicts before the next one's weights are put in.
const memberBatch = 8 * predictBatch

// Score calls each with the score of each image, in the order of images: higher = label sooner. Dropout masks and
// augmentations come from rng, which is not used without them. A probability that is not finite is an *ItemError. Score
// ends with ctx's error between two batches, and with the first error of each.
func Score(ctx context.Context, n *unet.Net, h, w int, images [][]float32, s Scoring, rng *rand.Rand, each func(i int, score float64) error) error {
	// Between two passes other goroutines add up the last one. Without the lock Go goes on with this one on the thread of whichever
	// ends last, often on the core of another thread of the engine.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := scorer{predictor: predictor{net: n, h: h, w: w}, scoring: s, rng: rng}
	group := predictBatch
	if len(s.Members) > 0 {
		group = memberBatch
		own := n.State()
		defer n.SetState(own)
		p.states = append([][]float32{own}, s.Members...)
	}
	for range min(group, len(images)) {
		p.items = append(p.items, uncertainty.NewScorer(s.Config, h, w, n.Config().Classes))
	}
	for begin := 0; begin < len(images); begin += group {
		part := images[begin:min(begin+group, len(images))]
		scores, faults := make([]float64, len(part)), make([]error, len(part))
		var err error
		score := func(i int) { scores[i], faults[i] = p.items[i].Score(begin + i) }
		if s.meanEntropy() {
			err = p.batches(ctx, part, func(int) error {
				p.entropies(scores, score)
				return nil
			})
		} else if err = p.run(ctx, part); err == nil {
			p.parallel(len(part), score)
		}
		if err != nil {
			return err
		}
		for i, score := range scores {
			if faults[i] != nil {
				return &ItemError{begin + i, faults[i]}
			}
			if err := each(begin+i, score); err != nil {
				return err
			}
		}
	}
	return nil
}

// scorer adds up the passes of a group of items.
type scorer struct {
	predictor
	scoring Scoring
	rng     *rand.Rand
	states  [][]float32
	items   []*uncertainty.Scorer
	entropy tensor.Tensor // of the mini-batch [N H W 1]

	turns []rotation // of the items of a mini-batch
	back  []turned
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
		p.net.SetState(state)
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
func (p *scorer) entropies(scores []float64, score func(i int)) {
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
}

// entropyOf computes the entropies of the mini-batch's pixels and returns a function that gives those of an item.
func (p *scorer) entropyOf(probs tensor.Tensor) func(i int) []float32 {
	p.entropy.Resize(tensor.Shape{N: probs.N, H: p.h, W: p.w, C: 1})
	p.net.Entropy(p.entropy.Data, probs)
	return func(i int) []float32 { return p.entropy.Items(i, i+1).Data }
}

// passes runs those of one mini-batch, which is loaded.
func (p *scorer) passes(images [][]float32) {
	for t := range p.scoring.PerItem() {
		switch {
		case p.scoring.Dropout:
			p.add(0, p.probabilities(unet.Pass{Dropout: true, Seed: p.rng.Uint64(), SameImages: t > 0}))
		case t > 0 && p.scoring.TTA != TTA{}:
			p.augmented(images)
		default:
			p.add(0, p.probabilities(unet.Pass{}))
		}
	}
}

// add counts one pass of a mini-batch whose first item is begin.
func (p *scorer) add(begin int, probs tensor.Tensor) {
	known := func(int) []float32 { return nil }
	if p.scoring.Map.OfPasses() {
		known = p.entropyOf(probs)
	}
	p.parallel(probs.N, func(i int) { p.items[begin+i].AddKnown(probs.Items(i, i+1).Data, known(i), nil) })
}

// parallel calls f for 0 … n-1 on as many goroutines as the network's engine has threads, which are idle meanwhile.
func (p *scorer) parallel(n int, f func(i int)) {
	threads := min(n, p.net.Threads())
	var wait sync.WaitGroup
	for t := 1; t < threads; t++ {
		wait.Go(func() {
			for i := t; i < n; i += threads {
				f(i)
			}
		})
	}
	for i := 0; i < n; i += threads {
		f(i)
	}
	wait.Wait()
}
