package query

import (
	"cmp"
	"math"
	"slices"
)

// CopiesOf returns which of so many picks are labelled, and which labelled items get a copy, the most uncertain first, as s.Training.Copies says. u has the
// uncertainty of the picks and, behind them, of the labelled items; keep are places among the picks, copies among the labelled items.
func CopiesOf(s Spec, picks int, u []float64) (keep, copies []int) {
	order := make([]int, len(u))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(u[b], u[a]) })
	for i := range picks {
		keep = append(keep, i)
	}
	if s.Training.Copies == CopiesPublished {
		best := order[:picks]
		if !slices.ContainsFunc(best, func(i int) bool { return i < picks }) { // a query without a label would end the run
			first := slices.IndexFunc(order, func(i int) bool { return i < picks })
			best = append(slices.Clone(best[:picks-1]), order[first])
		}
		keep = slices.DeleteFunc(keep, func(i int) bool { return !slices.Contains(best, i) })
		for _, i := range best {
			if i >= picks {
				copies = append(copies, i-picks)
			}
		}
		return keep, copies
	}
	threshold, mean := math.Inf(1), 0.0
	for _, v := range u[:picks] {
		threshold = min(threshold, v)
		mean += v / float64(picks)
	}
	if _, batches := s.Strategy.(StochasticBatches); batches {
		threshold = mean
	}
	for _, i := range order {
		if i >= picks && u[i] > threshold && len(copies) < picks {
			copies = append(copies, i-picks)
		}
	}
	return keep, copies
}
