package stats

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// runs returns a run per offset, with sets 0, 1, 2 ...: a straight line from 0.5 at 10 labels to 0.7 at 30, moved up.
func runs(offsets ...float64) []Run {
	var out []Run
	for set, o := range offsets {
		out = append(out, Run{Set: set, Labels: []int{10, 20, 30}, Values: []float64{0.5 + o, 0.6 + o, 0.7 + o}})
	}
	return out
}

func kinds(warnings []Warning) (out []string) {
	for _, w := range warnings {
		out = append(out, w.Kind)
	}
	return out
}

func TestCompare(t *testing.T) {
	a, b := runs(0.10, 0.21, 0.05, 0.11, 0.08, 0.02), runs(0, 0.01, 0, 0.02, 0, 0)
	slices.Reverse(b) // pairs are by set, not by place
	got := Compare(a, b, AULC, Options{}, stream(1))
	want := []float64{0.10, 0.20, 0.05, 0.09, 0.08, 0.02}
	for i := range want {
		if !near(got.Differences[i], want[i], 1e-12) {
			t.Fatalf("differences: got %v, want %v", got.Differences, want)
		}
	}
	if !slices.Equal(got.Sets, []int{0, 1, 2, 3, 4, 5}) || !near(got.Difference.Mean, 0.09, 1e-12) {
		t.Errorf("got sets %v, mean %v", got.Sets, got.Difference.Mean)
	}
	if got.SignFlip.P != 2.0/64 || got.Wilcoxon.P != 2.0/64 || len(got.Warnings) != 0 {
		t.Errorf("got %+v, %+v, %v", got.SignFlip, got.Wilcoxon, got.Warnings)
	}
	if i := got.Interval; !(0.02 < i.Low && i.Low < 0.09 && 0.09 < i.High && i.High < 0.20) || i.Level != 0.95 || i.Draws != 10000 {
		t.Errorf("got interval %+v", i)
	}
	if again := Compare(a, b, AULC, Options{}, stream(1)); again.Interval != got.Interval {
		t.Errorf("same stream, other interval: %v and %v", again.Interval, got.Interval)
	}
	back := Compare(b, a, AULC, Options{}, stream(1))
	if !near(back.Difference.Mean, -got.Difference.Mean, 1e-12) || back.SignFlip.P != got.SignFlip.P {
		t.Errorf("the other way round: got %+v", back)
	}
}

func TestCompareWarns(t *testing.T) {
	a, b := runs(0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1), runs(0, 0, 0, 0, 0, 0, 0)
	a[6].Set = 9                // no partner, and neither has set 6 of b
	b[2].Values[2] = math.NaN() // a cycle without a value
	b[3].Labels = []int{10, 20} // a run that was stopped
	b[3].Values = []float64{0, 0}
	got := Compare(a, b, Final, Options{}, stream(1))
	want := []string{WarnMissingCycles, WarnMissingCycles, WarnUnequalSets}
	if !slices.Equal(kinds(got.Warnings), want) {
		t.Errorf("got %+v, want %v", got.Warnings, want)
	}
	if !slices.Equal(got.Sets, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("got sets %v", got.Sets)
	}
	if !near(got.Differences[2], 0.9-0.6, 1e-12) || !near(got.Differences[3], 0.7, 1e-12) {
		t.Errorf("not at the last cycle that both have: %v", got.Differences)
	}

	got = Compare(runs(0.1, 0.2, 0.1, 0.2, 0.1), runs(0, 0, 0, 0, 0), AULC, Options{}, stream(1))
	if !slices.Equal(kinds(got.Warnings), []string{WarnFewSets}) || !strings.Contains(got.Warnings[0].Text, "0.0625") {
		t.Errorf("five sets: got %+v", got.Warnings)
	}
	if got.SignFlip.P != 0.0625 || got.Wilcoxon.P != 0.0625 {
		t.Errorf("five sets: got %+v and %+v", got.SignFlip, got.Wilcoxon)
	}

	reach := func(r Run) float64 { labels, _ := LabelsToReach(r, 0.75, HigherIsBetter); return labels }
	got = Compare(runs(0.1, 0.2), runs(0, 0.1), reach, Options{}, stream(1))
	if !slices.Equal(kinds(got.Warnings), []string{WarnNoValue, WarnFewSets}) || !slices.Equal(got.Sets, []int{1}) {
		t.Errorf("a run that never reached the value: got %+v", got)
	}

	got = Compare(runs(0.1), nil, AULC, Options{}, stream(1))
	if !slices.Equal(kinds(got.Warnings), []string{WarnUnequalSets, WarnNoPairs}) || !math.IsNaN(got.SignFlip.P) {
		t.Errorf("no pair: got %+v", got)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Errorf("no pair: %v", err)
	}
}

// A strategy that asks for fewer items per query is compared with others over the labels that both reach, along straight lines, and not at the few
// counts that happen to be the same.
func TestCompareOtherLabels(t *testing.T) {
	a, b := runs(0.2, 0.2, 0.2, 0.2, 0.2, 0.2), runs(0, 0, 0, 0, 0, 0)
	for i := range a {
		a[i].Labels = []int{10, 17, 25}
		a[i].Values = []float64{0.5, 0.57 + 0.2, 0.65 + 0.2} // the line of b, 0.2 above it after the first query
	}
	aulc := Compare(a, b, AULC, Options{}, stream(1))
	// 0.2 of a triangle from 10 to 17, then 0.2 to 25, over 15 labels.
	if want := (7*0.1 + 8*0.2) / 15; !near(aulc.Difference.Mean, want, 1e-12) || aulc.SignFlip.P != 2.0/64 {
		t.Errorf("AULC: %v, p %v, want %v", aulc.Difference.Mean, aulc.SignFlip.P, want)
	}
	if final := Compare(a, b, Final, Options{}, stream(1)); !near(final.Difference.Mean, 0.2, 1e-12) {
		t.Errorf("final: %v, want 0.2", final.Difference.Mean)
	}
	if !slices.Equal(kinds(aulc.Warnings)[:1], []string{WarnOtherLabels}) || !strings.Contains(aulc.Warnings[0].Text, "from 10 to 25 labels") {
		t.Errorf("warnings: %+v", aulc.Warnings)
	}
}

func TestCompareCycles(t *testing.T) {
	test, warnings := CompareCycles(runs(0.1, 0.2, 0.3), runs(0, 0, 0))
	if test.N != 9 || !near(test.P, 2.0/512, 1e-12) || !strings.Contains(test.Name, "optimistic") {
		t.Errorf("got %+v", test)
	}
	if !slices.Equal(kinds(warnings), []string{WarnDependent}) {
		t.Errorf("got %+v", warnings)
	}
}

func TestBootstrapMean(t *testing.T) {
	if got := BootstrapMean([]float64{3}, 0.95, 10, stream(1)); !math.IsNaN(got.Low) || !math.IsNaN(got.High) {
		t.Errorf("one value: got %+v, want NaN", got)
	}
	if got := BootstrapMean([]float64{0.1, 0.1, 0.1}, 0.95, 10, stream(1)); got.Low != 0.1 || got.High != 0.1 {
		t.Errorf("equal values: got %+v, want 0.1", got)
	}
	// Skewed to the right: the interval reaches farther up than down.
	x := []float64{1, 1, 2, 2, 3, 3, 4, 20}
	if got := BootstrapMean(x, 0.95, 5000, stream(1)); got.High-4.5 < 1.5*(4.5-got.Low) {
		t.Errorf("got %+v around 4.5", got)
	}
}

// The coverage that the doc comment states.
func TestBootstrapCoverage(t *testing.T) {
	rng := stream(5)
	const repeats = 1500
	for _, c := range []struct {
		n    int
		want float64
	}{{5, 0.84}, {10, 0.90}, {20, 0.92}} {
		held := 0
		for range repeats {
			x := make([]float64, c.n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			if i := BootstrapMean(x, 0.95, 500, rng); i.Low <= 0 && 0 <= i.High {
				held++
			}
		}
		if got := float64(held) / repeats; !near(got, c.want, 0.03) {
			t.Errorf("n=%d: the interval held the mean in %.3f of the repeats, want about %.2f", c.n, got, c.want)
		}
	}
}
