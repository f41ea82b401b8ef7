package nn

import "github.com/nextslice/nextslice/tensor"

// Adam is the optimiser of Kingma and Ba (2015) with weight decay coupled into the gradient, as in torch.optim.Adam.
type Adam struct {
	op     tensor.Adam
	m, v   []float32 // first and second moments
	params *Params
}

// AdamOf describes Adam with β = (0.9, 0.999) and ε = 1e-8 before its first step.
func AdamOf(weightDecay float64) tensor.Adam {
	return tensor.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: weightDecay}
}

// NewAdam returns the optimiser of p that AdamOf describes.
func NewAdam(p *Params, weightDecay float64) *Adam {
	return &Adam{
		op:     AdamOf(weightDecay),
		m:      make([]float32, len(p.Weights)),
		v:      make([]float32, len(p.Weights)),
		params: p,
	}
}

// Step updates the weights from their gradients at learning rate lr.
func (a *Adam) Step(e tensor.Engine, lr float64) {
	a.op.LR = lr
	a.op.Step++
	e.Adam(a.op, a.params.Weights, a.m, a.v, a.params.Grad)
	a.params.Changed()
}

// SGD is gradient descent with momentum and coupled weight decay, as in torch.optim.SGD:
//
//	v ← momentum·v + g + weightDecay·w
//	w ← w - lr·v
type SGD struct {
	momentum, weightDecay float32
	v                     []float32
	params                *Params
}

// NewSGD returns an optimiser of p.
func NewSGD(p *Params, momentum, weightDecay float64) *SGD {
	return &SGD{float32(momentum), float32(weightDecay), make([]float32, len(p.Weights)), p}
}

// Step updates the weights from their gradients at learning rate lr.
func (s *SGD) Step(lr float64) {
	w, g := s.params.Weights, s.params.Grad
	for i := range w {
		s.v[i] = s.momentum*s.v[i] + g[i] + s.weightDecay*w[i]
		w[i] -= float32(lr) * s.v[i]
	}
	s.params.Changed()
}
