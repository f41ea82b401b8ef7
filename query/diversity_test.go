package query_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// onLine returns a pool of one-dimensional features.
func onLine(labelled []float32, unlabelled ...float32) query.Pool {
	vectors := func(xs []float32) [][]float32 {
		out := make([][]float32, len(xs))
		for i, x := range xs {
			out[i] = []float32{x}
		}
		return out
	}
	return withFeatures(query.Pool{N: len(unlabelled)}, vectors(unlabelled), vectors(labelled))
}

// withFeatures returns p with vectors of its items, and of the labelled ones unless these are nil.
func withFeatures(p query.Pool, unlabelled, labelled [][]float32) query.Pool {
	p.Features = func() ([][]float32, error) { return unlabelled, nil }
	if labelled != nil {
		p.LabelledFeatures = func() ([][]float32, error) { return labelled, nil }
	}
	return p
}

func TestCoreSetOnALine(t *testing.T) {
	// Labelled at 0: the farthest is 10 (item 3), then 4 (item 1: 4 away from 0, 6 from 10), then 7 (item 2: 3 away).
	pool := onLine([]float32{0}, 1, 4, 7, 10, 9)
	if got := pick(t, query.CoreSet{}, pool, 3); !slices.Equal(got, []int{3, 1, 2}) {
		t.Errorf("got %v, want [3 1 2]", got)
	}
}

func TestCoreSetBreaksTiesAtRandom(t *testing.T) {
	checkDistribution(t, query.CoreSet{}, onLine([]float32{0}, 5, -5, 1, 5), 1, inOrder,
		map[string]float64{"[0]": 1. / 3, "[1]": 1. / 3, "[3]": 1. / 3})
	checkDistribution(t, query.CoreSet{}, onLine(nil, 1, 2, 3, 4), 1, inOrder,
		map[string]float64{"[0]": .25, "[1]": .25, "[2]": .25, "[3]": .25})
}

// drawVectors draws vectors on a coarse grid, so that equal distances occur.
func drawVectors(t *rapid.T, label string, n, d int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 3), func(v int) float32 { return float32(v) }), d, d).Draw(t, label)
	}
	return out
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Pow(float64(a[i])-float64(b[i]), 2)
	}
	return math.Sqrt(sum)
}

// radius returns the largest distance of an item to its nearest center.
func radius(items, labelled [][]float32, picks []int) float64 {
	worst := 0.0
	for _, x := range items {
		nearest := math.Inf(1)
		for _, c := range labelled {
			nearest = min(nearest, distance(x, c))
		}
		for _, p := range picks {
			nearest = min(nearest, distance(x, items[p]))
		}
		worst = max(worst, nearest)
	}
	return worst
}

// Every pick is a farthest item given those before it, and the covering radius is within twice the best possible.
func TestCoreSetAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.IntRange(1, 7).Draw(rt, "d")
		items := drawVectors(rt, "item", rapid.IntRange(3, 9).Draw(rt, "n"), d)
		labelled := drawVectors(rt, "labelled", rapid.IntRange(1, 3).Draw(rt, "l"), d)
		size := rapid.IntRange(1, 3).Draw(rt, "size")
		pool := withFeatures(query.Pool{N: len(items)}, items, labelled)
		picks := pick(t, query.CoreSet{}, pool, size)
		for i := range picks {
			far := radius(items, labelled, picks[:i])
			if got := radius(items[picks[i]:picks[i]+1], append(slices.Clone(labelled), at(items, picks[:i])...), nil); math.Abs(got-far) > 1e-5 {
				rt.Fatalf("pick %d is %v away, the farthest item %v", i, got, far)
			}
		}
		best := math.Inf(1)
		for _, s := range subsets(len(items), size) {
			best = min(best, radius(items, labelled, s))
		}
		if got := radius(items, labelled, picks); got > 2*best+1e-5 {
			rt.Fatalf("radius %v, the best possible is %v", got, best)
		}
	})
}

func at(items [][]float32, indices []int) [][]float32 {
	var out [][]float32
	for _, i := range indices {
		out = append(out, items[i])
	}
	return out
}

// The first center is uniform, the second drawn by squared distance; labelled items have no say.
func TestBADGEDistribution(t *testing.T) {
	x := []float32{0, 1, 3, 4, 10}
	want := map[string]float64{}
	for i := range x {
		total := 0.0
		for j := range x {
			total += float64((x[i] - x[j]) * (x[i] - x[j]))
		}
		for j := range x {
			if i != j {
				want[inOrder([]int{i, j})] = 0.2 * float64((x[i]-x[j])*(x[i]-x[j])) / total
			}
		}
	}
	checkDistribution(t, query.BADGE{}, onLine([]float32{5, 6}, x...), 2, inOrder, want)
}

// With the largest gradient first, a third pick is drawn by the distance to the nearer of two.
func TestBADGEFirstNorm(t *testing.T) {
	// First -10, farthest from 0. Then by squares 16, 81, 100, 144; the third by the smaller square of two.
	x := []float32{-6, -1, 0, 2, -10}
	want := map[string]float64{}
	square := func(i, j int) float64 { return float64((x[i] - x[j]) * (x[i] - x[j])) }
	total := 0.0
	for j := range 4 {
		total += square(4, j)
	}
	for j := range 4 {
		rest := 0.0
		for k := range 4 {
			rest += min(square(4, k), square(j, k))
		}
		for k := range 4 {
			if k != j {
				want[inOrder([]int{4, j, k})] = square(4, j) / total * min(square(4, k), square(j, k)) / rest
			}
		}
	}
	for outcome, p := range want {
		if p < 5./20_000 {
			t.Fatalf("%s has probability %v: too rare for the test", outcome, p)
		}
	}
	checkDistribution(t, query.BADGE{First: query.FirstNorm}, onLine(nil, x...), 3, inOrder, want)
}

// Copies of the picks have weight 0; when nothing else is left they are drawn uniformly.
func TestBADGEOfCopies(t *testing.T) {
	checkDistribution(t, query.BADGE{First: query.FirstNorm}, onLine(nil, 7, 2, 2, 2), 3, asSet,
		map[string]float64{"[0 1 2]": 1. / 3, "[0 1 3]": 1. / 3, "[0 2 3]": 1. / 3})
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// coverage is F of the doc comment, shifted by one for each item so that it starts at 0.
func coverage(items [][]float32, picks []int) float64 {
	sum := 0.0
	for _, x := range items {
		best := -1.0
		for _, p := range picks {
			best = max(best, cosine(items[p], x))
		}
		sum += best + 1
	}
	return sum
}

// All picks are among the K highest scores, each raises the coverage as much as any candidate could, and the whole
// is within 1 - 1/e of the best choice.
func TestSuggestiveAnnotationAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := drawVectors(rt, "item", rapid.IntRange(4, 9).Draw(rt, "n"), rapid.IntRange(1, 6).Draw(rt, "d"))
		size := rapid.IntRange(1, 3).Draw(rt, "size")
		count := rapid.IntRange(size, len(items)).Draw(rt, "candidates")
		scores := make([]float64, len(items)) // a permutation: no ties
		for i, v := range rapid.Permutation(ramp(len(items))).Draw(rt, "scores") {
			scores[i] = float64(v)
		}
		pool := withFeatures(poolOf(scores...), items, nil)
		picks := pick(t, query.SuggestiveAnnotation{Candidates: count}, pool, size)

		candidates := pick(t, query.Top{}, pool, count)
		for i, p := range picks {
			if !slices.Contains(candidates, p) {
				rt.Fatalf("pick %d is not among the candidates %v", p, candidates)
			}
			best := 0.0
			for _, c := range candidates {
				best = max(best, coverage(items, append(slices.Clone(picks[:i]), c)))
			}
			if got := coverage(items, picks[:i+1]); got < best-1e-4 {
				rt.Fatalf("step %d reaches coverage %v, %v is possible", i, got, best)
			}
		}
		best := 0.0
		for _, s := range subsets(count, size) {
			chosen := make([]int, size)
			for i, c := range s {
				chosen[i] = candidates[c]
			}
			best = max(best, coverage(items, chosen))
		}
		if got := coverage(items, picks); got < (1-1/math.E)*best-1e-4 {
			rt.Fatalf("coverage %v, the best is %v", got, best)
		}
	})
}

func ramp(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestSuggestiveAnnotationRefusesFewCandidates(t *testing.T) {
	pool := withFeatures(poolOf(1, 2, 3), [][]float32{{1}, {2}, {3}}, nil)
	if _, err := (query.SuggestiveAnnotation{Candidates: 1}).Select(pool, 2, random.Stream(1)); err == nil {
		t.Error("2 picks out of 1 candidate were accepted")
	}
}

func TestFeaturesOfTwoLengths(t *testing.T) {
	for _, c := range []struct {
		unlabelled, labelled [][]float32
		want                 string
	}{
		{[][]float32{{1}, {1, 2}}, [][]float32{}, "item 1 are 2 numbers"},
		{[][]float32{{1}, {1}}, [][]float32{{1, 2}}, "labelled item 0 are 2 numbers"},
		{[][]float32{{1}}, [][]float32{}, "1 feature vectors for 2"},
	} {
		pool := withFeatures(query.Pool{N: 2}, c.unlabelled, c.labelled)
		if _, err := (query.CoreSet{}).Select(pool, 1, random.Stream(1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("vectors that do not fit: %v, want %q", err, c.want)
		}
	}
}

// tenThousand returns the pool that the limits of time and memory are stated for: 10,000 items with 128 features, 100
// of them labelled.
func tenThousand() query.Pool {
	rng := random.Stream(2)
	vectors := func(n int) [][]float32 {
		out := make([][]float32, n)
		for i := range out {
			out[i] = make([]float32, 128)
			for j := range out[i] {
				out[i][j] = float32(rng.NormFloat64())
			}
		}
		return out
	}
	unlabelled, labelled := vectors(10_000), vectors(100)
	scores := make([]float64, len(unlabelled))
	for i := range scores {
		scores[i] = rng.Float64()
	}
	return withFeatures(poolOf(scores...), unlabelled, labelled)
}

func diversity() []query.Strategy {
	return []query.Strategy{query.CoreSet{}, query.BADGE{}, query.SuggestiveAnnotation{}}
}

// The memory beyond the features stays below 200 MB.
func TestDiversityMemory(t *testing.T) {
	pool := tenThousand()
	for _, s := range diversity() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		pick(t, s, pool, 100)
		runtime.ReadMemStats(&after)
		allocated := float64(after.TotalAlloc-before.TotalAlloc) / 1e6
		t.Logf("%s: %.1f MB", s, allocated)
		if allocated > 200 {
			t.Errorf("%s allocates %.0f MB for 100 of 10,000 items, want at most 200", s, allocated)
		}
	}
}

func BenchmarkDiversity(b *testing.B) {
	pool := tenThousand()
	for _, s := range diversity() {
		for _, size := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/B=%d", s, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					pick(b, s, pool, size)
				}
			})
		}
	}
}
