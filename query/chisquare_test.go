package query_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// poolOf returns a pool with these scores.
func poolOf(scores ...float64) query.Pool {
	return query.Pool{N: len(scores), Score: func(items []int) ([]float64, error) {
		out := make([]float64, len(items))
		for i, item := range items {
			out[i] = scores[item]
		}
		return out, nil
	}}
}

// pick returns the picks of one selection.
func pick(t testing.TB, s query.Strategy, p query.Pool, size int, path ...any) []int {
	t.Helper()
	got, err := s.Select(p, size, random.Stream(1, path...))
	if err != nil {
		t.Fatal(err)
	}
	return got.Items
}

// checkDistribution selects many times and compares how often each outcome occurs with its probability, by Pearson's
// chi-square test at the level of 1 in 10,000; the seed is fixed. key says what counts as the same outcome.
func checkDistribution(t *testing.T, s query.Strategy, p query.Pool, size int, key func(items []int) string, want map[string]float64) {
	t.Helper()
	const draws = 20_000
	counts := map[string]int{}
	rng := random.Stream(7, t.Name())
	for range draws {
		got, err := s.Select(p, size, rng)
		if err != nil {
			t.Fatal(err)
		}
		counts[key(got.Items)]++
	}
	chi2, cells, sum := 0.0, 0, 0.0
	for _, outcome := range slices.Sorted(maps.Keys(want)) {
		sum += want[outcome]
		expected := want[outcome] * draws
		if expected == 0 {
			if counts[outcome] > 0 {
				t.Errorf("%s occurred %d times and must never", outcome, counts[outcome])
			}
			continue
		}
		if expected < 5 {
			t.Fatalf("%s is expected %.1f times: too rarely for a chi-square test", outcome, expected)
		}
		d := float64(counts[outcome]) - expected
		chi2 += d * d / expected
		cells++
	}
	if sum < 1-1e-9 || sum > 1+1e-9 {
		t.Fatalf("the expected probabilities add up to %v", sum)
	}
	for outcome := range counts {
		if _, known := want[outcome]; !known {
			t.Errorf("%s must not occur", outcome)
		}
	}
	if cells < 2 {
		return
	}
	if p := (distuv.ChiSquared{K: float64(cells - 1)}).Survival(chi2); p < 1e-4 {
		t.Errorf("chi-square %.1f on %d outcomes, p = %.2g: not the expected distribution; counts %v", chi2, cells, p, counts)
	}
}

// asSet and inOrder are keys of outcomes.
func asSet(items []int) string   { return fmt.Sprint(slices.Sorted(slices.Values(items))) }
func inOrder(items []int) string { return fmt.Sprint(items) }

// subsets returns all sets of size of 0..n-1, each in increasing order.
func subsets(n, size int) [][]int {
	if size == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for last := size - 1; last < n; last++ {
		for _, s := range subsets(last, size-1) {
			out = append(out, append(slices.Clone(s), last))
		}
	}
	return out
}

// uniform gives all sets the same probability.
func uniform(sets [][]int) map[string]float64 {
	want := map[string]float64{}
	for _, s := range sets {
		want[asSet(s)] += 1 / float64(len(sets))
	}
	return want
}

func TestRandomIsUniform(t *testing.T) {
	checkDistribution(t, query.Random{}, query.Pool{N: 9}, 3, asSet, uniform(subsets(9, 3)))
}

// Equal scores are ranked at random: item order has no say.
func TestTopBreaksTiesAtRandom(t *testing.T) {
	want := map[string]float64{}
	for _, s := range subsets(6, 2) { // items 1 to 6 are equal, item 0 is above, item 7 below
		want[asSet([]int{0, s[0] + 1, s[1] + 1})] = 1. / 15
	}
	checkDistribution(t, query.Top{}, poolOf(9, 5, 5, 5, 5, 5, 5, 1), 3, asSet, want)
}

// inTurn returns the probability of each ordered pair when items are taken one after the other with probability
// proportional to their weights.
func inTurn(weights ...float64) map[string]float64 {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	want := map[string]float64{}
	for i, first := range weights {
		for j, second := range weights {
			if i != j {
				want[inOrder([]int{i, j})] = first / total * second / (total - first)
			}
		}
	}
	return want
}

func TestNoiseDistributions(t *testing.T) {
	for _, c := range []struct {
		strategy query.Strategy
		scores   []float64
		weights  []float64
	}{
		{query.Power{}, []float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}},
		{query.Power{Beta: 2}, []float64{1, 2, 3, 4}, []float64{1, 4, 9, 16}},
		{query.Power{}, []float64{1, 0, 3, 2}, []float64{1, 0, 3, 2}},
		{query.Softmax{}, []float64{-1, 0, 1, 0.5}, []float64{math.Exp(-1), math.Exp(0), math.Exp(1), math.Exp(0.5)}},
		{query.Softmax{Beta: 2}, []float64{-0.5, 0, 0.5, 0}, []float64{math.Exp(-1), math.Exp(0), math.Exp(1), math.Exp(0)}},
		{query.SoftRank{}, []float64{-7, 100, 0.1, 0.2}, []float64{1. / 4, 1, 1. / 3, 1. / 2}},
		{query.SoftRank{Beta: 2}, []float64{-7, 100, 0.1, 0.2}, []float64{1. / 16, 1, 1. / 9, 1. / 4}},
	} {
		t.Run(fmt.Sprint(c.strategy, c.scores), func(t *testing.T) {
			checkDistribution(t, c.strategy, poolOf(c.scores...), 2, inOrder, inTurn(c.weights...))
		})
	}
}

func TestPowerOfNegativeScore(t *testing.T) {
	_, err := query.Power{}.Select(poolOf(1, -0.5, 2), 1, random.Stream(1))
	if err == nil || !strings.Contains(err.Error(), "item 1 ") || !strings.Contains(err.Error(), "softmax") {
		t.Errorf("got %v, want an error that names item 1 and a way out", err)
	}
}

// Items of score 0 come last, when nothing else is left, and then at random.
func TestPowerOfZero(t *testing.T) {
	want := map[string]float64{"[0 1]": 1. / 3, "[0 2]": 1. / 3, "[0 3]": 1. / 3}
	checkDistribution(t, query.Power{}, poolOf(0.1, 0, 0, 0), 2, asSet, want)
}
