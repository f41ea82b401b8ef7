package query

import "math/rand/v2"

// What tests look at behind a strategy.

// Places returns the pixels that are compared.
func Places(s BatchBALD, d Disagreement) []int { return s.places(d) }

// Information returns what all items of a pool of one pixel tell about its networks, by up to so many configurations.
func Information(p Pool, samples int) float64 {
	j := jointOf(p, samples)
	return j.information(upTo(p.N), make([][32]byte, 1))
}

// SampledInformation is Information by configurations that are drawn.
func SampledInformation(p Pool, samples int, rng *rand.Rand) float64 {
	j := jointOf(p, samples)
	seeds := j.seeds(rng)
	var s jointState
	j.sample(&s, 0, upTo(p.N), seeds[0])
	return j.ofState(&s, 0, upTo(p.N))
}

// SampledStep is SampledInformation with the last item as a candidate.
func SampledStep(p Pool, samples int, rng *rand.Rand) float64 {
	j := jointOf(p, samples)
	var s jointState
	to, last := make([]float64, p.N), p.N-1
	seeds := j.seeds(rng)
	j.sample(&s, 0, upTo(last), seeds[0])
	j.candidateEntropies(&s, 0, upTo(last), to)
	return to[last] - j.inner[last]
}

func jointOf(p Pool, samples int) *joint {
	d, err := p.Disagreement(upTo(p.N))
	if err != nil {
		panic(err)
	}
	j, err := p.joint(upTo(p.N), []int{0}, d, samples)
	if err != nil {
		panic(err)
	}
	return j
}
