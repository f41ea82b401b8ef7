package query

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/uncertainty"
)

// BatchBALD picks the items whose labels together would tell most about the network. With T networks, the same for all items, and g the
// pixels of the canvas that are compared,
//
//	a(S) = Σ_g { H[y_g of the items in S] - Σ_{i∈S} 1/T Σ_t H(p_tig) },  probability of labels y:  q(y) = 1/T Σ_t Π_i p_ti(y_i)
//
// Items that the networks disagree on in the same place and in the same passes repeat each other, and count little together: that is
// what neighbouring slices do, and what plain scores do not see. It is not seen between different places, which count as independent:
// over whole images the mutual information is at most ln T, which nearly every slice reaches. In each step the item of the largest a with
// those picked is taken; a is submodular, so that this reaches 1 - 1/e of the best.
//
// Pixels: of each 4×4 tile that where the networks disagree most, summed over all items; of these the Positions largest. Up to Samples
// configurations of labels are counted exactly, beyond that the entropy is estimated from as many that are drawn.
//
// With BatchDraw the query is, of Q stochastic batches, the one of the largest a: the joint in place of the mean. Only drawn items are
// scored.
//
// The scores of the selection are the mean disagreement over the image, BALD. Ties are broken at random.
//
// Cost: Passes forward passes of every item and as many again of the candidates; Positions·Σ_n min(K^n, Samples)·T·K multiply-adds for
// each candidate, under 2 s for 10 picks of 200 with K = 2.
//
// Source: Kirsch, van Amersfoort, Gal 2019, "BatchBALD: efficient and diverse batch acquisition for deep Bayesian active learning",
// NeurIPS, arXiv 1906.08158, for one label per item; the sum over pixels, how these are chosen, and the form with stochastic batches are ours. So are the numbers: the published code
// compares all items, by 40,000 configurations and more.
type BatchBALD struct {
	Passes     int      // T, of the pool's networks; 0 = 20
	Samples    int      // configurations of labels, a multiple of Passes; 0 = 1000
	Candidates int      // items of the highest disagreement that are compared; 0 = 20·B
	Positions  int      // pixels; 0 = 64
	Draw       BALDDraw // "" = GreedyDraw
	Q          int      // BatchDraw: number of batches; 0 = floor(N/B)
}

// BALDDraw says how [BatchBALD] puts a query together.
type BALDDraw string

const (
	GreedyDraw BALDDraw = "greedy" // item by item, the one that adds most
	BatchDraw  BALDDraw = "sb"     // the best of random batches
)

const (
	baldPasses     = 20
	baldSamples    = 1000
	baldCandidates = 20 // for each pick
	baldPositions  = 64
	baldTile       = 4
)

// Needs implements [Strategy].
func (BatchBALD) Needs() Needs { return Needs{Networks: true} }

// Select implements [Strategy]. The picks come in the order in which they were made, or drawn.
func (s BatchBALD) Select(p Pool, size int, rng *rand.Rand) (Selection, error) {
	if err := check(s, p, size, rng); err != nil || size == 0 {
		return Selection{}, err
	}
	s.Samples, s.Positions = cmp.Or(s.Samples, baldSamples), cmp.Or(s.Positions, baldPositions)
	s.Candidates = cmp.Or(s.Candidates, baldCandidates*size)
	var seed [32]byte // of the batches, which are drawn twice
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}
	q := cmp.Or(s.Q, p.N/size)
	items := upTo(p.N)
	if s.Draw == BatchDraw {
		items = StochasticBatches{}.drawn(p.N, q, size, seed)
	}
	d, err := p.disagreement(items)
	if err != nil {
		return Selection{}, err
	}
	bald := make([]float64, p.N)
	for i, item := range items {
		bald[item] = d.Scores[i]
	}
	candidates := items
	if s.Draw != BatchDraw {
		candidates = highest(d.Scores, min(max(size, s.Candidates), len(items)), rng)
	}
	j, err := p.joint(candidates, s.places(d), d, s.Samples)
	if err != nil {
		return Selection{}, err
	}
	var picks []int
	if s.Draw == BatchDraw {
		picks = j.bestBatch(StochasticBatches{}.batches(p.N, q, size, seed), candidates, rng)
	} else {
		picks = j.greedy(size, candidates, p.closing(), rng)
	}
	selection := picked(picks, bald)
	selection.Scored = len(items)
	return selection, nil
}

// places returns the pixels that are compared, in increasing order.
func (s BatchBALD) places(d Disagreement) []int {
	h, w := len(d.Sum)/d.Width, d.Width
	var places []int
	for top := 0; top < h; top += baldTile {
		for left := 0; left < w; left += baldTile {
			best := top*w + left
			for y := top; y < min(top+baldTile, h); y++ {
				for x := left; x < min(left+baldTile, w); x++ {
					if d.Sum[y*w+x] > d.Sum[best] {
						best = y*w + x
					}
				}
			}
			places = append(places, best)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(d.Sum[b], d.Sum[a]), cmp.Compare(a, b)) })
	places = places[:min(s.Positions, len(places))]
	slices.Sort(places)
	return places
}

// disagreement asks the pool how far its networks agree on items and refuses what cannot be ranked.
func (p Pool) disagreement(items []int) (Disagreement, error) {
	d, err := p.Disagreement(items)
	if err != nil {
		return d, fmt.Errorf("score %d items: %w", len(items), err)
	}
	if len(d.Scores) != len(items) || d.Width < 1 || len(d.Sum) < 1 || len(d.Sum)%d.Width != 0 {
		return d, fmt.Errorf("query: the disagreement on %d items, with a map of %d pixels of width %d, for %d items", len(d.Scores), len(d.Sum), d.Width, len(items))
	}
	for i, s := range d.Scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return d, fmt.Errorf("query: the disagreement on item %d is %v; it cannot be ranked", items[i], s)
		}
	}
	return d, nil
}

// greedy picks size of the candidates, each the one that makes the joint largest with those before it; fewer where the limit leaves no more of them.
func (j *joint) greedy(size int, candidates []int, closing closing, rng *rand.Rand) (picks []int) {
	var chosen, closed []int            // of the candidates
	gain := make([][]float64, j.places) // of each candidate at each place
	for i := range gain {
		gain[i] = make([]float64, j.candidates)
	}
	states := make([]jointState, j.places)
	total := make([]float64, j.candidates)
	for len(chosen) < size {
		seeds := j.seeds(rng)
		parallel.For(j.places, parallel.All, func(g int) { j.entropies(&states[g], g, chosen, seeds[g], gain[g]) })
		for c := range total {
			total[c] = 0
			for g := range j.places {
				total[c] += gain[g][c] - j.inner[c*j.places+g]
			}
		}
		for _, c := range closed {
			total[c] = math.Inf(-1)
		}
		best := highest(total, 1, rng)[0]
		if math.IsInf(total[best], -1) {
			break
		}
		chosen, picks = append(chosen, best), append(picks, candidates[best])
		for _, i := range closing.by(candidates[best]) {
			if c := slices.Index(candidates, i); c >= 0 {
				closed = append(closed, c)
			}
		}
	}
	return picks
}

// bestBatch returns the batch of the largest a, the first one of equals. candidates are the items that the batches hold, in
// increasing order.
func (j *joint) bestBatch(batches func(func([]int32) bool), candidates []int, rng *rand.Rand) []int {
	var all [][]int
	for batch := range batches {
		all = append(all, ints(batch))
	}
	seeds := make([][][32]byte, len(all))
	for b := range seeds {
		seeds[b] = j.seeds(rng)
	}
	values := make([]float64, len(all))
	parallel.For(len(all), parallel.All, func(b int) {
		members := make([]int, len(all[b]))
		for i, item := range all[b] {
			members[i], _ = slices.BinarySearch(candidates, item)
		}
		values[b] = j.information(members, seeds[b])
	})
	best := 0
	for b, v := range values {
		if v > values[best] {
			best = b
		}
	}
	return all[best]
}

func (s BatchBALD) String() string {
	return call("batchbald", option("passes", s.Passes, 0, baldPasses), option("samples", s.Samples, 0, baldSamples), option("candidates", s.Candidates, 0),
		option("positions", s.Positions, 0, baldPositions), option("draw", s.Draw, "", GreedyDraw), option("q", s.Q, 0))
}

var batchBALD = entry{
	Info: Info{
		Name: "batchbald", Kind: KindStrategy,
		Does:    "the items whose labels tell most together, by dropout passes; with draw=sb the best of random batches",
		Options: "passes=20, samples=1000, candidates=0 (20*B), positions=64, draw=greedy|sb, q=0 (sb: floor(N/B))",
		Cost:    "T = 20 passes, and 20 more of the candidates; with draw=sb drawn items only",
		Source:  "Kirsch et al. 2019, NeurIPS, arXiv 1906.08158",
	},
	strategy: func(o *options) Strategy {
		s := BatchBALD{
			Passes: o.integer("passes", baldPasses, 2), Samples: o.integer("samples", baldSamples, 2), Candidates: o.integer("candidates", 0, 0),
			Positions: o.integer("positions", baldPositions, 1), Draw: choice(o, "draw", GreedyDraw, BatchDraw), Q: o.integer("q", 0, 0),
		}
		if s.Samples%s.Passes != 0 {
			o.fault("option samples of batchbald is %d; want a multiple of its %d passes", s.Samples, s.Passes)
		}
		return s
	},
	score: func(o *options) uncertainty.Score {
		return uncertainty.Score{Map: uncertainty.JSD, Passes: o.integer("passes", baldPasses, 2), Dropout: true}
	},
}
