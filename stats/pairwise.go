package stats

import (
	"fmt"
	"slices"
)

// Pairwise is a table of strategies against each other.
type Pairwise struct {
	// Wins[i][j] is the share of budgets at which strategy i beats strategy j: 0 to 1, 0 on the diagonal.
	Wins [][]float64 `json:"wins"`
	// Holm is Wins with the p-values corrected for the number of tests in the table.
	Holm [][]float64 `json:"wins_holm"`
	// Tests is that number. A budget at which all differences of a pair are 0, as before the first query, is none.
	Tests int `json:"tests"`
	// Lost[j] is the mean of column j without the diagonal: how often strategy j is beaten. Lower is better.
	Lost []float64 `json:"lost"`
	// Untested are the pairs without a test at some budgets, by the indices of their strategies.
	Untested []Untested `json:"untested,omitempty"`
	// Budgets are the label counts compared.
	Budgets  []int     `json:"budgets"`
	Alpha    float64   `json:"alpha"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// Untested is a pair of strategies, A < B, that shares fewer than two sets at some budgets.
type Untested struct {
	A       int `json:"a"`
	B       int `json:"b"`
	Budgets int `json:"budgets"` // how many, 1 or more
}

// PairwiseWins compares strategies at every budget: runs[i] are the runs of strategy i. At one budget strategy i beats
// strategy j if the paired t-test over the initial sets that both have there rejects at level alpha, two-sided, and i
// has the better mean; with five sets and alpha = 0.05 that is |t| > 2.776. In Wins the tests are not corrected for their
// number: it is a picture of who beats whom, not evidence for a single cell. Holm is that: the chance that it has any
// false win is at most alpha.
//
// A budget at which a pair shares fewer than two sets counts as no win for either, and the pair is among Untested. With no budget at
// all nothing is won and WarnNoPairs says so. It panics if a strategy has a set twice, or unless 0 < alpha < 1.
// Source: Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds", section 4 and
// appendix; they add such tables up over data sets, batch sizes and networks.
func PairwiseWins(runs [][]Run, alpha float64, d Direction) Pairwise {
	if !(alpha > 0 && alpha < 1) {
		panic(fmt.Sprintf("stats: PairwiseWins: alpha %v, want 0 < alpha < 1", alpha))
	}
	n := len(runs)
	out := Pairwise{Wins: square(n), Holm: square(n), Lost: make([]float64, n), Budgets: union(runs...), Alpha: alpha}
	type test struct{ winner, loser int }
	var tests []test
	var ps []float64
	for i := range n {
		for j := range i {
			pairs, _ := pair(runs[i], runs[j])
			tested := 0
			for _, budget := range out.Budgets {
				var differences []float64
				for _, p := range pairs {
					if at, has := slices.BinarySearch(p.a.Labels, budget); has {
						differences = append(differences, p.a.Values[at]-p.b.Values[at])
					}
				}
				if len(differences) < 2 {
					continue
				}
				tested++
				if !slices.ContainsFunc(differences, func(d float64) bool { return d != 0 }) {
					continue
				}
				t := PairedT(differences)
				one := test{i, j}
				if d.sign()*t.Statistic < 0 {
					one = test{j, i}
				}
				tests, ps = append(tests, one), append(ps, t.P)
			}
			if untested := len(out.Budgets) - tested; untested > 0 {
				out.Untested = append(out.Untested, Untested{j, i, untested})
			}
		}
	}
	out.Tests = len(tests)
	for k, p := range Holm(ps) {
		if ps[k] < alpha {
			out.Wins[tests[k].winner][tests[k].loser]++
		}
		if p < alpha {
			out.Holm[tests[k].winner][tests[k].loser]++
		}
	}
	for _, row := range slices.Concat(out.Wins, out.Holm) {
		for j := range row {
			row[j] /= float64(max(1, len(out.Budgets)))
		}
	}
	for j := range n {
		sum := 0.0
		for i := range n {
			sum += out.Wins[i][j]
		}
		out.Lost[j] = sum / float64(max(1, n-1))
	}
	if len(out.Budgets) == 0 {
		out.Warnings = append(out.Warnings, Warning{WarnNoPairs, "no strategy has a value at any number of labels"})
	}
	return out
}

func square(n int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
	}
	return rows
}
