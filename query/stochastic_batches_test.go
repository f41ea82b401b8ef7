package query_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// The definition by enumeration: all ways to draw two batches of two out of five items are equally likely, the batch
// of the higher score wins, the first of equals.
func TestStochasticBatchesAgainstDefinition(t *testing.T) {
	scores := []float64{0.1, 0.2, 0.4, 0.8, 0.3}
	mean := func(s []int) float64 { return (scores[s[0]] + scores[s[1]]) / 2 }
	highest := func(s []int) float64 { return max(scores[s[0]], scores[s[1]]) }
	any := func(a, b []int) bool { return true }
	disjoint := func(a, b []int) bool { return !slices.Contains(b, a[0]) && !slices.Contains(b, a[1]) }
	for _, c := range []struct {
		draw    query.Draw
		reduce  query.Reduce
		allowed func(a, b []int) bool
		score   func(s []int) float64
	}{
		{query.Resample, query.Mean, any, mean},
		{query.Resample, query.Max, any, highest},
		{query.Resample, query.Sum, any, mean},
		{query.Partition, query.Mean, disjoint, mean},
		{query.Partition, query.Max, disjoint, highest},
	} {
		t.Run(fmt.Sprint(c.draw, c.reduce), func(t *testing.T) {
			want, ways := map[string]float64{}, 0.0
			for _, first := range subsets(5, 2) {
				want[asSet(first)] += 0
				for _, second := range subsets(5, 2) {
					if !c.allowed(first, second) {
						continue
					}
					ways++
					if c.score(second) > c.score(first) {
						want[asSet(second)]++
					} else {
						want[asSet(first)]++
					}
				}
			}
			for outcome := range want {
				want[outcome] /= ways
			}
			checkDistribution(t, query.StochasticBatches{Draw: c.draw, Reduce: c.reduce, Q: 2}, poolOf(scores...), 2, asSet, want)
		})
	}
}

// One candidate batch is a random draw, whatever the scores.
func TestOneBatchIsRandom(t *testing.T) {
	for _, draw := range []query.Draw{query.Resample, query.Partition} {
		t.Run(string(draw), func(t *testing.T) {
			checkDistribution(t, query.StochasticBatches{Q: 1, Draw: draw}, poolOf(9, 1, 1, 1, 1, 1, 1, 1, 5), 3, asSet,
				uniform(subsets(9, 3)))
		})
	}
}

// With ever more batches the mean score of the picks rises to that of the highest scores.
func TestManyBatchesApproachTop(t *testing.T) {
	rng := random.Stream(3)
	scores := make([]float64, 30)
	for i := range scores {
		scores[i] = rng.Float64()
	}
	pool := poolOf(scores...)
	meanOf := func(s query.Strategy, size int, trials int) float64 {
		sum := 0.0
		for trial := range trials {
			for _, item := range pick(t, s, pool, size, trial) {
				sum += scores[item]
			}
		}
		return sum / float64(size*trials)
	}
	top := meanOf(query.Top{}, 3, 1)
	last := meanOf(query.StochasticBatches{Q: 1}, 3, 50)
	for _, q := range []int{10, 100, 1000, 100_000} {
		next := meanOf(query.StochasticBatches{Q: q}, 3, 20)
		if next <= last {
			t.Errorf("Q = %d: mean score %v, not above %v of fewer batches", q, next, last)
		}
		last = next
	}
	// 4060 sets of three: 100,000 draws miss the best one with probability e^-25.
	if last < top-1e-9 {
		t.Errorf("Q = 100,000: mean score %v, want %v of the highest three", last, top)
	}
}

// 50 of 1,000 items are near-identical and the most uncertain of all: the highest scores are all of them, a waste of
// labels. Stochastic batches take few of them, though more than a blind draw does (0.5 of 10).
func TestClusterOfUncertainItems(t *testing.T) {
	rng := random.Stream(5)
	scores := make([]float64, 1000)
	for i := range scores {
		scores[i] = 0.6 * rng.Float64()
		if i < 50 {
			scores[i] = 0.65 + 0.001*rng.Float64()
		}
	}
	pool := poolOf(scores...)
	clustered := func(items []int) int {
		n := 0
		for _, item := range items {
			if item < 50 {
				n++
			}
		}
		return n
	}
	const trials = 200
	for _, draw := range []query.Draw{query.Resample, query.Partition} {
		total, most := 0, 0
		for trial := range trials {
			if n := clustered(pick(t, query.Top{}, pool, 10, trial)); n != 10 {
				t.Fatalf("the highest scores hold %d of the cluster, want 10", n)
			}
			n := clustered(pick(t, query.StochasticBatches{Draw: draw}, pool, 10, trial))
			total, most = total+n, max(most, n)
		}
		mean := float64(total) / trials
		t.Logf("%s: %.2f of 10 picks from the cluster on average, at most %d", draw, mean, most)
		if mean < 0.6 || mean > 2.5 || most > 5 {
			t.Errorf("%s: %.2f of 10 picks from the cluster on average, at most %d; want 0.6 to 2.5 and at most 5", draw, mean, most)
		}
	}
}

// Ties go to the batch drawn first: more batches of equal score change nothing.
func TestTiesGoToTheFirstBatch(t *testing.T) {
	pool := poolOf(make([]float64, 40)...)
	for _, draw := range []query.Draw{query.Resample, query.Partition} {
		one := pick(t, query.StochasticBatches{Q: 1, Draw: draw}, pool, 4)
		if many := pick(t, query.StochasticBatches{Q: 50, Draw: draw}, pool, 4); !slices.Equal(one, many) {
			t.Errorf("%s: %v, with more batches %v", draw, one, many)
		}
	}
}

// With the default Q, resampling leaves about 1/e of the pool in no batch: these items are not scored. A partition
// leaves the incomplete last group.
func TestOnlyDrawnItemsAreScored(t *testing.T) {
	scores := make([]float64, 1005)
	for draw, want := range map[query.Draw][2]int{query.Resample: {590, 680}, query.Partition: {1000, 1000}} {
		got, err := query.StochasticBatches{Draw: draw}.Select(poolOf(scores...), 10, random.Stream(1))
		if err != nil || got.Scored < want[0] || got.Scored > want[1] {
			t.Errorf("%s: %d of 1005 items scored, error %v; want %v", draw, got.Scored, err, want)
		}
	}
}

// With more batches than a permutation holds, the partition starts a new one: the batches in one are disjoint.
func TestPartitionGoesOn(t *testing.T) {
	// Items 0 and 1 together win; in one permutation of 4 items they are a batch with probability 1/3, in 20
	// permutations almost surely.
	pool := poolOf(1, 1, 0, 0)
	together := 0
	for trial := range 100 {
		if asSet(pick(t, query.StochasticBatches{Draw: query.Partition, Q: 40}, pool, 2, trial)) == "[0 1]" {
			together++
		}
	}
	if together < 98 {
		t.Errorf("found the best pair in %d of 100 selections with 20 permutations each", together)
	}
}

func TestStochasticBatchesRefusesOptions(t *testing.T) {
	for _, s := range []query.StochasticBatches{{Q: -1}, {Draw: "half"}, {Reduce: "median"}} {
		if _, err := s.Select(poolOf(1, 2, 3), 1, random.Stream(1)); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}

func million() query.Pool {
	rng := random.Stream(1)
	scores := make([]float64, 1_000_000)
	for i := range scores {
		scores[i] = rng.Float64()
	}
	return query.Pool{N: len(scores), Score: func(items []int) ([]float64, error) {
		out := make([]float64, len(items))
		for i, item := range items {
			out[i] = scores[item]
		}
		return out, nil
	}}
}

// A million items and 100,000 batches take memory in proportion. The benchmark measures the time.
func TestStochasticBatchesOfAMillion(t *testing.T) {
	pool := million()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	items := pick(t, query.StochasticBatches{Q: 100_000}, pool, 10)
	runtime.ReadMemStats(&after)
	if allocated := float64(after.TotalAlloc-before.TotalAlloc) / 1e6; len(items) != 10 || allocated > 100 {
		t.Errorf("%d items with %.0f MB; want 10 with at most 100 MB", len(items), allocated)
	}
}

func BenchmarkStochasticBatchesOfAMillion(b *testing.B) {
	pool := million()
	b.ReportAllocs()
	for b.Loop() {
		pick(b, query.StochasticBatches{Q: 100_000}, pool, 10)
	}
}
