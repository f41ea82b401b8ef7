package query_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// classPool returns a pool of items with these class scores, each in a case of its own.
func classPool(scores ...[]float64) query.Pool {
	p := query.Pool{N: len(scores), Queries: 4, Positions: make([]query.Position, len(scores))}
	for i := range scores {
		p.Positions[i].Case = i
	}
	p.ClassScores = func(items []int) ([][]float64, error) {
		out := make([][]float64, len(items))
		for i, item := range items {
			out[i] = scores[item]
		}
		return out, nil
	}
	return p
}

// owned returns a pool in which each class has many items that no other wants: item i is uncertain about class i mod K alone.
func owned(n, classes int) query.Pool {
	scores := make([][]float64, n)
	for i := range scores {
		scores[i] = make([]float64, classes)
		scores[i][i%classes] = 1 + float64(i)/float64(n)
	}
	return classPool(scores...)
}

// How many items each class gets, s_0 first; the remainder goes to classes drawn by lot.
func TestClaSPShares(t *testing.T) {
	for _, c := range []struct {
		size, classes int
		sorted        []int // the classes' shares, smallest first
		rest          int   // of s_0
	}{
		{10, 2, []int{6}, 4}, {10, 3, []int{3, 3}, 4}, {10, 4, []int{2, 2, 2}, 4}, {20, 4, []int{4, 4, 5}, 7}, {1, 3, []int{0, 0}, 1},
	} {
		luckiest := map[int]bool{}
		for seed := range 40 {
			got := make([]int, c.classes)
			for _, item := range pick(t, query.ClaSP{Noise: query.NoNoise}, owned(200, c.classes), c.size, seed) {
				got[item%c.classes]++
			}
			for k := range got {
				if k > 0 && got[k] == c.sorted[len(c.sorted)-1] {
					luckiest[k] = true
				}
			}
			if rest := got[0]; rest != c.rest {
				t.Fatalf("B %d, K %d: %d picks by uncertainty, want %d", c.size, c.classes, rest, c.rest)
			}
			if slices.Sort(got[1:]); !slices.Equal(got[1:], c.sorted) {
				t.Fatalf("B %d, K %d: the classes get %v, want %v", c.size, c.classes, got[1:], c.sorted)
			}
		}
		if len(luckiest) != c.classes-1 {
			t.Errorf("B %d, K %d: only the classes %v ever get the largest share", c.size, c.classes, luckiest)
		}
	}
}

// The noise draws in proportion to s^β, which grows from 1 by the number of the query.
func TestClaSPNoise(t *testing.T) {
	byUncertainty := query.ClaSP{Fraction: 1e-9, Cap: query.NoCap} // no share for classes
	p := classPool([]float64{0.1, 0}, []float64{0.2, 0}, []float64{0.7, 0})
	key := func(items []int) string { return fmt.Sprint(items) }
	checkDistribution(t, byUncertainty, p, 1, key, map[string]float64{"[0]": 0.1, "[1]": 0.2, "[2]": 0.7})
	p.Query = 1
	checkDistribution(t, byUncertainty, p, 1, key, map[string]float64{"[0]": 0.00208, "[1]": 0.01864, "[2]": 0.97928})
	p.Query = 3 // β 31.6
	checkDistribution(t, byUncertainty, p, 1, key, map[string]float64{"[0]": 0, "[1]": 0, "[2]": 1})

	// Two picks: the probability that an item is among them.
	p.Query = 0
	included, rng := [3]float64{}, random.Stream(3)
	const draws = 20_000
	for range draws {
		s, err := byUncertainty.Select(p, 2, rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range s.Items {
			included[item] += 1.0 / draws
		}
	}
	for i, want := range []float64{0.358333, 0.688889, 0.952778} {
		if math.Abs(included[i]-want) > 0.012 {
			t.Errorf("item %d is among two picks with probability %.3f, want %.3f", i, included[i], want)
		}
	}
	p.Queries = 0 // unknown: as of 4, and β stays 100 from then on
	for _, number := range []int{4, 5, 1000} {
		p.Query = number
		if got := pick(t, byUncertainty, p, 1, number); got[0] != 2 {
			t.Errorf("query %d of an unknown number picks %v", number, got)
		}
	}
}

// Two classes that want the same item: one gets it, the other takes its next best.
func TestClaSPTakesNothingTwice(t *testing.T) {
	p := classPool([]float64{0, 9, 9}, []float64{0, 8, 0}, []float64{0, 0, 8}, []float64{1, 0, 0}, []float64{1, 0, 0}, []float64{1, 0, 0})
	for seed := range 20 {
		got := pick(t, query.ClaSP{Noise: query.NoNoise}, p, 4, seed) // ⌊0.66·4⌋ is one each for two classes
		rest := len(got)
		if n := len(slices.DeleteFunc(slices.Clone(got), func(i int) bool { return i < 3 })); n != 2 || rest != 4 || !slices.Contains(got, 0) {
			t.Errorf("picks %v: want item 0, one of 1 and 2, and two others", got)
		}
	}
}

// A class that is in one of a hundred slices gets its pick, which by uncertainty alone it never does.
func TestClaSPFindsRareClass(t *testing.T) {
	const n = 200
	scores := make([][]float64, n)
	for i := range scores {
		scores[i] = []float64{0.5 + float64(i)/1000, 0.3, 0}
	}
	scores[17], scores[90] = []float64{0.1, 0, 0.05}, []float64{0.1, 0, 0.05}
	rare := func(items []int) int {
		return len(slices.DeleteFunc(slices.Clone(items), func(i int) bool { return i != 17 && i != 90 }))
	}
	p := classPool(scores...)
	p.Query, p.Queries = 4, 0
	if got := pick(t, query.ClaSP{}, p, 10); rare(got) == 0 {
		t.Errorf("picks %v: none of the rare class", got)
	}
	uncertainty := make([]float64, n)
	for i := range scores {
		uncertainty[i] = scores[i][0]
	}
	if got := pick(t, query.Top{}, poolOf(uncertainty...), 10); rare(got) > 0 {
		t.Errorf("top picks %v", got)
	}
}

// A case gives only as many as its share allows; where that is too few the limit is lifted.
func TestClaSPCap(t *testing.T) {
	p := owned(60, 2)
	for i := range p.Positions {
		p.Positions[i].Case = i / 10 // six cases of ten slices, the last of the highest scores
	}
	of := func(s query.ClaSP, k int) (most int) {
		count := map[int]int{}
		for _, item := range pick(t, s, p, 10) {
			if item%2 == k {
				count[p.Positions[item].Case]++
				most = max(most, count[p.Positions[item].Case])
			}
		}
		return most
	}
	// B 10, K 2: at most ⌊6.6/2⌋ of a case for the class, ⌊3.4⌋ by uncertainty; without a limit the last case gives all it has.
	free := query.ClaSP{Noise: query.NoNoise, Cap: query.NoCap}
	if a, b := of(query.ClaSP{Noise: query.NoNoise}, 1), of(query.ClaSP{Noise: query.NoNoise}, 0); a != 3 || b != 3 {
		t.Errorf("%d and %d of a case, want 3 and 3", a, b)
	}
	if a, b := of(free, 1), of(free, 0); a != 5 || b != 4 {
		t.Errorf("without a limit %d and %d of a case, want 5 and 4", a, b)
	}
	for i := range p.Positions {
		p.Positions[i].Case = 0
	}
	if a, b := of(query.ClaSP{Noise: query.NoNoise}, 1), of(query.ClaSP{Noise: query.NoNoise}, 0); a != 6 || b != 4 {
		t.Errorf("of a single case %d and %d, want 6 and 4", a, b)
	}
}

// noise=sb takes the best of random batches: better than chance, and not the best items.
func TestClaSPWithStochasticBatches(t *testing.T) {
	p := owned(200, 2)
	mean := func(s query.ClaSP, seed int) (sum float64) {
		for _, item := range pick(t, s, p, 10, "sb", seed) {
			if item%2 == 1 {
				sum += float64(item) / 6
			}
		}
		return sum
	}
	batches, best := 0.0, mean(query.ClaSP{Noise: query.NoNoise, Cap: query.NoCap}, 0)
	for seed := range 20 {
		batches += mean(query.ClaSP{Noise: query.BatchNoise}, seed) / 20
	}
	// A batch of 6 among 200 items of which the class has half: the best of 33 holds far more of it than 3 by chance (50).
	if !(batches > 65 && batches < best-20) {
		t.Errorf("the class's picks sum to %.0f, the best ones to %.0f", batches, best)
	}
}
