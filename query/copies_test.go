package query_test

import (
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// What copies are made of, by hand: two labelled items, one of them more uncertain than the pick.
func TestCopiesOf(t *testing.T) {
	for _, c := range []struct {
		name         string
		picks        int
		u            []float64
		keep, copies []int
	}{
		{"dutp", 1, []float64{0.9, 0.95, 0.3}, []int{0}, []int{0}},
		{"dutp", 2, []float64{0.9, 0.5, 0.6, 0.95, 0.7, 0.2}, []int{0, 1}, []int{1, 2}},
		{"dutp+sb", 2, []float64{0.9, 0.5, 0.6, 0.95, 0.71, 0.2}, []int{0, 1}, []int{1, 2}},
		{"dutp+sb", 2, []float64{0.9, 0.5, 0.6, 0.95, 0.69, 0.2}, []int{0, 1}, []int{1}},
		{"dutp(copies=published)", 2, []float64{0.9, 0.5, 0.6, 0.95}, []int{0}, []int{1}},
		{"dutp(copies=published)", 2, []float64{0.9, 0.5, 0.1, 0.2}, []int{0, 1}, nil},
		{"dutp(copies=published)", 2, []float64{0.1, 0.2, 0.8, 0.9}, []int{1}, []int{1}}, // never none
	} {
		spec, err := query.Parse(c.name)
		if err != nil {
			t.Fatal(err)
		}
		keep, copies := query.CopiesOf(spec, c.picks, c.u)
		if !slices.Equal(keep, c.keep) || !slices.Equal(copies, c.copies) {
			t.Errorf("%s, %v: keeps %v, copies %v, want %v and %v", c.name, c.u, keep, copies, c.keep, c.copies)
		}
	}
}
