package stats

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// vectors are the values of scipy that bench/stats_vectors.py wrote.
type vectors struct {
	Tests []struct {
		Name        string
		Differences []float64
		Wilcoxon    *float64
		SignFlip    *float64 `json:"sign_flip"`
		T           *float64
		TP          *float64 `json:"t_p"`
	}
	Spearman []struct {
		X, Y []float64
		Rho  float64
	}
	Bootstrap []struct {
		Values, Means []float64
		Low, High     float64
	}
	Curves []struct {
		Labels []int
		Values []float64
		AULC   float64
	}
}

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	checked := 0
	check := func(name string, got float64, want *float64) {
		t.Helper()
		if want == nil {
			return
		}
		checked++
		if !(math.Abs(got-*want) <= 1e-9*max(1, math.Abs(*want))) {
			t.Errorf("%s: got %v, scipy has %v", name, got, *want)
		}
	}
	for _, c := range v.Tests {
		check(c.Name+": Wilcoxon", Wilcoxon(c.Differences).P, c.Wilcoxon)
		if c.SignFlip != nil {
			check(c.Name+": sign-flip", SignFlip(c.Differences, 0, nil).P, c.SignFlip)
		}
		check(c.Name+": t", PairedT(c.Differences).Statistic, c.T)
		check(c.Name+": p of t", PairedT(c.Differences).P, c.TP)
	}
	for _, c := range v.Spearman {
		check("Spearman", spearman(c.X, c.Y), &c.Rho)
	}
	for _, c := range v.Bootstrap {
		low, high := bca(c.Values, c.Means, 0.95)
		check("BCa low", low, &c.Low)
		check("BCa high", high, &c.High)
	}
	for _, c := range v.Curves {
		check("AULC", AULC(Run{Labels: c.Labels, Values: c.Values}), &c.AULC)
	}
	if checked < 40 {
		t.Errorf("only %d values were checked: is the file complete?", checked)
	}
}
