package query

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
)

// What picks are worth by hand, of three items and two targets, and that greedy takes the best pair.
func TestMutualCover(t *testing.T) {
	s := [][]float64{{1, 0.2}, {0.6, 0.6}, {0.3, 0.9}}
	value := func(picks ...int) (f float64) {
		for q := range 2 {
			most := math.Inf(-1)
			for _, a := range picks {
				most = max(most, s[a][q])
			}
			f += most
		}
		for _, a := range picks {
			f += max(s[a][0], s[a][1])
		}
		return f
	}
	for picks, want := range map[string]float64{"[0]": 2.2, "[1]": 1.8, "[2]": 2.1, "[0 1]": 3.2, "[0 2]": 3.8, "[1 2]": 3.0} {
		var a, b int
		got := 0.0
		if n, _ := fmt.Sscanf(picks, "[%d %d]", &a, &b); n == 2 {
			got = value(a, b)
		} else {
			fmt.Sscanf(picks, "[%d]", &a)
			got = value(a)
		}
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is worth %v, want %v", picks, got, want)
		}
	}
	similarity := func(item, target int) float64 { return s[item][target] }
	if got := mutualCover(2, 3, 2, similarity, closing{}, random.Stream(1)); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("picks %v, want 0 and 2", got)
	}
	// Greedy by the gain in value, on random similarities of either sign.
	rng := random.Stream(2)
	for range 20 {
		s = make([][]float64, 6)
		for i := range s {
			s[i] = []float64{rng.NormFloat64(), rng.NormFloat64()}
		}
		var want []int
		for range 4 {
			best, most := -1, math.Inf(-1)
			for i := range s {
				if !slices.Contains(want, i) && value(append(slices.Clone(want), i)...) > most {
					best, most = i, value(append(slices.Clone(want), i)...)
				}
			}
			want = append(want, best)
		}
		if got := mutualCover(4, 6, 2, similarity, closing{}, rng); !slices.Equal(got, want) {
			t.Errorf("picks %v, by value %v", got, want)
		}
	}
}

// Targets are drawn by the score: where one kind of item alone is uncertain, the picks are of that kind.
func TestUSIMFollowsTheScore(t *testing.T) {
	p := Pool{N: 40}
	p.Score = func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i, item := range items {
			scores[i] = float64(item%4) / 3 * float64(item%4/3) // one in four
		}
		return scores, nil
	}
	p.Features = func() ([][]float32, error) {
		vectors := make([][]float32, p.N)
		for i := range vectors {
			vectors[i] = make([]float32, 4)
			vectors[i][i%4] = float32(1 + i)
		}
		return vectors, nil
	}
	got, err := USIM{}.Select(p, 5, random.Stream(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range got.Items {
		if item%4 != 3 {
			t.Errorf("picks %v: item %d is like nothing that is uncertain", got.Items, item)
		}
	}
}
