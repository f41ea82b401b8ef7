package worklist

import (
	"slices"

	"github.com/nextslice/nextslice/query"
)

// remembered returns a pool that computes nothing twice.
func remembered(p query.Pool) query.Pool {
	out := p
	if p.Score != nil {
		out.Score = rememberEach(p.N, p.Score)
	}
	if p.ClassScores != nil {
		out.ClassScores = rememberEach(p.N, p.ClassScores)
	}
	out.Features, out.LabelledFeatures = rememberAll(p.Features), rememberAll(p.LabelledFeatures)
	return out
}

func rememberEach[T any](n int, compute func([]int) ([]T, error)) func([]int) ([]T, error) {
	known, has := make([]T, n), make([]bool, n)
	return func(items []int) ([]T, error) {
		var missing []int
		for _, i := range items {
			if !has[i] {
				missing = append(missing, i)
			}
		}
		values, err := compute(missing)
		if err != nil {
			return nil, err
		}
		for at, i := range missing {
			known[i], has[i] = values[at], true
		}
		out := make([]T, len(items))
		for at, i := range items {
			out[at] = known[i]
		}
		return out, nil
	}
}

func rememberAll(compute func() ([][]float32, error)) func() ([][]float32, error) {
	if compute == nil {
		return nil
	}
	var known [][]float32
	return func() (v [][]float32, err error) {
		if known == nil {
			known, err = compute()
		}
		return known, err
	}
}

// part returns the pool of some of the items, in their order; what is taken counts as labelled.
func part(p query.Pool, items, taken []int) query.Pool {
	if len(items) == p.N {
		return p
	}
	at := func(some []int) []int {
		out := make([]int, len(some))
		for i, one := range some {
			out[i] = items[one]
		}
		return out
	}
	out := p
	out.N, out.Limit = len(items), query.Limit{} // of what is taken it knows nothing
	if p.Score != nil {
		out.Score = func(some []int) ([]float64, error) { return p.Score(at(some)) }
	}
	if p.ClassScores != nil {
		out.ClassScores = func(some []int) ([][]float64, error) { return p.ClassScores(at(some)) }
	}
	if p.Disagreement != nil {
		out.Disagreement = func(some []int) (query.Disagreement, error) { return p.Disagreement(at(some)) }
		out.Probabilities = func(some, pixels []int) ([][]float32, error) { return p.Probabilities(at(some), pixels) }
	}
	if p.Features != nil {
		out.Features = func() ([][]float32, error) {
			all, err := p.Features()
			if err != nil {
				return nil, err
			}
			some := make([][]float32, len(items))
			for i, one := range items {
				some[i] = all[one]
			}
			return some, nil
		}
	}
	if p.LabelledFeatures != nil && len(taken) > 0 {
		out.LabelledFeatures = func() ([][]float32, error) {
			labelled, err := p.LabelledFeatures()
			if err != nil {
				return nil, err
			}
			all, err := p.Features()
			if err != nil {
				return nil, err
			}
			labelled = slices.Clip(labelled)
			for _, i := range taken {
				labelled = append(labelled, all[i])
			}
			return labelled, nil
		}
	}
	if p.Positions != nil {
		out.Positions = nil
		for _, one := range items {
			out.Positions = append(out.Positions, p.Positions[one])
		}
	}
	return out
}
