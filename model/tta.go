package model

import (
	"math"
	"slices"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor"
)

// augmentation is how images are changed at test time: a rotation, then noise. The predictions are rotated back before they
// are compared, and pixels that left the image in any pass do not count.
type augmentation struct {
	rotate float64 // largest angle in degrees; uniform to both sides
	noise  float64 // standard deviation of Gaussian noise, in normalised intensities
}

// standardAugmentation is that of Gaillochet et al. 2023.
var standardAugmentation = augmentation{rotate: 10, noise: 0.01}

// turned are probabilities that were rotated back, and the pixels that have any.
type turned struct {
	probs []float32
	valid []bool
}

// augmented runs one pass over changed images.
func (p *scorer) augmented(images [][]float32) {
	p.turns = slices.Grow(p.turns, len(images))[:len(images)]
	for i := range images {
		if len(p.changed) != len(images[i]) {
			p.changed = make([]float32, len(images[i]))
		}
		angle := 0.0
		if p.change.rotate > 0 {
			angle = p.change.rotate * (2*p.rng.Float64() - 1)
		}
		for from := 0; from < len(images[i]); from += p.h * p.w { // channel by channel
			p.turns[i].turn(p.changed[from:from+p.h*p.w], images[i][from:from+p.h*p.w], p.h, p.w, angle*math.Pi/180)
		}
		for j := range p.changed {
			p.changed[j] += float32(p.change.noise * p.rng.NormFloat64())
		}
		tensor.Interleave(p.image(i), p.changed, p.x.C)
	}
	probs := p.probabilities(unet.Pass{})
	for len(p.back) < probs.N {
		p.back = append(p.back, turned{make([]float32, probs.H*probs.W*probs.C), make([]bool, probs.H*probs.W)})
	}
	p.parallel(probs.N, func(i int) {
		p.turns[i].back(p.back[i].probs, p.back[i].valid, probs.Items(i, i+1).Data, probs.C)
		p.items[i].Add(p.back[i].probs, p.back[i].valid)
	})
}
