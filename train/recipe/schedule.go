package recipe

import "math"

// Schedule is the learning rate over a training: a linear warm-up from First to Peak, then half a cosine down to Last.
//
// With Epochs the training is cut into that many equal epochs, and the rate changes from one to the next: the paper's
// recipe is 75 epochs, 10 of them warm-up. With 0 Epochs it changes in every step, which is the one-cycle policy
// (Smith, Topin 2019) that a short training wants.
type Schedule struct {
	First  float64 `yaml:"first"`   // learning rate of the first step
	Peak   float64 `yaml:"peak"`    // … at the end of the warm-up, the highest
	Last   float64 `yaml:"last"`    // … of the last step
	WarmUp float64 `yaml:"warm-up"` // length of the warm-up as a fraction of the training, 0 … 1
	Epochs int     `yaml:"epochs"`  // equal stretches of constant learning rate; 0 is one per step
}

// At returns the learning rate of a step of a training of the given number of steps. The first step is 0.
func (s Schedule) At(step, steps int) float64 {
	epochs, epoch := steps, step
	if s.Epochs > 0 {
		epochs = s.Epochs
		epoch = step * epochs / steps
	}
	warm := int(math.Round(s.WarmUp * float64(epochs)))
	if epoch < warm {
		return s.First + (s.Peak-s.First)*float64(epoch)/float64(warm)
	}
	if epochs-1 == warm {
		return s.Peak
	}
	down := float64(epoch-warm) / float64(epochs-1-warm)
	return s.Last + (s.Peak-s.Last)*(1+math.Cos(math.Pi*down))/2
}
