package stats

import (
	"fmt"
	"slices"
)

// Pairwise is a table of strategies against each other.
type Pairwise struct {
	// Wins[i][j] is the share of budgets at which strategy i beats strategy j: 0 to 1, 0 on the diagonal.
	Wins [][]float64 `json:"wins"`
	// Lost[j] is the mean of column j without the diagonal: how often strategy j is beaten. Lower is better.
	Lost []float64 `json:"lost"`
	// Budgets are the label counts compared.
	Budgets  []int     `json:"budgets"`
	Alpha    float64   `json:"alpha"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// PairwiseWins compares strategies at every budget: runs[i] are the runs of strategy i. At one budget strategy i beats
// strategy j if the paired t-test over the initial sets that both have there rejects at level alpha, two-sided, and i
// has the better mean; with five sets and alpha = 0.05 that is |t| > 2.776. The tests are not corrected for their
// number: the table is a picture of who beats whom, not evidence for a single cell.
//
// A budget at which a pair shares fewer than two sets counts as no win for either, and is a warning. With no budget at
// all nothing is won and WarnNoPairs says so. It panics if a strategy has a set twice, or unless 0 < alpha < 1.
// Source: Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds", section 4 and
// appendix; they add such tables up over data sets, batch sizes and networks.
func PairwiseWins(runs [][]Run, alpha float64, d Direction) Pairwise {
	if !(alpha > 0 && alpha < 1) {
		panic(fmt.Sprintf("stats: PairwiseWins: alpha %v, want 0 < alpha < 1", alpha))
	}
	n := len(runs)
	out := Pairwise{Wins: make([][]float64, n), Lost: make([]float64, n), Budgets: union(runs...), Alpha: alpha}
	for i := range out.Wins {
		out.Wins[i] = make([]float64, n)
	}
	for i := range n {
		for j := range i {
			pairs, _ := pair(runs[i], runs[j])
			wins, losses, tested := 0, 0, 0
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
				t := PairedT(differences)
				if t.P >= alpha {
					continue
				}
				if d.sign()*t.Statistic > 0 {
					wins++
				} else {
					losses++
				}
			}
			budgets := float64(max(1, len(out.Budgets)))
			out.Wins[i][j], out.Wins[j][i] = float64(wins)/budgets, float64(losses)/budgets
			if untested := len(out.Budgets) - tested; untested > 0 {
				out.Warnings = append(out.Warnings, Warning{WarnMissingCycles, fmt.Sprintf(
					"strategies %d and %d share fewer than two sets at %d of %d budgets, which count as no win", j, i, untested, len(out.Budgets))})
			}
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
