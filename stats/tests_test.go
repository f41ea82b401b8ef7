package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// differences draws small whole numbers, so that ties and zeros abound.
func differences(t *rapid.T) []float64 {
	whole := rapid.SliceOfN(rapid.IntRange(-4, 6), 1, 11).Draw(t, "differences")
	out := make([]float64, len(whole))
	for i, w := range whole {
		out[i] = float64(w)
	}
	return out
}

// shareOfSigns returns the share of all sign assignments to sizes under which the statistic is at least as far from
// its middle as it is with the observed signs.
func shareOfSigns(sizes []float64, observed []bool, statistic func(sizes []float64, positive []bool) float64) float64 {
	seen := statistic(sizes, observed)
	hits, all := 0, 1<<len(sizes)
	for bits := range all {
		positive := make([]bool, len(sizes))
		for i := range positive {
			positive[i] = bits>>i&1 == 1
		}
		if math.Abs(statistic(sizes, positive)) >= math.Abs(seen)-1e-9 {
			hits++
		}
	}
	return float64(hits) / float64(all)
}

// signedSum is the sum of the sizes with their signs: twice the distance of the positive ones from their middle.
func signedSum(sizes []float64, positive []bool) float64 {
	sum := 0.0
	for i, s := range sizes {
		if positive[i] {
			sum += s
		} else {
			sum -= s
		}
	}
	return sum
}

// bruteRanks counts the smaller and the equal values.
func bruteRanks(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		smaller, equal := 0, 0
		for _, w := range values {
			if w < v {
				smaller++
			} else if w == v {
				equal++
			}
		}
		out[i] = float64(smaller) + float64(equal+1)/2
	}
	return out
}

func TestWilcoxonAgainstEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := differences(t)
		var absolute []float64
		var positive []bool
		for _, v := range d {
			if v != 0 {
				absolute, positive = append(absolute, math.Abs(v)), append(positive, v > 0)
			}
		}
		want := shareOfSigns(bruteRanks(absolute), positive, signedSum)
		if got := Wilcoxon(d); !near(got.P, want, 1e-12) || !got.Exact || got.N != len(positive) {
			t.Fatalf("%v: got %+v, want p %v", d, got, want)
		}
	})
}

func TestSignFlipAgainstEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := differences(t)
		scale := rapid.SampledFrom([]float64{1, 0.1, 1e-3, 1e6}).Draw(t, "scale") // tenths do not add up exactly
		sizes, positive := make([]float64, len(d)), make([]bool, len(d))
		scaled := make([]float64, len(d))
		for i, v := range d {
			sizes[i], positive[i], scaled[i] = math.Abs(v), v > 0, v*scale
		}
		want := shareOfSigns(sizes, positive, signedSum)
		if got := SignFlip(scaled, 0, nil); got.P != want || !got.Exact {
			t.Fatalf("%v: got %+v, want p %v", scaled, got, want)
		}
	})
}

func TestSmallestP(t *testing.T) {
	for n := 1; n <= 20; n++ {
		d := make([]float64, n)
		for i := range d {
			d[i] = 0.01 + float64(i*i)*0.003
		}
		want := 2 / math.Pow(2, float64(n))
		if got := SignFlip(d, 0, nil).P; got != want {
			t.Errorf("n=%d: sign-flip %v, want %v", n, got, want)
		}
		if got := Wilcoxon(d).P; !near(got, want, 1e-15) {
			t.Errorf("n=%d: signed-rank %v, want %v", n, got, want)
		}
		warning, few := FewSets(n)
		if few != (want > 0.05) {
			t.Errorf("n=%d: warned %v %v", n, few, warning)
		}
	}
}

func TestNoDifferences(t *testing.T) {
	for name, got := range map[string]Test{
		"sign-flip": SignFlip(nil, 0, nil), "signed-rank": Wilcoxon(nil), "t": PairedT([]float64{1}),
	} {
		if !math.IsNaN(got.P) {
			t.Errorf("%s: got p %v, want NaN", name, got.P)
		}
	}
	zeros := make([]float64, 5)
	for name, got := range map[string]Test{
		"sign-flip": SignFlip(zeros, 0, nil), "signed-rank": Wilcoxon(zeros), "t": PairedT(zeros),
	} {
		if got.P != 1 {
			t.Errorf("%s of zeros: got p %v, want 1", name, got.P)
		}
	}
	if got := PairedT([]float64{-2, -2, -2}); got.P != 0 || !math.IsInf(got.Statistic, -1) {
		t.Errorf("equal differences: got %+v, want p 0 and t -Inf", got)
	}
}

// Above 20 differences the p is an estimate; with 22 differences it can still be enumerated here.
func TestSignFlipMonteCarlo(t *testing.T) {
	rng := stream(1)
	d := make([]float64, 22)
	for i := range d {
		d[i] = rng.NormFloat64() + 0.45
	}
	sum := 0.0
	for _, v := range d {
		sum += v
	}
	exact := float64(extremes(d[1:], d[0], math.Abs(sum)-1e-9)) / math.Ldexp(1, 21)
	const draws = 40000
	got := SignFlip(d, draws, stream(2))
	if got.Exact || got.Draws != draws || got.N != 22 {
		t.Errorf("got %+v", got)
	}
	if spread := math.Sqrt(exact * (1 - exact) / draws); !near(got.P, exact, 4*spread) {
		t.Errorf("got p %v, want %v ± %v", got.P, exact, spread)
	}
	if again := SignFlip(d, draws, stream(2)); again != got {
		t.Errorf("same stream, other p: %v and %v", again.P, got.P)
	}
	for i := range d {
		d[i] = math.Abs(d[i]) * 100
	}
	if got := SignFlip(d, 99, stream(3)); got.P != 0.01 {
		t.Errorf("no hit in 99 draws: got %v, want 1/100", got.P)
	}
}

// Exact and normal distribution must meet where one takes over from the other.
func TestWilcoxonNormalMeetsExact(t *testing.T) {
	rng := stream(4)
	d := make([]float64, wilcoxonExact)
	for i := range d {
		d[i] = math.Round(10*(rng.NormFloat64()+0.07)) / 10
	}
	d = slices.DeleteFunc(d, func(v float64) bool { return v == 0 })
	exact := Wilcoxon(d)
	var doubled []int
	positive := 0
	absolute := make([]float64, len(d))
	for i := range d {
		absolute[i] = math.Abs(d[i])
	}
	for i, r := range ranks(absolute) {
		doubled = append(doubled, int(2*r))
		if d[i] > 0 {
			positive += int(2 * r)
		}
	}
	if normal := signedRankNormal(doubled, positive); !exact.Exact || !near(exact.P, normal, 2e-3) || exact.P > 0.5 {
		t.Errorf("exact %v, normal %v", exact.P, normal)
	}
}

func TestHolm(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ p, want []float64 }{
		{nil, []float64{}},
		{[]float64{0.03}, []float64{0.03}},
		{[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{[]float64{0.01, nan, 0.04}, []float64{0.02, nan, 0.04}},
		{[]float64{0.6, 0.5, 0.9}, []float64{1, 1, 1}},
		{[]float64{0.02, 0.02, 0.021}, []float64{0.06, 0.06, 0.06}}, // never below an earlier one
	} {
		got := Holm(c.p)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("Holm(%v) (-want +got):\n%s", c.p, diff)
		}
	}
}

// spearman is the rank correlation of x and y: the Pearson correlation of their midranks.
func spearman(x, y []float64) float64 {
	if slices.ContainsFunc(y, math.IsNaN) {
		return math.NaN()
	}
	return stat.Correlation(ranks(x), ranks(y), nil)
}

func TestRanksAndSpearman(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := differences(t)
		if got, want := ranks(d), bruteRanks(d); !slices.Equal(got, want) {
			t.Fatalf("ranks of %v: got %v, want %v", d, got, want)
		}
	})
	x := []float64{1, 2, 3, 4}
	if got := spearman(x, []float64{1, 8, 27, 64}); !near(got, 1, 1e-12) {
		t.Errorf("growing: got %v, want 1", got)
	}
	if got := spearman(x, []float64{4, 3, 2, 1}); !near(got, -1, 1e-12) {
		t.Errorf("falling: got %v, want -1", got)
	}
	for _, y := range [][]float64{{2, 2, 2, 2}, {1, 2, 3, math.NaN()}} {
		if got := spearman(x, y); !math.IsNaN(got) {
			t.Errorf("%v: got %v, want NaN", y, got)
		}
	}
}

func TestPanics(t *testing.T) {
	nan := []float64{math.NaN()}
	falling := Run{Labels: []int{4, 8, 6, 10}, Values: []float64{0.476, 0.676, 0.71, 0.78}}
	for name, f := range map[string]func(){
		"NaN sign-flip":     func() { SignFlip(nan, 0, nil) },
		"NaN signed-rank":   func() { Wilcoxon(nan) },
		"no stream":         func() { SignFlip(make([]float64, 21), 100, nil) },
		"labels fall":       func() { AULC(Run{Labels: []int{10, 10}, Values: []float64{1, 1}}) },
		"level 95":          func() { BootstrapMean([]float64{1, 2}, 95, 10, stream(1)) },
		"set twice":         func() { Compare([]Run{{Set: 1}, {Set: 1}}, nil, AULC, Options{}, stream(1)) },
		"labels and values": func() { AULC(Run{Labels: []int{10}}) },
		"value between":     func() { falling.At(5) },
		"shared":            func() { Shared(falling, Run{Labels: []int{4, 8}, Values: []float64{0, 1}}) },
		"shared alone":      func() { Shared(falling) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
