package query_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// stack returns a pool of cases with these numbers of slices, in a scrambled order.
func stack(sizes ...int) query.Pool {
	var p query.Pool
	for c, n := range sizes {
		for s := range n {
			p.Positions = append(p.Positions, query.Position{Case: c, Slice: s})
		}
	}
	p.N = len(p.Positions)
	rng := random.Stream(11)
	rng.Shuffle(p.N, func(i, j int) { p.Positions[i], p.Positions[j] = p.Positions[j], p.Positions[i] })
	return p
}

// slicesOf returns the picked slices of each case, in increasing order.
func slicesOf(p query.Pool, picks []int) map[int][]int {
	out := map[int][]int{}
	for _, i := range picks {
		out[p.Positions[i].Case] = append(out[p.Positions[i].Case], p.Positions[i].Slice)
	}
	for _, s := range out {
		slices.Sort(s)
	}
	return out
}

// Ten cases of 20 slices. Ten picks: one of each case, at ten different heights, one in each tenth of the height.
func TestStridedOnePerCase(t *testing.T) {
	pool := stack(20, 20, 20, 20, 20, 20, 20, 20, 20, 20)
	for trial := range 50 {
		var tenths []int
		for c, s := range slicesOf(pool, pick(t, query.Strided{}, pool, 10, trial)) {
			if len(s) != 1 {
				t.Fatalf("case %d gives slices %v, want one", c, s)
			}
			tenths = append(tenths, s[0]/2)
		}
		slices.Sort(tenths)
		if !slices.Equal(tenths, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Fatalf("heights in tenths: %v, want each once", tenths)
		}
	}
}

// Four picks of each case of 20 slices lie five apart.
func TestStridedWithinACase(t *testing.T) {
	pool := stack(20, 20, 20)
	for trial := range 50 {
		for c, s := range slicesOf(pool, pick(t, query.Strided{}, pool, 12, trial)) {
			if len(s) != 4 || s[1]-s[0] != 5 || s[2]-s[1] != 5 || s[3]-s[2] != 5 {
				t.Fatalf("case %d gives slices %v, want four that lie five apart", c, s)
			}
		}
	}
}

// All items are equally likely where all cases have one size: strided is as unbiased as random.
func TestStridedIsFair(t *testing.T) {
	pool := stack(4, 4, 4)
	counts := make([]float64, pool.N)
	const trials = 6000
	for trial := range trials {
		for _, i := range pick(t, query.Strided{}, pool, 2, trial) {
			counts[i]++
		}
	}
	for i, n := range counts {
		// 2 of 12 each; five standard deviations of a binomial count.
		if want := trials * 2. / 12; math.Abs(n-want) > 5*math.Sqrt(want) {
			t.Errorf("item %d is picked %v times, want about %v", i, n, want)
		}
	}
}

// The picks are dealt out evenly: a case that gives two fewer than another has no more to give.
func TestStridedDealsEvenly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 6).Draw(rt, "slices of each case")
		pool := stack(sizes...)
		picks := slicesOf(pool, pick(t, query.Strided{}, pool, rapid.IntRange(1, pool.N).Draw(rt, "size")))
		for c, n := range sizes {
			for other := range sizes {
				if len(picks[c]) < len(picks[other])-1 && len(picks[c]) < n {
					rt.Fatalf("case %d gives %d of %d, case %d gives %d", c, len(picks[c]), n, other, len(picks[other]))
				}
			}
		}
	})
}

func TestRandomHiddenForegroundDistribution(t *testing.T) {
	// Items 0 and 1 hold foreground. Half of two picks is one of them, the other any of the remaining four.
	pool := query.Pool{N: 5, HiddenForeground: []bool{true, true, false, false, false}}
	want := map[string]float64{}
	for _, first := range []int{0, 1} {
		for second := range 5 {
			if second != first {
				want[asSet([]int{first, second})] += 1. / 8
			}
		}
	}
	checkDistribution(t, query.RandomHiddenForeground{Fraction: 0.5}, pool, 2, asSet, want)
}

// Where there is too little foreground the rest of the query is drawn from what is left.
func TestRandomHiddenForegroundRunsOut(t *testing.T) {
	pool := query.Pool{N: 5, HiddenForeground: []bool{true, false, false, false, true}}
	checkDistribution(t, query.RandomHiddenForeground{Fraction: 1}, pool, 3, asSet,
		map[string]float64{"[0 1 4]": 1. / 3, "[0 2 4]": 1. / 3, "[0 3 4]": 1. / 3})
}

func TestBaselinesSayWhatIsMissing(t *testing.T) {
	for _, s := range []query.Strategy{query.Strided{}, query.RandomHiddenForeground{}, query.RandomHiddenForeground{Fraction: 2}} {
		pool := query.Pool{N: 3}
		if s == (query.RandomHiddenForeground{Fraction: 2}) {
			pool.HiddenForeground = make([]bool, 3)
		}
		if _, err := s.Select(pool, 1, random.Stream(1)); err == nil {
			t.Errorf("%+v accepted a pool without what it needs, or an option out of range", s)
		}
	}
}
