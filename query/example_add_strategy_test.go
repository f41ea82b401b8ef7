package query_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/query/querytest"
	"github.com/nextslice/nextslice/random"
)

// The code of docs/how-to/add-a-strategy.md. TestHowTo holds that the two agree.

// OnePerCase picks the items with the highest scores, but a second item of a case only when every case has given
// one, and so on: neighbouring slices of one case are alike, and often all uncertain together.
//
// Needs Positions. Cost: scores all N items; O(N log N) time.
type OnePerCase struct{}

// Select implements query.Strategy. The picks come best first within each turn of the cases.
func (OnePerCase) Select(p query.Pool, size int, rng *rand.Rand) (query.Selection, error) {
	if size < 0 || size > p.N || len(p.Positions) != p.N {
		return query.Selection{}, fmt.Errorf("one per case: cannot pick %d of %d items with %d positions", size, p.N, len(p.Positions))
	}
	if size == 0 {
		return query.Selection{}, nil
	}
	ranking, err := query.Top{}.Select(p, p.N, rng) // refuses NaN, breaks ties at random
	if err != nil {
		return query.Selection{}, err
	}

	type entry struct {
		item, turn int // turn: how many items of the case rank above
		score      float64
	}
	entries := make([]entry, p.N)
	above := map[int]int{}
	for i, item := range ranking.Items {
		c := p.Positions[item].Case
		entries[i] = entry{item: item, turn: above[c], score: ranking.Scores[i]}
		above[c]++
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.turn, b.turn) })

	picks := query.Selection{Scored: ranking.Scored}
	for _, e := range entries[:size] {
		picks.Items = append(picks.Items, e.item)
		picks.Scores = append(picks.Scores, e.score)
	}
	return picks, nil
}

func (OnePerCase) String() string { return "one-per-case" }

func TestOnePerCase(t *testing.T) { querytest.Run(t, OnePerCase{}) }

// Case 0 holds the three highest scores; with one per case it gives only the best of them.
func Example_addAStrategy() {
	scores := []float64{0.9, 0.8, 0.7, 0.3, 0.2, 0.1}
	pool := query.Pool{
		N: len(scores),
		Score: func(items []int) ([]float64, error) {
			out := make([]float64, len(items))
			for i, item := range items {
				out[i] = scores[item]
			}
			return out, nil
		},
		Positions: []query.Position{{Case: 0, Slice: 4}, {Case: 0, Slice: 5}, {Case: 0, Slice: 6}, {Case: 1, Slice: 4}, {Case: 1, Slice: 9}, {Case: 2, Slice: 3}},
	}
	for _, strategy := range []query.Strategy{query.Top{}, OnePerCase{}} {
		picks, err := strategy.Select(pool, 4, random.Stream(1, "query", 0))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(strategy, picks.Items)
	}
	// Output:
	// top [0 1 2 3]
	// one-per-case [0 3 5 1]
}

// TestHowTo holds that all Go code of the how-to stands in this file, so that it compiles and does what it says.
func TestHowTo(t *testing.T) {
	text, err := os.ReadFile("../docs/how-to/add-a-strategy.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("example_add_strategy_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```go\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("the how-to has %d blocks of Go, want the strategy, its test and its example", len(blocks))
	}
	for _, block := range blocks {
		block, _, closed := strings.Cut(block, "```")
		if !closed || !strings.Contains(string(code), block) {
			t.Errorf("this code of the how-to does not stand in the example's file:\n%s", block)
		}
	}
}
