package unet

import (
	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/tensor"
)

// Batch is what one training step sees.
type Batch struct {
	X      tensor.Tensor // images [N H W Channels], dense
	Target []uint8       // masks [N H W]: class indices, or tensor.Ignore
	Merged []bool        // [N K], classes that nobody has looked for: see tensor.Loss; nil: none
	Seed   uint64        // of the dropout masks
	LR     float64       // learning rate of Adam
}

// Trainer trains a network by Adam, step by step: the one way to train, wherever the network computes.
type Trainer struct {
	net            *Net
	loss           tensor.Loss
	op             tensor.Adam // of a network elsewhere
	adam, deepAdam *nn.Adam    // of one here
	dlogits        tensor.Tensor
}

// NewTrainer returns a trainer of n that minimises the loss, with L2 weight decay coupled into the gradient. Heads of [Net.NewDeep] are
// trained along.
func NewTrainer(n *Net, loss tensor.Loss, weightDecay float64) *Trainer {
	return &Trainer{net: n, loss: loss, op: nn.AdamOf(weightDecay)}
}

// Step carries out one step: a pass with dropout, the loss of each item [N], which it writes to items, the gradients and Adam's update.
//
// through, which may be nil, is called between the two halves with the network's [Features]; the losses are in items then. The gradient
// that it returns flows into the features, a nil element counts as zero. An error of it ends Step before the update and is returned.
func (t *Trainer) Step(items []float32, b Batch, through func(Features) (Features, error)) error {
	n, e := t.net, t.net.engine
	t.loss.Merged = b.Merged
	if n.away(&Pass{}) {
		return t.stepAway(items, b, through)
	}
	if t.adam == nil {
		t.adam = nn.NewAdam(&n.params, t.op.WeightDecay)
	}
	logits := n.Forward(b.X, Pass{Train: true, Dropout: true, Seed: b.Seed, Features: through != nil})
	t.dlogits.Resize(logits.Shape)
	e.Loss(t.loss, t.dlogits, items, logits, b.Target)
	var dfeatures Features
	if through != nil {
		var err error
		if dfeatures, err = through(n.Features()); err != nil {
			return err
		}
	}
	if n.deep != nil {
		if t.deepAdam == nil {
			t.deepAdam = nn.NewAdam(&n.deep.params, t.op.WeightDecay)
		}
		n.deep.Loss(t.loss, b.Target)
		t.deepAdam.Step(e, b.LR)
	}
	n.BackwardFeatures(t.dlogits, dfeatures)
	t.adam.Step(e, b.LR)
	return nil
}

func (t *Trainer) stepAway(items []float32, b Batch, through func(Features) (Features, error)) error {
	n := t.net
	n.pass, n.last, n.overwritten = Pass{Train: true, Dropout: true, Seed: b.Seed}, b.X.Shape, true
	t.op.Step++
	t.op.LR = b.LR
	n.mirror.behind = true
	if n.deep != nil {
		n.deep.mirror.behind = true
	}
	return n.remote.Step(items, Step{Batch: b, Loss: t.loss, Adam: t.op, Deep: n.deep != nil}, through)
}

// Logits returns the logits [N H W K] of the last step, valid until the next pass.
func (t *Trainer) Logits() tensor.Tensor {
	n := t.net
	logits := n.logitsFor(n.last)
	if n.remote != nil {
		n.remote.Logits(logits)
	}
	return logits
}
