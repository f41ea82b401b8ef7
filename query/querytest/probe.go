package querytest

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// probe is a pool of made-up items that notes what a strategy asks for.
type probe struct {
	scores             []float64
	features, labelled [][]float32
	positions          []query.Position
	foreground         []bool
	err                error // returned by Score and Features

	asked    [][]int     // the items of each call of Score
	returned [][]float64 // what these calls returned
	featured bool        // Features was called
}

// newProbe returns a pool of n items, always the same: positive scores, eight features, slices of 12 to a case, every
// third item with foreground, five labelled items.
func newProbe(n int) *probe {
	rng := stream(uint64(n))
	vectors := func(count int) [][]float32 {
		out := make([][]float32, count)
		for i := range out {
			out[i] = make([]float32, 8)
			for j := range out[i] {
				out[i][j] = float32(rng.NormFloat64())
			}
		}
		return out
	}
	p := &probe{
		scores:     make([]float64, n),
		features:   vectors(n),
		labelled:   vectors(5),
		positions:  make([]query.Position, n),
		foreground: make([]bool, n),
	}
	for i := range n {
		p.scores[i] = rng.Float64()
		p.positions[i] = query.Position{Case: i / 12, Slice: i % 12}
		p.foreground[i] = i%3 == 0
	}
	return p
}

func (p *probe) pool() query.Pool {
	return query.Pool{
		N: len(p.scores),
		Score: func(items []int) ([]float64, error) {
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
		},
		Features: func() ([][]float32, [][]float32, error) {
			p.featured = true
			return p.features, p.labelled, p.err
		},
		Positions:        p.positions,
		HiddenForeground: p.foreground,
	}
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
