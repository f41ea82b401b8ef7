package nn

import "math"

// WarmupCosine is a learning rate per epoch: it rises linearly from Start, at epoch 0, to Peak, at epoch Warmup, and
// falls from there along half a cosine to End, at the last epoch.
type WarmupCosine struct {
	Start, Peak, End float64
	Warmup, Epochs   int
}

// At returns the rate of epoch 0 … Epochs-1.
func (s WarmupCosine) At(epoch int) float64 {
	if epoch < s.Warmup {
		return s.Start + (s.Peak-s.Start)*float64(epoch)/float64(s.Warmup)
	}
	return cosine(s.Peak, s.End, float64(epoch-s.Warmup), float64(s.Epochs-1-s.Warmup))
}

// OneCycle is a learning rate per step (Smith, Topin 2018, in the form of torch.optim.lr_scheduler.OneCycleLR with
// cosine annealing): from Peak/Divide up to Peak over the fraction Rise of the steps, then down to
// Peak/(Divide·FinalDivide) at the last.
type OneCycle struct {
	Peak                float64
	Steps               int
	Rise                float64 // PyTorch: 0.3
	Divide, FinalDivide float64 // PyTorch: 25 and 1e4
}

// At returns the rate of step 0 … Steps-1.
func (s OneCycle) At(step int) float64 {
	start := s.Peak / s.Divide
	top := s.Rise*float64(s.Steps) - 1 // the step of the peak, a fraction in general
	if float64(step) <= top {
		return cosine(start, s.Peak, float64(step), top)
	}
	return cosine(s.Peak, start/s.FinalDivide, float64(step)-top, float64(s.Steps-1)-top)
}

// cosine goes from one value to another along half a cosine while i goes from 0 to n. It stays at the first where
// n is not positive.
func cosine(from, to, i, n float64) float64 {
	if n <= 0 {
		return from
	}
	return to + (from-to)*(1+math.Cos(math.Pi*i/n))/2
}
