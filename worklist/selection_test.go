package worklist

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// kinds is a query for 6 cases of 12 slices, of which each 3 neighbours look alike: there are 4 kinds in every case.
func kinds(t *testing.T, strategy string, size, perCase int, seed uint64) (q *run, pool query.Pool, told *string) {
	t.Helper()
	told = new(string)
	q = &run{notice: func(text string) { *told += text }}
	q.Strategy, q.Size, q.PerCase, q.Experiment.Seed = strategy, size, perCase, seed
	q.spec = q.Config.spec()
	rng := rand.New(rand.NewPCG(seed, 1))
	var features [][]float32
	for index := range 6 {
		for k := range 12 {
			q.candidates = append(q.candidates, item{index, k})
			pool.Positions = append(pool.Positions, query.Position{Case: index, Slice: k})
			f := make([]float32, 5)
			for i := range f {
				f[i] = 0.05 * rng.Float32()
			}
			f[k/3]++
			features = append(features, f)
		}
	}
	pool.N = len(features)
	pool.Features = func() ([][]float32, error) { return features, nil }
	pool.LabelledFeatures = func() ([][]float32, error) { return nil, nil }
	pool.Score = func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i := range scores {
			scores[i] = 1
		}
		return scores, nil
	}
	return q, pool, told
}

// With few picks of each case a strategy that spreads its picks over what slices look like still asks for every kind.
func TestPerCaseKeepsPicksInMind(t *testing.T) {
	for _, strategy := range []string{"typiclust", "core-set", "suggestive-annotation(candidates=72)", "badge", "entropy+usim"} {
		complete := 0
		for seed := range uint64(20) {
			q, pool, told := kinds(t, strategy, 4, 1, seed)
			s, err := q.selectFrom(pool)
			must(t, err)
			seen, cases := map[int]bool{}, map[int]bool{}
			for _, i := range s.Items {
				seen[q.candidates[i].slice/3], cases[q.candidates[i].index] = true, true
			}
			if len(s.Items) != 4 || len(cases) != 4 || *told != "" {
				t.Errorf("%s: %v, %s", strategy, s.Items, *told)
			}
			if len(seen) == 4 {
				complete++
			}
		}
		if complete < 15 { // by chance two
			t.Errorf("%s: of 20 queries %d have every kind", strategy, complete)
		}
	}
}

// Picks whose order says nothing are not cut by it: strided asks for slices at all heights, of as many as the cases may have, which is told.
func TestPerCaseOfStrided(t *testing.T) {
	for _, c := range []struct{ size, perCase, want int }{{6, 1, 6}, {10, 1, 6}, {24, 1, 6}, {24, 2, 12}, {10, 2, 10}} {
		upper, picks := 0, 0
		for seed := range uint64(20) {
			q, pool, told := kinds(t, "strided", c.size, c.perCase, seed)
			s, err := q.selectFrom(pool)
			must(t, err)
			if len(s.Items) != c.want || strings.Contains(*told, "at most") != (c.want < c.size) {
				t.Errorf("%+v: %d picks, told %q", c, len(s.Items), *told)
			}
			for _, i := range s.Items {
				picks++
				if q.candidates[i].slice >= 6 {
					upper++
				}
			}
		}
		if share := float64(upper) / float64(picks); share < 0.4 || share > 0.6 {
			t.Errorf("%+v: %.2f of the picks lie in the upper half", c, share)
		}
	}
}
