package query

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/internal/parallel"
)

// joint computes the entropy of the labels of several items at each of some places, of which T networks give the probabilities:
//
//	q(y) = 1/T Σ_t Π_i p_ti(y_i),  H = -Σ_y q ln q
//
// Source: Kirsch et al. 2019, as in [BatchBALD], sections 3.2 and 3.3. All is float64; probabilities below 1e-12 count as that. What drawing leaves below 0 of an entropy less the items' own
// is not cut off: the order would not change but among items that add nothing.
type joint struct {
	candidates, places, networks, classes int
	samples                               int // largest number of configurations

	probs []float64 // [candidates places K T]
	inner []float64 // [candidates places]: the mean over the networks of their entropies
}

// leastProbability keeps logarithms finite.
const leastProbability = 1e-12

// joint asks the pool for the probabilities of items at some pixels.
func (p Pool) joint(items, pixels []int, d Disagreement, samples int) (*joint, error) {
	all, err := p.Probabilities(items, pixels)
	if err != nil {
		return nil, fmt.Errorf("predict %d items: %w", len(items), err)
	}
	j := &joint{candidates: len(items), places: len(pixels), networks: d.Networks, classes: d.Classes, samples: samples}
	if len(all) != len(items) || j.networks < 1 || j.classes < 2 {
		return nil, fmt.Errorf("query: probabilities of %d items by %d networks of %d classes for %d items", len(all), j.networks, j.classes, len(items))
	}
	if samples%j.networks != 0 {
		return nil, fmt.Errorf("query: %d samples are no multiple of the %d networks", samples, j.networks)
	}
	j.probs, j.inner = make([]float64, len(items)*j.places*j.networks*j.classes), make([]float64, len(items)*j.places)
	faults := make([]error, len(items))
	parallel.For(len(items), parallel.All, func(i int) { faults[i] = j.fill(i, all[i]) })
	for i, fault := range faults {
		if fault != nil {
			return nil, fmt.Errorf("query: the probabilities of item %d %w", items[i], fault)
		}
	}
	return j, nil
}

// fill takes over the probabilities of a candidate, [places T K].
func (j *joint) fill(c int, probs []float32) error {
	if len(probs) != j.places*j.networks*j.classes {
		return fmt.Errorf("are %d numbers, want %d", len(probs), j.places*j.networks*j.classes)
	}
	p := make([]float64, j.classes)
	for g := range j.places {
		to := j.of(c, g)
		for t := range j.networks {
			sum := 0.0
			for k := range p {
				v := float64(probs[(g*j.networks+t)*j.classes+k])
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("hold %v; they cannot be compared", v)
				}
				p[k] = max(v, leastProbability)
				sum += p[k]
			}
			for k := range p {
				p[k] /= sum
				to[k*j.networks+t] = p[k]
				j.inner[c*j.places+g] -= p[k] * math.Log(p[k]) / float64(j.networks)
			}
		}
	}
	return nil
}

// of returns the probabilities of a candidate at a place, [K T].
func (j *joint) of(c, g int) []float64 {
	n := j.networks * j.classes
	return j.probs[(c*j.places+g)*n:][:n]
}

// seeds draws one for each place, so that these can be sampled in any order.
func (j *joint) seeds(rng *rand.Rand) [][32]byte {
	seeds := make([][32]byte, j.places)
	for g := range seeds {
		for i := 0; i < 32; i += 8 {
			v := rng.Uint64()
			for b := range 8 {
				seeds[g][i+b] = byte(v >> (8 * b))
			}
		}
	}
	return seeds
}

// countable reports whether all configurations of so many items are few enough to be counted.
func (j *joint) countable(items int) bool {
	n := 1
	for range items {
		if n *= j.classes; n > j.samples {
			return false
		}
	}
	return true
}

// jointState holds the products Π_i p_ti(y_i) over the items of a set: of each configuration y of their labels, [configurations T], or of
// some that were drawn. Those that were drawn are multiplied by e^-shift, lest they underflow.
type jointState struct {
	items    int // of the set
	products []float64
	drawn    bool
	shift    []float64 // [configurations], drawn only
}

// extend makes the state that of chosen, of which it is that of the first ones already. seed is used where configurations are drawn.
func (j *joint) extend(s *jointState, g int, chosen []int, seed [32]byte) {
	T := j.networks
	if s.products == nil {
		s.products = make([]float64, T)
		for t := range T {
			s.products[t] = 1
		}
	}
	if !j.countable(len(chosen)) {
		j.sample(s, g, chosen, seed)
		return
	}
	for ; s.items < len(chosen); s.items++ {
		p := j.of(chosen[s.items], g)
		next := make([]float64, 0, len(s.products)*j.classes)
		for y := 0; y < len(s.products); y += T {
			for k := range j.classes {
				for t, v := range s.products[y : y+T] {
					next = append(next, v*p[k*T+t])
				}
			}
		}
		s.products = next
	}
}

// sample draws configurations anew, as many by each network: its labels are drawn from its own probabilities.
func (j *joint) sample(s *jointState, g int, chosen []int, seed [32]byte) {
	T := j.networks
	rng := rand.New(rand.NewChaCha8(seed))
	if !s.drawn {
		s.drawn, s.products, s.shift = true, make([]float64, j.samples*T), make([]float64, j.samples)
	}
	s.items = len(chosen)
	clear(s.shift)
	for i := range s.products {
		s.products[i] = 1
	}
	for y := range j.samples {
		own, row := y%T, s.products[y*T:(y+1)*T]
		for _, c := range chosen {
			p := j.of(c, g)
			u, k := rng.Float64(), 0
			for u -= p[own]; u >= 0 && k < j.classes-1; u -= p[k*T+own] {
				k++
			}
			for t := range row {
				row[t] *= p[k*T+t]
			}
			if largest := maxOf(row); largest < 1e-100 {
				for t := range row {
					row[t] /= largest
				}
				s.shift[y] += math.Log(largest)
			}
		}
	}
}

func maxOf(values []float64) float64 {
	largest := values[0]
	for _, v := range values {
		largest = max(largest, v)
	}
	return largest
}

// entropies writes for each candidate the entropy at a place of the labels of the chosen ones and its own, less the mean entropies of the
// chosen ones: what [BatchBALD] calls a, but for the candidate's own.
func (j *joint) entropies(s *jointState, g int, chosen []int, seed [32]byte, to []float64) {
	j.extend(s, g, chosen, seed)
	j.candidateEntropies(s, g, chosen, to)
}

func (j *joint) candidateEntropies(s *jointState, g int, chosen []int, to []float64) {
	T := j.networks
	inner := 0.0
	for _, c := range chosen {
		inner += j.inner[c*j.places+g]
	}
	for c := range to {
		p, h := j.of(c, g), 0.0
		for y := 0; y < len(s.products); y += T {
			row, q, part := s.products[y:y+T], 0.0, 0.0
			shift := 0.0
			if s.drawn {
				shift = s.shift[y/T]
			}
			for k := range j.classes {
				r := 0.0
				for t, v := range row {
					r += v * p[k*T+t]
				}
				r /= float64(T)
				q += r
				if r > 0 {
					part -= r * (math.Log(r) + shift)
				}
			}
			if s.drawn { // importance: y was drawn with probability q
				part /= q * float64(j.samples)
			}
			h += part
		}
		to[c] = h - inner
	}
}

// information returns a of some candidates: the mutual information of their labels and the choice of the network, summed over the
// places.
func (j *joint) information(members []int, seeds [][32]byte) float64 {
	total := 0.0
	for g := range j.places {
		var s jointState
		j.extend(&s, g, members, seeds[g])
		total += j.ofState(&s, g, members)
	}
	return total
}

// ofState is information at one place, of which s is the state of all members.
func (j *joint) ofState(s *jointState, g int, members []int) float64 {
	h := 0.0
	for y := 0; y < len(s.products); y += j.networks {
		q := 0.0
		for _, v := range s.products[y : y+j.networks] {
			q += v / float64(j.networks)
		}
		switch {
		case s.drawn:
			h -= (math.Log(q) + s.shift[y/j.networks]) / float64(j.samples)
		case q > 0:
			h -= q * math.Log(q)
		}
	}
	for _, c := range members {
		h -= j.inner[c*j.places+g]
	}
	return h
}
