package stats

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Three strategies, five sets, budgets 10, 20, 30, 40. With n = 5 and alpha = 0.05, |t| must exceed 2.776.
func TestPairwiseWins(t *testing.T) {
	noise := []float64{-0.02, -0.01, 0, 0.01, 0.02} // mean 0, standard error sqrt(0.00025/5) = 0.00707
	strategy := func(lead ...float64) []Run {
		var out []Run
		for set := range noise {
			r := Run{Set: set}
			for i, l := range lead {
				value := 0.5
				if l != 0 {
					value += l + noise[set]
				}
				r.Labels, r.Values = append(r.Labels, 10*(i+1)), append(r.Values, value)
			}
			out = append(out, r)
		}
		return out
	}
	// Against the base, a lead of 0.0190 is t = 2.69 and one of 0.0200 is t = 2.83.
	base, wins := strategy(0, 0, 0, 0), strategy(0, 0.0190, 0.0200, 0.3)
	mixed := strategy(-0.1, -0.2, -0.0190, 0.1)
	got := PairwiseWins([][]Run{base, wins, mixed}, 0.05, HigherIsBetter)
	want := [][]float64{
		{0, 0, 0.5}, // base beats mixed at 10 and 20
		{0.5, 0, 1}, // wins beats base at 30 and 40; beats mixed at all four, where the noise cancels or t is large
		{0.25, 0, 0},
	}
	if diff := cmp.Diff(want, got.Wins, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("wins (-want +got):\n%s", diff)
	}
	// Eleven tests, for at 10 wins and base are equal. In order: three p of 0 (mixed is behind wins by as much in each set), 1.8e-6, 9.3e-6 and
	// three of 1.5e-4, times 11 to 4, are below 0.05; 0.047 is the ninth and is not, times 3.
	corrected := [][]float64{
		{0, 0, 0.5},
		{0.25, 0, 1},
		{0.25, 0, 0},
	}
	if diff := cmp.Diff(corrected, got.Holm, cmpopts.EquateApprox(0, 1e-12)); diff != "" || got.Tests != 11 {
		t.Errorf("after Holm, %d tests (-want +got):\n%s", got.Tests, diff)
	}
	if diff := cmp.Diff([]float64{0.375, 0, 0.75}, got.Lost, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if !slices.Equal(got.Budgets, []int{10, 20, 30, 40}) || len(got.Warnings) != 0 {
		t.Errorf("got budgets %v, warnings %v", got.Budgets, got.Warnings)
	}

	// Where lower is better the winners are the losers.
	lower := PairwiseWins([][]Run{base, wins, mixed}, 0.05, LowerIsBetter)
	for i := range want {
		for j := range want {
			if lower.Wins[i][j] != got.Wins[j][i] {
				t.Errorf("lower is better: [%d][%d] is %v, want %v", i, j, lower.Wins[i][j], got.Wins[j][i])
			}
		}
	}
}

func TestPairwiseWinsWarns(t *testing.T) {
	a, b := runs(0.1, 0.2, 0.3), runs(0, 0, 0)
	b[0].Values[2], b[1].Values[2] = math.NaN(), math.NaN()
	got := PairwiseWins([][]Run{a, b, a}, 0.05, HigherIsBetter)
	if want := []Untested{{0, 1, 1}, {1, 2, 1}}; !slices.Equal(got.Untested, want) || len(got.Warnings) != 0 {
		t.Errorf("got %+v and %+v, want %+v", got.Untested, got.Warnings, want)
	}
	got = PairwiseWins([][]Run{nil, nil}, 0.05, HigherIsBetter)
	if !slices.Equal(kinds(got.Warnings), []string{WarnNoPairs}) || got.Wins[0][1] != 0 {
		t.Errorf("no runs: got %+v", got)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}
