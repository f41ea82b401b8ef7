package unet

import (
	"context"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/tensor"
)

// Host is what an Engine is besides that keeps whole networks elsewhere, such as on a GPU. It is told of a training step or a pass as one
// message: the activations never come here.
type Host interface {
	// Open returns the place of a network of c elsewhere; nil says that the Engine itself computes it.
	Open(c Config) Remote
	// Watch ends what does not answer within some seconds of the end of ctx: the operation then fails with a *tensor.EngineError. stop
	// ends the watch.
	Watch(ctx context.Context) (stop func())
}

// Watch is [Host.Watch] of an engine that is a Host. Others answer in time.
func Watch(ctx context.Context, e tensor.Engine) (stop func()) {
	if h, ok := e.(Host); ok {
		return h.Watch(ctx)
	}
	return func() {}
}

// Watch is [Watch] of the network's engine.
func (n *Net) Watch(ctx context.Context) (stop func()) { return Watch(ctx, n.engine) }

// Part is a part of a network's weights.
type Part int

const (
	Whole     Part = iota // all of a Net's
	DeepHeads             // those of its Deep, which has no buffers
)

// Remote is a network that computes elsewhere. States are as nn.Params.Export has them. Failures are panics with a *tensor.EngineError.
type Remote interface {
	// Ready makes sure that the network is there. fresh says that it has been made anew and needs its weights, ok that it is there: if
	// not, it is to be computed here from now on.
	Ready() (fresh, ok bool)
	Put(p Part, state []float32)
	// Get reads the state, and the gradients of the last Step unless grad is nil.
	Get(p Part, state, grad []float32)

	// Forward is [Net.Forward] of an inference pass; logits is empty if p.Encoder, features nil unless p.Features.
	Forward(logits tensor.Tensor, features *Features, x tensor.Tensor, p Pass)
	// Step is [Trainer.Step]; the weights are those after it unless through returns an error, which it returns.
	Step(items []float32, s Step, through func(Features) (Features, error)) error
	// Logits reads those of the last Step.
	Logits(logits tensor.Tensor)
	// HeadGradients is [Net.HeadGradients] of the last Forward.
	HeadGradients(dst []float32, dlogits tensor.Tensor)
}

// Step is all that a Remote is told of a training step.
type Step struct {
	Batch
	Loss tensor.Loss // Merged is the Batch's
	Adam tensor.Adam
	Deep bool // the heads of deep supervision are trained along
}

// mirror tells how weights here compare with those elsewhere.
type mirror struct {
	sent   uint64 // version of the weights that are there
	behind bool   // those there are newer
}

func (m *mirror) push(r Remote, part Part, p *nn.Params, fresh bool) {
	if !fresh && m.sent == p.Version() {
		return
	}
	state := make([]float32, p.StateLen())
	p.Export(state)
	r.Put(part, state)
	m.sent, m.behind = p.Version(), false
}

func (m *mirror) pull(r Remote, part Part, p *nn.Params) {
	if !m.behind {
		return
	}
	state, grad := make([]float32, p.StateLen()), make([]float32, len(p.Grad))
	r.Get(part, state, grad)
	p.Import(state, grad)
	m.sent, m.behind = p.Version(), false
}

func (n *Net) open() {
	if h, ok := n.engine.(Host); ok {
		n.remote = h.Open(n.config)
	}
}

// Remote reports whether the network computes elsewhere.
func (n *Net) Remote() bool { return n.remote != nil }

// pull brings the weights here up to date.
func (n *Net) pull() { n.mirror.pull(n.remote, Whole, &n.params) }

// away reports whether the network computes elsewhere, and makes sure then that it is there with the newest weights. A pass over the
// images of a network that is no more has to have them again.
func (n *Net) away(p *Pass) bool {
	if n.remote == nil {
		return false
	}
	fresh, ok := n.remote.Ready()
	if n.mirror.behind && (fresh || !ok) {
		panic(&tensor.EngineError{Op: "unet", Status: "what this training has learnt is lost: what computed it has ended"})
	}
	if !ok || fresh {
		p.SameImages = false
	}
	if !ok {
		n.remote = nil
		return false
	}
	n.mirror.push(n.remote, Whole, &n.params, fresh)
	if n.deep != nil {
		n.deep.mirror.push(n.remote, DeepHeads, &n.deep.params, fresh)
	}
	return true
}

// forwardAway is Forward where the network computes elsewhere.
func (n *Net) forwardAway(x tensor.Tensor, p Pass) tensor.Tensor {
	if p.Train {
		panic("unet: Forward: a network that computes elsewhere is trained by a Trainer")
	}
	n.pass, n.last, n.overwritten = p, x.Shape, false
	var features *Features
	if p.Features {
		features = &n.act.features
		for level := range features {
			features[level] = resize(features[level], x.N*n.channels(level))
		}
	}
	var logits tensor.Tensor
	if !p.Encoder {
		logits = n.logitsFor(x.Shape)
	}
	n.remote.Forward(logits, features, x, p)
	return logits
}

// logitsFor returns the tensor for the logits of images of a shape.
func (n *Net) logitsFor(s tensor.Shape) tensor.Tensor {
	s.C = n.config.Classes
	n.act.logits.Resize(s)
	return n.act.logits
}
