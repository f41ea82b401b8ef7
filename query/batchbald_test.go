package query_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// networksPool returns a pool of items on a canvas of one pixel, of which each has the probabilities of T networks, [T K].
func networksPool(classes int, items ...[]float64) query.Pool {
	networks := len(items[0]) / classes
	h := func(p []float64) (sum float64) {
		for _, v := range p {
			sum -= v * math.Log(v)
		}
		return sum
	}
	return query.Pool{
		N: len(items),
		Disagreement: func(asked []int) (query.Disagreement, error) {
			d := query.Disagreement{Sum: []float64{0}, Width: 1, Networks: networks, Classes: classes}
			for _, item := range asked {
				mean, score := make([]float64, classes), 0.0
				for t := range networks {
					p := items[item][t*classes:][:classes]
					score -= h(p) / float64(networks)
					for k := range mean {
						mean[k] += p[k] / float64(networks)
					}
				}
				d.Scores = append(d.Scores, score+h(mean))
			}
			return d, nil
		},
		Probabilities: func(asked, pixels []int) ([][]float32, error) {
			out := make([][]float32, len(asked))
			for i, item := range asked {
				for range pixels {
					for _, v := range items[item] {
						out[i] = append(out[i], float32(v))
					}
				}
			}
			return out, nil
		},
	}
}

// binary returns the probabilities of two classes, of which p1 are the second one's.
func binary(p1 ...float64) (p []float64) {
	for _, v := range p1 {
		p = append(p, 1-v, v)
	}
	return p
}

// information is a(S) by counting all configurations of labels.
func information(classes int, items ...[]float64) float64 {
	networks := len(items[0]) / classes
	total := 0.0
	configurations := int(math.Pow(float64(classes), float64(len(items))))
	for y := range configurations {
		q := 0.0
		for t := range networks {
			product, rest := 1.0, y
			for _, p := range items {
				product *= p[t*classes+rest%classes]
				rest /= classes
			}
			q += product / float64(networks)
		}
		total -= q * math.Log(q)
	}
	for _, p := range items {
		for _, v := range p {
			total += v * math.Log(v) / float64(networks)
		}
	}
	return total
}

var (
	baldA  = binary(0.9, 0.9, 0.1, 0.1)
	baldD  = binary(0.85, 0.15, 0.85, 0.15)
	unsure = binary(0.5, 0.5, 0.5, 0.5)
)

// The numbers of the joint by hand, and what follows from them: of two equal items and another one that disagrees differently, BALD takes
// the equal ones, BatchBALD does not.
func TestBatchBALDSeesRedundancy(t *testing.T) {
	for _, c := range []struct {
		want  float64
		items [][]float64
	}{
		{0.368064, [][]float64{baldA}}, {0.270438, [][]float64{baldD}}, {0.514375, [][]float64{baldA, baldA}}, {0.638502, [][]float64{baldA, baldD}},
		{0.784813, [][]float64{baldA, baldA, baldD}}, {0.736128, [][]float64{baldA, binary(0.9, 0.1, 0.9, 0.1)}},
	} {
		if got := information(2, c.items...); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("the test's own count of %v is %v, want %v", c.items, got, c.want)
		}
		if got := query.Information(networksPool(2, c.items...), 1000); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("the joint of %v is %v, want %v", c.items, got, c.want)
		}
		if got := query.Information(networksPool(2, append(c.items, unsure)...), 1000); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("a position of 0.5 in all passes adds %v", got-c.want)
		}
	}
	p := networksPool(2, baldA, baldA, baldD)
	for seed := range 10 {
		got := pick(t, query.BatchBALD{Passes: 4}, p, 2, seed)
		if got[0] == 2 || got[1] != 2 {
			t.Errorf("BatchBALD picks %v, want one of the equal items, then the other one", got)
		}
		d, _ := p.Disagreement([]int{0, 1, 2})
		if got := pick(t, query.Top{}, poolOf(d.Scores...), 2, seed); slices.Contains(got, 2) {
			t.Errorf("BALD picks %v, want the equal items", got)
		}
		// Passes that are not the same network for both items make the equal ones look different.
		if got := pick(t, query.BatchBALD{Passes: 4}, networksPool(2, baldA, binary(0.9, 0.1, 0.9, 0.1), baldD), 2, seed); slices.Contains(got, 2) {
			t.Errorf("with other masks for the second item BatchBALD picks %v", got)
		}
	}
	// As one batch of two of all 40 that are drawn, it is found by the joint as well.
	if got := pick(t, query.BatchBALD{Passes: 4, Draw: query.BatchDraw, Q: 40}, p, 2); !slices.Contains(got, 2) {
		t.Errorf("of 40 random batches %v is picked", got)
	}
	got, err := query.BatchBALD{Passes: 4, Draw: query.BatchDraw, Q: 1}.Select(networksPool(2, slices.Repeat([][]float64{baldA}, 30)...), 3, random.Stream(1))
	if err != nil || got.Scored != 3 {
		t.Errorf("of one batch of 3 items %d are scored, %v", got.Scored, err)
	}
}

// Where the networks hardly disagree, two copies can tell more than two different items. That is right.
func TestBatchBALDOfWeakDisagreement(t *testing.T) {
	x, z := []float64{.1, .2, .3, .4, .15, .15, .3, .4}, []float64{.4, .3, .2, .1, .4, .3, .16, .14}
	for _, c := range []struct {
		want  float64
		items [][]float64
	}{{0.0085809, [][]float64{x, x}}, {0.0070729, [][]float64{x, z}}} {
		if got := query.Information(networksPool(4, c.items...), 1000); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("the joint of %v is %v, want %v", c.items, got, c.want)
		}
	}
	if got := pick(t, query.BatchBALD{Passes: 2}, networksPool(4, x, x, z), 2); slices.Contains(got, 2) {
		t.Errorf("picks %v, want the copies", got)
	}
}

// randomNetworks returns items whose networks have random probabilities.
func randomNetworks(n, networks, classes int, rng *rand.Rand) [][]float64 {
	items := make([][]float64, n)
	for i := range items {
		for range networks {
			p, sum := make([]float64, classes), 0.0
			for k := range p {
				p[k] = math.Pow(rng.Float64(), 3) + 1e-3
				sum += p[k]
			}
			for _, v := range p {
				items[i] = append(items[i], v/sum)
			}
		}
	}
	return items
}

// Greedy picks are what greedy picks by counting are, and tell at least 1 - 1/e of what the best ones do.
func TestBatchBALDAgainstBruteForce(t *testing.T) {
	rng := random.Stream(5)
	for range 50 {
		classes := 2 + rng.IntN(2)
		items := randomNetworks(8, 4, classes, rng)
		at := func(picks []int) (sets [][]float64) {
			for _, i := range picks {
				sets = append(sets, items[i])
			}
			return sets
		}
		var greedy []int
		for range 3 {
			best, most := -1, math.Inf(-1)
			for i := range items {
				if a := information(classes, at(append(slices.Clone(greedy), i))...); a > most && !slices.Contains(greedy, i) {
					best, most = i, a
				}
			}
			greedy = append(greedy, best)
		}
		got := pick(t, query.BatchBALD{Passes: 4}, networksPool(classes, items...), 3)
		if !slices.Equal(got, greedy) {
			t.Fatalf("picks %v, by counting %v", got, greedy)
		}
		best := 0.0
		for i := range 8 {
			for j := range i {
				for k := range j {
					best = max(best, information(classes, items[i], items[j], items[k]))
				}
			}
		}
		if a := information(classes, at(got)...); a < (1-1/math.E)*best {
			t.Errorf("the picks tell %v, the best %v", a, best)
		}
	}
}

// stacked returns a pool on a canvas of two tiles of 4×4 pixels, 4 high and 8 wide, of which the networks disagree in the upper left pixel of either alone: there items have the
// probabilities of left and right. The scores are means over the image.
func stacked(classes int, left, right [][]float64) query.Pool {
	l, r := networksPool(classes, left...), networksPool(classes, right...)
	p := l
	p.Disagreement = func(asked []int) (query.Disagreement, error) {
		a, _ := l.Disagreement(asked)
		b, _ := r.Disagreement(asked)
		a.Sum, a.Width = make([]float64, 32), 8
		for i := range a.Scores {
			a.Sum[0] += a.Scores[i]
			a.Sum[4] += b.Scores[i]
			a.Scores[i] = (a.Scores[i] + b.Scores[i]) / 32
		}
		return a, nil
	}
	p.Probabilities = func(asked, pixels []int) (out [][]float32, err error) {
		for _, item := range asked {
			var of []float32
			for _, pixel := range pixels {
				for _, v := range map[int][]float64{0: left[item], 4: right[item]}[pixel] {
					of = append(of, float32(v))
				}
			}
			out = append(out, of)
		}
		return out, nil
	}
	return p
}

// What items tell is summed over the pixels that are compared, greedily as of random batches.
func TestBatchBALDSumsOverPixels(t *testing.T) {
	rng := random.Stream(6)
	single := 0 // of the pools, in which one pixel alone would give other picks
	for range 30 {
		left, right := randomNetworks(7, 4, 2, rng), randomNetworks(7, 4, 2, rng)
		greedy := func(places ...[][]float64) (picks []int) {
			for range 2 {
				best, most := -1, math.Inf(-1)
				for i := range left {
					a := 0.0
					for _, items := range places {
						var set [][]float64
						for _, n := range append(slices.Clone(picks), i) {
							set = append(set, items[n])
						}
						a += information(2, set...)
					}
					if a > most && !slices.Contains(picks, i) {
						best, most = i, a
					}
				}
				picks = append(picks, best)
			}
			return picks
		}
		want := greedy(left, right)
		if !slices.Equal(want, greedy(left)) && !slices.Equal(want, greedy(right)) {
			single++
		}
		if got := pick(t, query.BatchBALD{Passes: 4, Positions: 2}, stacked(2, left, right), 2); !slices.Equal(got, want) {
			t.Errorf("picks %v, by counting at both pixels %v", got, want)
		}
	}
	if single < 5 {
		t.Errorf("in %d of 30 pools do both pixels matter", single)
	}
}

// Only the candidates of the highest BALD are compared: of two, both are picked, though the third would tell more.
func TestBatchBALDShortlist(t *testing.T) {
	p := networksPool(2, baldD, baldA, baldA)
	for seed := range 5 {
		if got := pick(t, query.BatchBALD{Passes: 4, Candidates: 2}, p, 2, seed); slices.Contains(got, 0) {
			t.Errorf("of two candidates %v are picked", got)
		}
		if got := pick(t, query.BatchBALD{Passes: 4, Candidates: 3}, p, 2, seed); !slices.Contains(got, 0) {
			t.Errorf("of three candidates %v are picked", got)
		}
	}
}

// Entropies of configurations that were drawn are those of all, but for chance: their mean over many seeds within three standard errors,
// by the joint of a whole set and by that of each step.
func TestBatchBALDSamples(t *testing.T) {
	p := networksPool(2, baldA, baldA, baldD)
	for name, sampled := range map[string]func(query.Pool, int, *rand.Rand) float64{"set": query.SampledInformation, "step": query.SampledStep} {
		var values []float64
		sum, squares := 0.0, 0.0
		for seed := range 40 {
			a := sampled(p, 1000, random.Stream(uint64(seed), name))
			values = append(values, a)
			sum, squares = sum+a, squares+a*a
		}
		mean := sum / 40
		deviation := math.Sqrt((squares/40 - mean*mean) / 39)
		if math.Abs(mean-0.784813) > 3*deviation || deviation > 0.01 || deviation == 0 {
			t.Errorf("%s: 40 times 1,000 configurations give %v ± %v, want 0.784813", name, mean, deviation)
		}
		if values[0] != sampled(p, 1000, random.Stream(0, name)) {
			t.Errorf("%s: the same seed gives another estimate", name)
		}
	}
	// Of many items the products underflow, the estimate does not.
	many := networksPool(2, randomNetworks(3000, 4, 2, random.Stream(6))...)
	if a := query.SampledInformation(many, 400, random.Stream(1)); !(math.Abs(a-math.Log(4)) < 5) { // the standard error is 1.5
		t.Errorf("3,000 items tell %v of 4 networks, want nearly ln 4", a)
	}
}

// Picks do not depend on the number of threads, and pixels are the worst of each tile.
func TestBatchBALDRepeats(t *testing.T) {
	items := randomNetworks(40, 4, 3, random.Stream(8))
	for _, s := range []query.BatchBALD{{Passes: 4, Samples: 40}, {Passes: 4, Samples: 40, Draw: query.BatchDraw}} {
		want := pick(t, s, networksPool(3, items...), 8)
		old := runtime.GOMAXPROCS(1)
		got := pick(t, s, networksPool(3, items...), 8)
		runtime.GOMAXPROCS(old)
		if !slices.Equal(got, want) {
			t.Errorf("%v: picks %v on one thread, %v on more", s, got, want)
		}
	}
	sum := make([]float64, 6*9) // tiles of 4×4, 4×4, 4×1 and below them two rows of each
	for i, v := range map[int]float64{1*9 + 2: 5, 0*9 + 7: 4, 3*9 + 8: 3, 5*9 + 3: 2, 5*9 + 8: 1} {
		sum[i] = v
	}
	for positions, want := range map[int][]int{64: {7, 11, 35, 40, 48, 53}, 3: {7, 11, 35}, 1: {11}} {
		if got := query.Places(query.BatchBALD{Positions: positions}, query.Disagreement{Sum: sum, Width: 9}); !slices.Equal(got, want) {
			t.Errorf("%d positions: %v, want %v", positions, got, want)
		}
	}
	if _, err := query.Parse("batchbald(passes=3)"); err == nil {
		t.Error("1000 samples of 3 passes are taken")
	}
}
