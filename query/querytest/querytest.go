// Package querytest checks that a query strategy keeps the contract of query.Strategy. Every strategy runs it:
//
//	func TestMyStrategy(t *testing.T) { querytest.Run(t, MyStrategy{}) }
//
// It treats the strategy as a black box: it offers what the strategy declares that it needs, and watches what is asked for.
package querytest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// Run checks a strategy against the contract.
func Run(t *testing.T, s query.Strategy) {
	t.Helper()
	for _, size := range []int{1, 7, 30, 59, 60} {
		t.Run(fmt.Sprintf("picks %d of 60", size), func(t *testing.T) { checkPicks(t, s, newProbe(60), size) })
	}
	t.Run("a pool of one", func(t *testing.T) { checkPicks(t, s, newProbe(1), 1) })
	for name, spoil := range map[string]func(p *probe){
		"all scores equal": func(p *probe) {
			for i := range p.scores {
				p.scores[i] = 0.5
				copy(p.classes[i], []float64{0.5, 0.1, 0.1})
			}
		},
		"all scores zero": func(p *probe) {
			clear(p.scores)
			for _, c := range p.classes {
				clear(c)
			}
		},
		"networks that agree": func(p *probe) {
			for _, v := range p.probs.of {
				for j := range v {
					v[j] = float32(j % 2)
				}
			}
		},
		"all features equal": func(p *probe) {
			for _, v := range p.features.of {
				copy(v, p.features.of[0])
			}
		},
		"all features zero": func(p *probe) {
			for _, v := range p.features.of {
				clear(v)
			}
		},
		"no labelled item, one case, no foreground": func(p *probe) {
			p.labelled.of = nil
			for i := range p.positions {
				p.positions[i] = query.Position{Slice: i}
			}
			clear(p.foreground)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbe(60)
			spoil(p)
			checkPicks(t, s, p, 10)
		})
	}
	t.Run("needs", func(t *testing.T) {
		for _, fault := range checkNeeds(s) {
			t.Error(fault)
		}
	})
	t.Run("same seed, same picks", func(t *testing.T) { checkSeeds(t, s) })
	t.Run("inputs unchanged", func(t *testing.T) { checkUnchanged(t, s) })
	t.Run("picks nothing", func(t *testing.T) { checkNothing(t, s) })
	t.Run("sizes that do not fit", func(t *testing.T) { checkRefused(t, s) })
	t.Run("values that cannot be ranked", func(t *testing.T) { checkNaN(t, s) })
	t.Run("failing pool", func(t *testing.T) { checkFailing(t, s) })
	t.Run("nil random stream", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("Select without a random stream must panic")
			}
		}()
		s.Select(newProbe(10).pool(s.Needs()), 1, nil)
	})
}

// checkPicks checks one selection in full and returns its items.
func checkPicks(t *testing.T, s query.Strategy, p *probe, size int) []int {
	t.Helper()
	got, err := s.Select(p.pool(s.Needs()), size, stream(1))
	if err != nil {
		t.Fatalf("Select %d of %d: %v", size, len(p.scores), err)
	}
	if len(got.Items) != size || len(got.Scores) != size {
		t.Fatalf("want %d items with scores, got %d items, %d scores", size, len(got.Items), len(got.Scores))
	}
	p.checkDistinct(t, "picked", got.Items)
	if len(p.asked) > 1 {
		t.Errorf("Score was called %d times, want at most once", len(p.asked))
	}
	scored := slices.Concat(p.asked...)
	p.checkDistinct(t, "scored", scored)
	if got.Scored != len(scored) {
		t.Errorf("Scored is %d, but %d scores were asked for", got.Scored, len(scored))
	}
	for i, item := range got.Items {
		want := math.NaN()
		if slices.Contains(scored, item) {
			want = p.scores[item]
		}
		if math.Float64bits(got.Scores[i]) != math.Float64bits(want) && !(math.IsNaN(want) && math.IsNaN(got.Scores[i])) {
			t.Errorf("item %d is picked with score %v, want %v", item, got.Scores[i], want)
		}
	}
	return got.Items
}

func checkSeeds(t *testing.T, s query.Strategy) {
	first := checkPicks(t, s, newProbe(60), 10)
	if again := checkPicks(t, s, newProbe(60), 10); !slices.Equal(first, again) {
		t.Errorf("picks %v, then %v with the same seed", first, again)
	}
}

func checkUnchanged(t *testing.T, s query.Strategy) {
	p, untouched := newProbe(60), newProbe(60)
	checkPicks(t, s, p, 10)
	for i, returned := range p.returned {
		for j, item := range p.asked[i] {
			if returned[j] != untouched.scores[item] {
				t.Fatalf("the score of item %d was changed", item)
			}
		}
	}
	equal := func(a, b [][]float32) bool { return slices.EqualFunc(a, b, slices.Equal) }
	if !equal(p.features.of, untouched.features.of) || !equal(p.labelled.of, untouched.labelled.of) {
		t.Error("features were changed")
	}
	if !slices.Equal(p.positions, untouched.positions) || !slices.Equal(p.foreground, untouched.foreground) {
		t.Error("positions or foreground flags were changed")
	}
}

func checkNothing(t *testing.T, s query.Strategy) {
	for _, n := range []int{0, 60} {
		p := newProbe(n)
		got, err := s.Select(p.pool(s.Needs()), 0, stream(1))
		if err != nil || len(got.Items) != 0 || len(got.Scores) != 0 || got.Scored != 0 {
			t.Errorf("0 of %d: got %+v, error %v; want nothing", n, got, err)
		}
		if len(p.asked) > 0 {
			t.Errorf("0 of %d: scores were asked for", n)
		}
	}
}

func checkRefused(t *testing.T, s query.Strategy) {
	for _, c := range []struct{ n, size int }{{0, 1}, {60, 61}, {60, -1}} {
		if got, err := s.Select(newProbe(c.n).pool(s.Needs()), c.size, stream(1)); err == nil {
			t.Errorf("%d of %d: got %v, want an error", c.size, c.n, got.Items)
		}
	}
}

// checkNaN spoils one value after the other: whatever the strategy reads must be refused with the item's number.
func checkNaN(t *testing.T, s query.Strategy) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for item := range 20 {
			p := newProbe(20)
			p.scores[item], p.classes[item][item%3] = bad, bad
			_, err := s.Select(p.pool(s.Needs()), 5, stream(1))
			mustName(t, err, fmt.Sprintf("score %v", bad), item, slices.Contains(slices.Concat(p.asked...), item))

			p = newProbe(20)
			p.features.of[item][1] = float32(bad)
			_, err = s.Select(p.pool(s.Needs()), 5, stream(1))
			mustName(t, err, fmt.Sprintf("feature %v", bad), item, p.features.read)

			p = newProbe(20)
			for j := range p.probs.of[item] {
				p.probs.of[item][j] = float32(bad)
			}
			_, err = s.Select(p.pool(s.Needs()), 5, stream(1))
			mustName(t, err, fmt.Sprintf("probability %v", bad), item, slices.Contains(p.probed, item))
		}
	}
}

func mustName(t *testing.T, err error, what string, item int, read bool) {
	t.Helper()
	switch {
	case read && err == nil:
		t.Errorf("%s of item %d was accepted", what, item)
	case read && !strings.Contains(err.Error(), fmt.Sprintf("item %d ", item)):
		t.Errorf("the error must name item %d: %v", item, err)
	case !read && err != nil:
		t.Errorf("%s of item %d was not read, but: %v", what, item, err)
	}
}

// checkFailing checks that what the pool cannot give is an error, and that the pool's own errors come through.
func checkFailing(t *testing.T, s query.Strategy) {
	broken := errors.New("the device is gone")
	p := newProbe(60)
	p.err = broken
	_, err := s.Select(p.pool(s.Needs()), 10, stream(1))
	if asked := len(p.asked) > 0 || p.features.read; asked && !errors.Is(err, broken) {
		t.Errorf("the pool's error must be wrapped, got %v", err)
	}

	p = newProbe(60)
	pool := p.pool(s.Needs())
	pool.Score = func(items []int) ([]float64, error) {
		p.asked = append(p.asked, items)
		return make([]float64, len(items)-1), nil
	}
	if pool.Disagreement != nil {
		pool.Disagreement = func(items []int) (query.Disagreement, error) {
			d, err := p.disagreement(items)
			d.Scores = d.Scores[1:]
			return d, err
		}
	}
	if pool.ClassScores != nil {
		pool.ClassScores = func(items []int) ([][]float64, error) {
			p.asked = append(p.asked, items)
			return slices.Repeat([][]float64{{0, 0}}, len(items)-1), nil
		}
	}
	if _, err := s.Select(pool, 10, stream(1)); len(p.asked) > 0 && err == nil {
		t.Error("too few scores were accepted")
	}
}

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 99)) }
