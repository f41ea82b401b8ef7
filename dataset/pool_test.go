package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nextslice/nextslice/random"
)

func TestPool(t *testing.T) {
	p := NewPool(5)
	if err := p.Add([]int{3, 1}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		items []int
		words string
	}{
		{[]int{0, 3}, "item 3 is labelled already"},
		{[]int{0, 0}, "item 0 is labelled already"},
		{[]int{2, 5}, "item 5 is not in the pool of 5"},
		{[]int{-1}, "item -1 is not in the pool"},
	} {
		if err := p.Add(test.items); err == nil || !strings.Contains(err.Error(), test.words) {
			t.Errorf("add %v: got %v", test.items, err)
		}
		if !slices.Equal(p.Labelled(), []int{1, 3}) || !slices.Equal(p.Unlabelled(), []int{0, 2, 4}) {
			t.Fatalf("add %v has changed the pool: %v %v", test.items, p.Labelled(), p.Unlabelled())
		}
	}
}

func TestPoolAgainstSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "n")
		order := rapid.Permutation(sequence(n)).Draw(t, "order")
		p := NewPool(n)
		for len(order) > 0 {
			query := order[:rapid.IntRange(1, len(order)).Draw(t, "query")]
			order = order[len(query):]
			if err := p.Add(query); err != nil {
				t.Fatal(err)
			}
			unlabelled := slices.Sorted(slices.Values(order))
			if !slices.Equal(p.Unlabelled(), unlabelled) || len(p.Labelled()) != n-len(order) {
				t.Fatalf("got %v and %v, want %v unlabelled", p.Labelled(), p.Unlabelled(), unlabelled)
			}
		}
	})
}

func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// splitOf splits a data set of n cases with masks.
func splitOf(n int, c SplitConfig, rng *rand.Rand) (Split, error) {
	d := &Dataset{}
	for i := range n {
		d.Cases = append(d.Cases, Case{ID: fmt.Sprintf("%03d", i), Label: "mask"})
	}
	return d.Split(c, rng)
}

func TestSplitSizes(t *testing.T) {
	for _, test := range []struct {
		n                      int
		c                      SplitConfig
		pool, validation, test int
	}{
		{40, DefaultSplit(), 26, 4, 10},
		{50, SplitConfig{Test: 10, Validation: 4}, 36, 4, 10},
		{2, DefaultSplit(), 1, 0, 1},
		{3, SplitConfig{}, 2, 0, 1},
		{10, SplitConfig{Test: 0.5, Validation: 1}, 4, 1, 5},
	} {
		s, err := splitOf(test.n, test.c, random.Stream(1))
		if err != nil {
			t.Errorf("%d cases, %+v: %v", test.n, test.c, err)
		}
		if len(s.Pool) != test.pool || len(s.Validation) != test.validation || len(s.Test) != test.test {
			t.Errorf("%d cases, %+v: got %d, %d, %d", test.n, test.c, len(s.Pool), len(s.Validation), len(s.Test))
		}
	}
	for _, test := range []struct {
		n int
		c SplitConfig
	}{
		{0, DefaultSplit()}, {1, DefaultSplit()}, {4, SplitConfig{Test: 4}}, {4, SplitConfig{Test: 3, Validation: 1}},
		{9, SplitConfig{Test: 1.5}}, {9, SplitConfig{Test: -1}}, {9, SplitConfig{TestCases: []string{"a"}}},
	} {
		if s, err := splitOf(test.n, test.c, random.Stream(1)); err == nil {
			t.Errorf("%d cases, %+v: got %+v, want an error", test.n, test.c, s)
		}
	}
}

func TestSplitIsAPartitionAndFair(t *testing.T) {
	count := make([]int, 8)
	for seed := range uint64(2000) {
		s, err := splitOf(8, SplitConfig{Test: 2, Validation: 1}, random.Stream(seed))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(slices.Values(slices.Concat(s.Pool, s.Validation, s.Test))); !slices.Equal(got, sequence(8)) {
			t.Fatalf("no partition: %+v", s)
		}
		if !slices.IsSorted(s.Pool) || !slices.IsSorted(s.Test) {
			t.Fatalf("not sorted: %+v", s)
		}
		for _, i := range s.Test {
			count[i]++
		}
	}
	for i, n := range count { // 500 expected, standard deviation 19
		if n < 400 || n > 600 {
			t.Errorf("case %d is in %d of 2000 tests, want about 500", i, n)
		}
	}
	again := func() Split {
		s, _ := splitOf(30, DefaultSplit(), random.Stream(7))
		return s
	}
	if a, b := again(), again(); !slices.Equal(a.Test, b.Test) || !slices.Equal(a.Validation, b.Validation) {
		t.Error("same stream, other split")
	}
}

func TestSplitOfDataset(t *testing.T) {
	d := &Dataset{Cases: []Case{{ID: "a", Label: "x"}, {ID: "b"}, {ID: "c", Label: "x"}, {ID: "d", Label: "x"}, {ID: "e"}}}
	rng := func() *rand.Rand { return random.Stream(3) }
	s, err := d.Split(SplitConfig{Test: 2, Validation: 1}, rng())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Pool, []int{1, 4}) {
		t.Errorf("pool %v, want the two cases without mask", s.Pool)
	}
	s, err = d.Split(SplitConfig{Test: 0.9, TestCases: []string{"d"}, ValidationCases: []string{"a"}}, rng())
	if err != nil || !slices.Equal(s.Test, []int{3}) || !slices.Equal(s.Validation, []int{0}) || !slices.Equal(s.Pool, []int{1, 2, 4}) {
		t.Errorf("got %+v, %v", s, err)
	}
	s, err = d.Split(SplitConfig{TestCases: []string{"c"}, Validation: 1}, rng())
	if err != nil || len(s.Validation) != 1 || s.Validation[0] == 2 {
		t.Errorf("got %+v, %v", s, err)
	}
	_, err = d.Split(SplitConfig{TestCases: []string{"b", "nobody", "a"}, ValidationCases: []string{"a"}}, rng())
	if err == nil {
		t.Fatal("want an error")
	}
	for _, words := range []string{"b has no mask", `"nobody"`, "a is listed twice"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
}
