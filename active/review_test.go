package active_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/query"
)

// A review may leave picks out and copy labelled items, which the next trainings see behind the labelled ones and which are no labels; a run that goes on
// behind any cycle sees the same.
func TestLoopReview(t *testing.T) {
	review := func(f *fake) func(context.Context, int, active.Picks[int]) (active.Review, error) {
		return func(_ context.Context, cycle int, picks active.Picks[int]) (active.Review, error) {
			f.note("review %v", picks.Items)
			picks.Items, picks.Scores = picks.Items[:1], picks.Scores[:1]
			return active.Review{Picks: picks, Copies: []int{3 * (cycle % 2)}, Pseudo: &active.PseudoLabels{Items: cycle}}, nil
		}
	}
	f := &fake{pool: 12}
	loop, whole := newLoop(f, query.Top{}, 3)
	loop.Review = review(f)
	if err := loop.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train 0 on [0 3]", "evaluate", "score 10", "review [11 10]", "label [11]",
		"train 1 on [0 3 11 0]", "evaluate", "score 9", "review [10 9]", "label [10]",
		"train 2 on [0 3 10 11 0 3]", "evaluate", "score 8", "review [9 8]", "label [9]",
		"train 3 on [0 3 9 10 11 0 3 0]", "evaluate",
	}
	if diff := cmp.Diff(want, f.diary); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
	if c := whole.cycles[1]; c.Labelled != 3 || !slices.Equal(c.Copies, []string{"Case00/003"}) || len(c.Query) != 1 || len(c.Scores) != 1 || c.Pseudo.Items != 1 {
		t.Errorf("record: %+v", c)
	}
	for kept := range 4 {
		f := &fake{pool: 12}
		loop, rest := newLoop(f, query.Top{}, 3)
		loop.Review, loop.Done = review(f), slices.Clone(whole.cycles[:kept])
		if err := loop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(t, whole.cycles[kept:]), text(t, rest.cycles)); diff != "" {
			t.Errorf("resumed after %d cycles (-want +got):\n%s", kept, diff)
		}
	}
	for name, copied := range map[string]string{"unknown": "Case77/001", "unlabelled": "Case00/007"} {
		loop, _ := newLoop(&fake{pool: 12}, query.Top{}, 3)
		loop.Done = []active.Cycle{{Labelled: 2, Query: []string{"Case00/001"}, Copies: []string{copied}}}
		if err := loop.Run(t.Context()); err == nil {
			t.Errorf("a copy of an %s item is taken", name)
		}
	}
}
