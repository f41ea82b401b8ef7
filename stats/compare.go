package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Warning is a reason to read a result with care. It belongs under the table.
type Warning struct {
	Kind string `json:"kind"` // one of the Warn constants
	Text string `json:"text"`
}

// Kinds of warnings.
const (
	WarnFewSets       = "few-sets"       // no p below 0.05 is possible
	WarnUnequalSets   = "unequal-sets"   // a set was run with one strategy only, and is left out
	WarnMissingCycles = "missing-cycles" // a run lacks cycles that others have, and the pair is compared without them
	WarnOtherLabels   = "other-labels"   // the runs of a pair have their cycles at different label counts, and are compared along lines between them
	WarnNoPairs       = "no-pairs"       // nothing to compare
	WarnNoValue       = "no-value"       // a pair without a difference is left out, such as a Dice that one run never reached
	WarnDependent     = "dependent"      // the values are not independent, so p is too small
)

// Options of Compare.
type Options struct {
	Level float64 // of the interval; 0 means 0.95
	Draws int     // of the bootstrap, and of the sign-flip test above 20 sets; 0 means 10000
}

func (o Options) filled() Options {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Draws == 0 {
		o.Draws = 10000
	}
	return o
}

// Comparison is strategy a against strategy b, paired by initial set.
type Comparison struct {
	Sets        []int     `json:"sets"`        // the pairs
	Differences []float64 `json:"differences"` // a - b, one per pair
	Difference  Summary   `json:"difference"`
	Interval    Interval  `json:"interval"` // of the mean difference
	SignFlip    Test      `json:"sign_flip"`
	Wilcoxon    Test      `json:"wilcoxon"`
	Warnings    []Warning `json:"warnings,omitempty"`
}

// Compare compares two strategies on a number per run, such as AULC or Final, paired by initial set. The unit of test
// is the run. p-values are not corrected for other rows of a table: see Holm. rng is for the bootstrap.
//
// Both runs of a pair are cut to the cycles in which both have a value; where their label counts differ, as of strategies that ask for different
// numbers of items, to the labels that both reach, with straight lines between cycles. A pair whose difference is not a number is
// left out. All of these, a run without a partner, and too few pairs for any p below 0.05 are warnings. It panics if a strategy has a set twice.
func Compare(a, b []Run, of func(Run) float64, o Options, rng *rand.Rand) Comparison {
	o = o.filled()
	pairs, warnings := pair(a, b)
	out := Comparison{Warnings: warnings}
	for _, p := range pairs {
		d := of(p.a) - of(p.b)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			out.Warnings = append(out.Warnings, Warning{WarnNoValue, fmt.Sprintf("set %d is left out: one of its runs has no value to compare", p.a.Set)})
			continue
		}
		out.Sets = append(out.Sets, p.a.Set)
		out.Differences = append(out.Differences, d)
	}
	out.Difference = Describe(out.Differences)
	out.Interval = BootstrapMean(out.Differences, o.Level, o.Draws, rng)
	out.SignFlip = SignFlip(out.Differences, o.Draws, rng)
	out.Wilcoxon = Wilcoxon(out.Differences)
	if w, few := FewSets(len(out.Sets)); few {
		out.Warnings = append(out.Warnings, w)
	}
	return out
}

// CompareCycles is the paired signed-rank test over all (set, cycle) pairs: a second figure only. The cycles of one
// run are not independent, so its P is too small; the result carries that as a warning, to be printed with it.
func CompareCycles(a, b []Run) (Test, []Warning) {
	pairs, warnings := pair(a, b)
	var differences []float64
	for _, p := range pairs {
		for i := range p.a.Values {
			differences = append(differences, p.a.Values[i]-p.b.Values[i])
		}
	}
	test := Wilcoxon(differences)
	test.Name = "Wilcoxon signed-rank over (set, cycle) pairs, optimistic"
	return test, append(warnings, Warning{WarnDependent, fmt.Sprintf(
		"%d (set, cycle) pairs of %d sets: cycles of one run are not independent, so this p is too small", len(differences), len(pairs))})
}

// FewSets says whether n pairs are too few for a two-sided sign-flip or signed-rank p below 0.05, that is below 6: even
// if all differences have one sign, p is 2 / 2^n.
func FewSets(n int) (Warning, bool) {
	smallest := math.Ldexp(1, 1-n)
	if n == 0 || smallest < 0.05 {
		return Warning{}, false
	}
	return Warning{WarnFewSets, fmt.Sprintf(
		"with %d initial sets no two-sided sign-flip or signed-rank test can go below p = %.4g; use 6 or more, better 10", n, smallest)}, true
}

// pairOf is two runs from the same initial set, cut to the labels with which both have a value.
type pairOf struct{ a, b Run }

func pair(a, b []Run) (pairs []pairOf, warnings []Warning) {
	bySetA, bySetB := bySet("a", a), bySet("b", b)
	all := union(a, b)
	var onlyA, onlyB []int
	for _, set := range sortedSets(a) {
		ra := bySetA[set]
		rb, both := bySetB[set]
		if !both {
			onlyA = append(onlyA, set)
			continue
		}
		shared := Shared(ra, rb)
		uneven := slices.ContainsFunc(shared, func(n int) bool { return !slices.Contains(ra.Labels, n) || !slices.Contains(rb.Labels, n) })
		shared = slices.DeleteFunc(shared, func(n int) bool {
			a, _ := ra.At(n)
			b, _ := rb.At(n)
			return math.IsNaN(a) || math.IsNaN(b)
		})
		missing := len(all) - len(shared)
		switch {
		case uneven && len(shared) > 0:
			warnings = append(warnings, Warning{WarnOtherLabels, fmt.Sprintf(
				"set %d is compared from %d to %d labels, along straight lines between cycles: its runs have them at different numbers of labels", set, slices.Min(shared), slices.Max(shared))})
		case missing > 0:
			warnings = append(warnings, Warning{WarnMissingCycles, fmt.Sprintf(
				"set %d is compared at %d of %d label counts: the others are missing in one of its runs", set, len(shared), len(all))})
		}
		if len(shared) > 0 {
			pairs = append(pairs, pairOf{ra.On(shared), rb.On(shared)})
		}
	}
	for _, set := range sortedSets(b) {
		if _, both := bySetA[set]; !both {
			onlyB = append(onlyB, set)
		}
	}
	if len(onlyA)+len(onlyB) > 0 {
		warnings = append(warnings, Warning{WarnUnequalSets, fmt.Sprintf(
			"what has no partner is left out: %s of the first strategy, %s of the second", listed(onlyA), listed(onlyB))})
	}
	if len(pairs) == 0 {
		warnings = append(warnings, Warning{WarnNoPairs, "the two strategies have no initial set in common"})
	}
	return pairs, warnings
}

// listed names sets: set 3, or sets 3, 8, or none.
func listed(sets []int) string {
	word := "sets "
	switch len(sets) {
	case 0:
		return "none"
	case 1:
		word = "set "
	}
	return word + strings.ReplaceAll(strings.Trim(fmt.Sprint(sets), "[]"), " ", ", ")
}

func bySet(name string, runs []Run) map[int]Run {
	out := make(map[int]Run, len(runs))
	for _, r := range runs {
		r.demandOrder("Compare")
		if _, twice := out[r.Set]; twice {
			panic(fmt.Sprintf("stats: Compare: strategy %s has set %d twice", name, r.Set))
		}
		out[r.Set] = r
	}
	return out
}

func sortedSets(runs []Run) []int {
	var out []int
	for _, r := range runs {
		out = append(out, r.Set)
	}
	slices.Sort(out)
	return out
}

// union returns the label counts at which any run has a value, ascending.
func union(groups ...[]Run) []int {
	var out []int
	for _, runs := range groups {
		for _, r := range runs {
			out = append(out, r.measured()...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
