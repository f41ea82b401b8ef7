package unet

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/nn"
)

// hidden is the length of the vector that the loss module makes of each feature.
const hidden = 128

// LossModule predicts an item's segmentation loss from the network's [Features]: each goes through a linear layer to
// 128 numbers and ReLU, and a last linear layer makes one number of the four. It has 123,905 weights at width 64.
//
// Its weights belong to an optimiser of their own. One step of training with it:
//
//	logits := net.Forward(x, Pass{Train: true, Dropout: true, Seed: seed, Features: true})
//	e.Loss(op, dlogits, items, logits, target)
//	loss := PairLoss(dpredicted, module.Forward(net.Features()), items, 1)
//	net.BackwardFeatures(dlogits, module.Backward(dpredicted)) // Features{} instead cuts the module's gradient off
//
// Source: Yoo, Kweon, Learning loss for active learning, CVPR 2019.
type LossModule struct {
	params nn.Params
	level  [Levels + 1]*nn.Linear
	last   *nn.Linear

	joined, djoined     []float32             // [N 512]: those of all features, one after the other
	embedded, dembedded [Levels + 1][]float32 // [N 128] of each feature
	dfeatures           Features
	predicted           []float32
}

// NewLossModule returns a module with random weights (see nn.Params.Alloc) for networks of a width.
func NewLossModule(width int, rng *rand.Rand) *LossModule {
	m := declareLossModule(width)
	m.params.Alloc(rng)
	return m
}

func declareLossModule(width int) *LossModule {
	m := &LossModule{}
	for level := range m.level {
		m.level[level] = nn.NewLinear(&m.params, fmt.Sprint("linear", level+1), width<<level, hidden, true)
	}
	m.last = nn.NewLinear(&m.params, "linear", hidden*len(m.level), 1, false)
	return m
}

// Params returns the weights and their gradients.
func (m *LossModule) Params() *nn.Params { return &m.params }

// Forward returns the predicted loss of each item [N], valid until the next call. The features must stay as they are
// until Backward.
func (m *LossModule) Forward(f Features) []float32 {
	n := len(f[0]) / m.level[0].In
	m.predicted = resize(m.predicted, n)
	m.joined = resize(m.joined, n*m.last.In)
	for level, l := range m.level {
		m.embedded[level] = resize(m.embedded[level], n*hidden)
		l.Forward(m.embedded[level], f[level])
		for i := range n {
			copy(m.joined[i*m.last.In+level*hidden:], m.embedded[level][i*hidden:][:hidden])
		}
	}
	m.last.Forward(m.predicted, m.joined)
	return m.predicted
}

// Backward computes the gradients of the module's weights, and returns that of the features, valid until the next
// call, from that of the predicted losses [N].
func (m *LossModule) Backward(dpredicted []float32) Features {
	n := len(dpredicted)
	m.djoined = resize(m.djoined, n*m.last.In)
	m.last.Backward(m.djoined, dpredicted)
	for level, l := range m.level {
		m.dembedded[level] = resize(m.dembedded[level], n*hidden)
		for i := range n {
			copy(m.dembedded[level][i*hidden:][:hidden], m.djoined[i*m.last.In+level*hidden:])
		}
		m.dfeatures[level] = resize(m.dfeatures[level], n*l.In)
		l.Backward(m.dfeatures[level], m.dembedded[level])
	}
	return m.dfeatures
}

// PairLoss returns the loss of the predicted losses l̂ [N], given the items' own losses l [N], and writes its gradient:
// the mean over the pairs (i, N-1-i) of
//
//	max(0, margin - s·(l̂ᵢ - l̂ⱼ))   s = 1 if lᵢ > lⱼ, else -1
//
// An odd N leaves the middle item out; a single item has loss 0. Where the maximum's arguments are equal, the
// gradient is 0. With margin 0, which the paper's published configuration has, a constant prediction is already
// optimal; Yoo and Kweon have 1.
func PairLoss(dpredicted, predicted, losses []float32, margin float64) float64 {
	n := len(predicted)
	if len(losses) != n || len(dpredicted) != n {
		panic(fmt.Sprintf("unet: PairLoss: %d predicted losses, %d losses, %d gradients", n, len(losses), len(dpredicted)))
	}
	clear(dpredicted)
	pairs := n / 2
	var sum float64
	for i := range pairs {
		j := n - 1 - i
		s := -1.0
		if losses[i] > losses[j] {
			s = 1
		}
		// Not l > 0: a NaN must reach the sum.
		if l := margin - s*(float64(predicted[i])-float64(predicted[j])); !(l <= 0) {
			sum += l / float64(pairs)
			dpredicted[i], dpredicted[j] = float32(-s/float64(pairs)), float32(s/float64(pairs))
		}
	}
	return sum
}

// RankLoss returns RankNet's loss of the predictions r [N], given the items' losses l [N], and writes its gradient: the mean over the pairs (i, N-1-i) of
//
//	ln(1 + exp(-s·(rᵢ - rⱼ))),  s = sign(lᵢ - lⱼ)
//
// in which a pair of equal losses counts 0. An odd N leaves the middle item out; a single item has loss 0.
//
// Source: Burges et al. 2005, "Learning to rank using gradient descent", ICML, in the form of Kim, Park, Kim, Chun 2021, "Task-aware variational adversarial
// active learning", CVPR, arXiv 2002.04709, by its code, for the formula in print could not be read. The rule for equal losses is ours; the published code trains toward rᵢ < rⱼ there.
func RankLoss(dpredicted, predicted, losses []float32) float64 {
	n := len(predicted)
	if len(losses) != n || len(dpredicted) != n {
		panic(fmt.Sprintf("unet: RankLoss: %d predictions, %d losses, %d gradients", n, len(losses), len(dpredicted)))
	}
	clear(dpredicted)
	pairs := n / 2
	var sum float64
	for i := range pairs {
		j := n - 1 - i
		s := 1.0
		switch {
		case losses[i] == losses[j]:
			continue
		case losses[i] < losses[j]:
			s = -1
		}
		x := -s * (float64(predicted[i]) - float64(predicted[j]))
		sum += (max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))) / float64(pairs)
		d := -s / (1 + math.Exp(-x)) / float64(pairs)
		dpredicted[i], dpredicted[j] = float32(d), float32(-d)
	}
	return sum
}

// resize returns a slice of n elements, s where that is large enough. The contents are undefined.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
