package model

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/uncertainty"
)

// networks are T masks of dropout, each of which makes one network of n: the same for all images, whatever their place in a
// mini-batch. One pass of dropout as [Network.Score] has it is a network of its own for each image.
type networks struct {
	Network
	score uncertainty.Score
	seeds []uint64 // of the masks
}

// networks draws the masks, for a score of so many passes with dropout.
func (n Network) networks(s uncertainty.Score, rng *rand.Rand) (networks, error) {
	if !s.Dropout || s.Passes < 2 {
		return networks{}, errors.New("model: several networks are made of dropout passes, and the score has none")
	}
	if err := n.checkScore(s); err != nil {
		return networks{}, err
	}
	if err := n.bySigmoids(s.Name); err != nil {
		return networks{}, err
	}
	all := networks{Network: n, score: s, seeds: make([]uint64, s.Passes)}
	for t := range all.seeds {
		all.seeds[t] = rng.Uint64()
	}
	return all, nil
}

// each runs every network over mini-batches of images, and calls do with the probabilities of each pass t of an image, [H W K]. ended,
// which may be nil, is called when the last of a mini-batch's passes is done.
func (n networks) each(ctx context.Context, images [][]float32, do func(t, i int, probs []float32), ended func(begin, end int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := newPredictor(n.Network)
	return p.batches(ctx, images, func(begin int) error {
		for t, seed := range n.seeds {
			probs := p.probabilities(unet.Pass{Dropout: true, Seed: seed, Same: true, SameImages: t > 0})
			if n.sigmoid() {
				distribution(probs.Data)
			}
			for i := range probs.N {
				do(t, begin+i, probs.Items(i, i+1).Data)
			}
		}
		if ended != nil {
			if err := ended(begin, begin+p.x.N); err != nil {
				return err
			}
		}
		for i := range p.x.N {
			n.done(begin+i+1, len(images))
		}
		return nil
	})
}

// disagreement is query.Pool.Disagreement. A probability that is not finite is an *[ItemError].
func (n networks) disagreement(ctx context.Context, images [][]float32) (query.Disagreement, error) {
	h, w := n.Preprocess.Height, n.Preprocess.Width
	d := query.Disagreement{Scores: make([]float64, len(images)), Sum: make([]float64, h*w), Width: w, Networks: len(n.seeds), Classes: n.Classes()}
	var items [predictBatch]*uncertainty.Scorer
	for i := range items {
		items[i] = uncertainty.NewScorer(uncertainty.Score{Map: uncertainty.JSD}, h, w, d.Classes)
	}
	err := n.each(ctx, images, func(t, i int, probs []float32) {
		item := items[i%predictBatch]
		if t == 0 {
			item.Reset()
		}
		item.Add(probs, nil)
	}, func(begin, end int) error {
		for i := begin; i < end; i++ {
			item := items[i%predictBatch]
			score, err := item.Score()
			if err != nil {
				return &ItemError{i, err}
			}
			d.Scores[i] = score
			for at, u := range item.Map() {
				d.Sum[at] += float64(u)
			}
		}
		return nil
	})
	return d, err
}

// probabilities is query.Pool.Probabilities.
func (n networks) probabilities(ctx context.Context, images [][]float32, pixels []int) ([][]float32, error) {
	classes := n.Classes()
	all := make([][]float32, len(images))
	for i := range all {
		all[i] = make([]float32, len(pixels)*len(n.seeds)*classes)
	}
	err := n.each(ctx, images, func(t, i int, probs []float32) {
		for at, pixel := range pixels {
			copy(all[i][(at*len(n.seeds)+t)*classes:][:classes], probs[pixel*classes:])
		}
	}, nil)
	return all, err
}
