package query

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// StochasticBatches draws Q candidate batches of B items at random and picks the batch with the highest score:
//
//	batch_q ~ Uniform(unlabelled items, B),  q = 1 .. Q
//	u(batch) = 1/B Σ u(item)                 over the batch's items
//	query    = argmax_q u(batch_q)           ties to the batch drawn first
//
// The draw brings diversity, the score tilts it towards informative items. It wraps any score. Q = 1 is [Random]; as
// Q grows the query approaches [Top].
//
// The batches are drawn first and only their items are scored: with the default Q and [Resample] about 1/e of the
// pool is in no batch and needs no forward pass.
//
// Cost: scores the drawn items; O(Q·B) time and O(N) memory whatever Q is, because the batches are drawn twice from
// one stream (once to learn which items need a score, once to compare the batches) instead of being stored.
//
// Source: Gaillochet, Desrosiers, Lombaert 2023, "Active learning for medical image segmentation with stochastic
// batches", Medical Image Analysis 90:102958, arXiv 2301.07670; section 2 of the MIDL 2023 short paper.
//
// The zero value is the paper's choice.
type StochasticBatches struct {
	Draw   Draw   // how the batches are drawn; "" = Resample
	Q      int    // number of candidate batches; 0 = floor(N/B)
	Reduce Reduce // a batch's score from its items'; "" = Mean
}

// Draw says how candidate batches are drawn.
type Draw string

const (
	// Resample draws every batch uniformly without replacement from the whole pool, independently of the other
	// batches: the equation of the paper. An item may be in several batches or in none.
	Resample Draw = "resample"

	// Partition cuts one random permutation of the pool into floor(N/B) consecutive batches and drops the incomplete
	// last one: the default of the published code. No item is in two batches. With Q above floor(N/B) a new
	// permutation begins whenever one is used up; with Q below it only the first Q batches count.
	Partition Draw = "partition"
)

// Reduce says how a batch's score follows from its items' scores.
type Reduce string

const (
	Mean Reduce = "mean" // the paper's
	Max  Reduce = "max"  // one very uncertain item is enough
	Sum  Reduce = "sum"  // picks the same batch as Mean, since all batches have B items
)

// Needs implements [Strategy].
func (StochasticBatches) Needs() Needs { return Needs{Scores: true} }

// Select implements [Strategy]. The picks come in the order in which the batch was drawn.
func (s StochasticBatches) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := s.validate(); err != nil {
		return Selection{}, err
	}
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	q := s.Q
	if q == 0 {
		q = p.N / size
	}
	var seed [32]byte // of the stream that is read twice
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}

	items := s.drawn(p.N, q, size, seed)
	scores, err := p.score(items)
	if err != nil {
		return Selection{}, err
	}
	byItem := make([]float64, p.N)
	for i, item := range items {
		byItem[item] = scores[i]
	}

	var best []int32
	var highest float64
	for batch := range s.batches(p.N, q, size, seed) {
		if u := s.reduce(batch, byItem); best == nil || u > highest {
			highest = u
			best = append(best[:0], batch...)
		}
	}
	selection := picked(ints(best), byItem)
	selection.Scored = len(items)
	return selection, nil
}

// drawn returns the items that are in at least one batch, in increasing order.
func (s StochasticBatches) drawn(n, q, size int, seed [32]byte) []int {
	seen := make([]bool, n)
	count := 0
	for batch := range s.batches(n, q, size, seed) {
		for _, item := range batch {
			if !seen[item] {
				seen[item] = true
				count++
			}
		}
		if count == n {
			break // a large Q reaches everything early
		}
	}
	items := make([]int, 0, count)
	for i, in := range seen {
		if in {
			items = append(items, i)
		}
	}
	return items
}

// batches yields the q candidate batches of a seed, always the same ones. A batch is valid until the next.
func (s StochasticBatches) batches(n, q, size int, seed [32]byte) func(yield func([]int32) bool) {
	return func(yield func([]int32) bool) {
		rng := rand.New(rand.NewChaCha8(seed))
		deck := newDeck(n)
		groups := 1 // batches between two returns to the start of the deck
		if s.Draw == Partition {
			groups = n / size
		}
		for i := range q {
			// A shuffle that goes on where the last batch ended gives disjoint batches; one that returns to the
			// start of the deck gives independent ones.
			if !yield(deck.draw(i%groups*size, size, rng)) {
				return
			}
		}
	}
}

// reduce returns a batch's score. The mean is left as a sum: all batches have one size, so the order is the same.
func (s StochasticBatches) reduce(batch []int32, scores []float64) float64 {
	if s.Reduce == Max {
		u := math.Inf(-1)
		for _, item := range batch {
			u = max(u, scores[item])
		}
		return u
	}
	u := 0.0
	for _, item := range batch {
		u += scores[item]
	}
	return u
}

func (s StochasticBatches) validate() error {
	switch {
	case s.Q < 0:
		return fmt.Errorf("query: stochastic batches: q must be 0 (floor(N/B)) or more, not %d", s.Q)
	case !slices.Contains([]Draw{"", Resample, Partition}, s.Draw):
		return fmt.Errorf("query: stochastic batches: draw must be %s or %s, not %q", Resample, Partition, s.Draw)
	case !slices.Contains([]Reduce{"", Mean, Max, Sum}, s.Reduce):
		return fmt.Errorf("query: stochastic batches: reduce must be %s, %s or %s, not %q", Mean, Max, Sum, s.Reduce)
	}
	return nil
}

// String returns the strategy's name with the options that are not the paper's.
func (s StochasticBatches) String() string {
	return call("sb", option("draw", s.Draw, "", Resample), option("q", s.Q, 0), option("reduce", s.Reduce, "", Mean))
}

var stochasticBatches = entry{
	Info: Info{
		Name: "sb", Kind: KindSelector,
		Does:    "stochastic batches: the best of Q batches drawn at random",
		Options: "draw=resample|partition, q=0 (floor(N/B)), reduce=mean|max|sum",
		Cost:    "of the score, drawn items only",
		Source:  "Gaillochet et al. 2023, MedIA, arXiv 2301.07670",
	},
	strategy: func(o *options) Strategy {
		return StochasticBatches{
			Draw:   choice(o, "draw", Resample, Partition),
			Q:      o.integer("q", 0, 0),
			Reduce: choice(o, "reduce", Mean, Max, Sum),
		}
	},
}
