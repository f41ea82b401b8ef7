package unet

import (
	"math"
	"slices"

	"github.com/nextslice/nextslice/tensor"
)

// Probabilities writes the class probabilities of logits, both [N H W K] and dense, as [Config].Sigmoid has them: the
// softmax over the classes or a sigmoid of each. p may be logits.
func (n *Net) Probabilities(p, logits tensor.Tensor) {
	if !n.config.Sigmoid {
		n.engine.Softmax(p, logits)
		return
	}
	for i, z := range logits.Data {
		p.Data[i] = float32(1 / (1 + math.Exp(-float64(z))))
	}
}

// Entropy writes the entropy of each pixel's probabilities p [N H W K], in nats, to h [N·H·W]; NaN where one is NaN.
func (n *Net) Entropy(h []float32, p tensor.Tensor) { n.engine.Entropy(h, p) }

// HeadGradients writes, for each item of the last Forward by itself, the gradient of the last layer's weights that belongs
// to dlogits [N H W K]:
//
//	dst[i, c, k] = Σ over the item's pixels of dlogits_k · h_c
//
// with h the last layer's input, of [Config].Width channels: dst is [N width·K]. The gradients in Params do not change.
// It panics after Backward, which overwrites h.
func (n *Net) HeadGradients(dst []float32, dlogits tensor.Tensor) {
	tensor.Want("unet: HeadGradients", n.act.logits.Shape, dlogits.Shape)
	if n.overwritten {
		panic("unet: HeadGradients: Backward has overwritten the activations")
	}
	size := n.config.Width * n.config.Classes
	tensor.WantLen("unet: HeadGradients: dst", dlogits.N*size, len(dst))
	if n.remote != nil {
		n.remote.HeadGradients(dst, dlogits)
		return
	}
	bias := make([]float32, n.config.Classes)
	for i := range dlogits.N {
		n.engine.ConvBackwardWeights(tensor.Conv{K: 1}, dst[i*size:(i+1)*size], bias, dlogits.Items(i, i+1), n.act.dec[0].Items(i, i+1))
	}
}

// State returns a copy of everything that training changes: weights and running statistics. With [Net.SetState] one
// network, with its buffers, can take the place of several of one architecture in turn.
func (n *Net) State() []float32 {
	n.pull()
	state := slices.Clone(n.params.Weights)
	for _, b := range n.params.Buffers {
		state = append(state, b.Data...)
	}
	return state
}

// SetState puts back what State returned, of this network or of another one of the same architecture.
func (n *Net) SetState(state []float32) {
	buffers := 0
	for _, b := range n.params.Buffers {
		buffers += b.Len()
	}
	tensor.WantLen("unet: SetState", len(n.params.Weights)+buffers, len(state))
	state = state[copy(n.params.Weights, state):]
	for _, b := range n.params.Buffers {
		state = state[copy(b.Data, state):]
	}
	n.params.Changed()
	n.mirror.behind = false
}
