package querytest

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// probe is a pool of made-up items that notes what a strategy asks for.
type probe struct {
	scores             []float64
	classes            [][]float64 // class scores
	features, labelled vectors
	positions          []query.Position
	foreground         []bool
	err                error // returned by all functions

	asked    [][]int     // the items of each call of Score or ClassScores
	byClass  bool        // ClassScores was called
	networks bool        // Disagreement was called
	probed   []int       // the items of calls of Probabilities
	probs    vectors     // of the networks, [side·side T K] for each item
	returned [][]float64 // what these calls returned
}

// vectors are the features of items, and whether they were asked for.
type vectors struct {
	of   [][]float32
	read bool
}

// newProbe returns a pool of n items, always the same: positive scores, eight features, slices of 12 to a case, every
// third item with foreground, five labelled items.
func newProbe(n int) *probe {
	rng := stream(uint64(n))
	random := func(count int) vectors {
		out := make([][]float32, count)
		for i := range out {
			out[i] = make([]float32, 8)
			for j := range out[i] {
				out[i][j] = float32(rng.NormFloat64())
			}
		}
		return vectors{of: out}
	}
	p := &probe{
		scores:     make([]float64, n),
		features:   random(n),
		labelled:   random(5),
		probs:      vectors{of: make([][]float32, n)},
		classes:    make([][]float64, n),
		positions:  make([]query.Position, n),
		foreground: make([]bool, n),
	}
	for i := range n {
		p.scores[i] = rng.Float64()
		p.classes[i] = []float64{p.scores[i], p.scores[i] * rng.Float64() / 2, p.scores[i] * rng.Float64() / 2}
		p.probs.of[i] = make([]float32, side*side*networks*2)
		for j := 0; j < len(p.probs.of[i]); j += 2 {
			p1 := rng.Float32()
			p.probs.of[i][j], p.probs.of[i][j+1] = 1-p1, p1
		}
		p.positions[i] = query.Position{Case: i / 12, Slice: i % 12}
		p.foreground[i] = i%3 == 0
	}
	return p
}

// everything is all that a pool can offer.
var everything = query.Needs{Scores: true, ClassScores: true, Networks: true, Features: query.Bottleneck, LabelledFeatures: true, Positions: true, HiddenForeground: true, QueryNumber: true}

// pool returns a pool that offers what is needed and nothing else.
func (p *probe) pool(n query.Needs) query.Pool {
	offer := func(v *vectors) func() ([][]float32, error) {
		return func() ([][]float32, error) {
			v.read = true
			return v.of, p.err
		}
	}
	pool := query.Pool{N: len(p.scores)}
	if n.Scores {
		pool.Score = p.score
	}
	if n.ClassScores {
		pool.ClassScores = p.classScores
	}
	if n.Networks {
		pool.Disagreement, pool.Probabilities = p.disagreement, p.probabilities
	}
	if n.Features != query.NoFeatures {
		pool.Features = offer(&p.features)
	}
	if n.LabelledFeatures {
		pool.LabelledFeatures = offer(&p.labelled)
	}
	if n.Positions {
		pool.Positions = p.positions
	}
	if n.HiddenForeground {
		pool.HiddenForeground = p.foreground
	}
	if n.QueryNumber {
		pool.Query, pool.Queries = 2, 5
	}
	return pool
}

func (p *probe) score(items []int) ([]float64, error) {
	p.asked = append(p.asked, slices.Clone(items))
	if p.err != nil {
		return nil, p.err
	}
	scores := make([]float64, len(items))
	for i, item := range items {
		scores[i] = p.scores[item]
	}
	p.returned = append(p.returned, scores)
	return scores, nil
}

func (p *probe) classScores(items []int) ([][]float64, error) {
	p.byClass = true
	p.asked = append(p.asked, slices.Clone(items))
	if p.err != nil {
		return nil, p.err
	}
	scores := make([][]float64, len(items))
	for i, item := range items {
		scores[i] = slices.Clone(p.classes[item])
	}
	return scores, nil
}

// The canvas and the networks of a probe.
const side, networks = 8, 4

func (p *probe) disagreement(items []int) (query.Disagreement, error) {
	p.networks = true
	p.asked = append(p.asked, slices.Clone(items))
	d := query.Disagreement{Sum: make([]float64, side*side), Width: side, Networks: networks, Classes: 2}
	for _, item := range items {
		d.Scores = append(d.Scores, p.scores[item])
	}
	for i := range d.Sum {
		d.Sum[i] = float64(i * 7 % 13)
	}
	return d, p.err
}

func (p *probe) probabilities(items, pixels []int) ([][]float32, error) {
	p.probs.read = true
	p.probed = append(p.probed, items...)
	out := make([][]float32, len(items))
	for i, item := range items {
		for _, at := range pixels {
			out[i] = append(out[i], p.probs.of[item][at*networks*2:][:networks*2]...)
		}
	}
	return out, p.err
}

func (p *probe) checkDistinct(t *testing.T, what string, items []int) {
	t.Helper()
	seen := make([]bool, len(p.scores))
	for _, item := range items {
		if item < 0 || item >= len(seen) {
			t.Fatalf("%s item %d is not in 0..%d", what, item, len(seen)-1)
		}
		if seen[item] {
			t.Fatalf("item %d is %s twice", item, what)
		}
		seen[item] = true
	}
}
