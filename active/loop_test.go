package active_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/active"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// fake learns nothing: its Dice is the part of the pool that is labelled, an item's score is its number. It keeps a
// diary of what the loop asked of it.
type fake struct {
	pool     int
	labelled []int
	diary    []string
	failAt   string // the diary's entry that fails
}

func (f *fake) note(format string, args ...any) error {
	entry := fmt.Sprintf(format, args...)
	f.diary = append(f.diary, entry)
	if entry == f.failAt {
		return errors.New("the fake fails")
	}
	return nil
}

func (f *fake) Train(_ context.Context, cycle int, labelled []int) error {
	f.labelled = labelled
	return f.note("train %d on %v", cycle, labelled)
}

func (f *fake) Evaluate(context.Context) (metrics.Summary, error) {
	var s metrics.Summary
	s.Mean.Dice3D = metrics.Measure{Value: float64(len(f.labelled)) / float64(f.pool), N: 1}
	return s, f.note("evaluate")
}

func (f *fake) Pool(_ context.Context, unlabelled []int) query.Pool {
	return query.Pool{N: len(unlabelled), Score: func(items []int) ([]float64, error) {
		scores := make([]float64, len(items))
		for i, item := range items {
			scores[i] = float64(unlabelled[item])
		}
		return scores, f.note("score %d", len(items))
	}}
}

func (f *fake) Label(_ context.Context, items []int) error { return f.note("label %v", items) }

// list records in memory.
type list struct {
	cycles []active.Cycle
	err    error
}

func (l *list) Record(c active.Cycle) error {
	l.cycles = append(l.cycles, c)
	return l.err
}

func names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("Case%02d/%03d", i/10, i%10)
	}
	return names
}

func newLoop(f *fake, strategy query.Strategy, queries int) (*active.Loop, *list) {
	l := &list{}
	return &active.Loop{
		Learner: f, Oracle: f, Recorder: l, Strategy: strategy,
		Names: names(f.pool), Initial: []int{0, 3}, Size: 2, Queries: queries,
		Random: func(cycle int) *rand.Rand { return random.Stream(1, "query", cycle) },
	}, l
}

func TestLoopInOrder(t *testing.T) {
	f := &fake{pool: 12}
	loop, records := newLoop(f, query.Top{}, 2)
	if err := loop.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train 0 on [0 3]", "evaluate", "score 10", "label [11 10]",
		"train 1 on [0 3 10 11]", "evaluate", "score 8", "label [9 8]",
		"train 2 on [0 3 8 9 10 11]", "evaluate", // and no query: no model would see its labels
	}
	if diff := cmp.Diff(want, f.diary); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
	first := records.cycles[0]
	if first.Cycle != 0 || first.Labelled != 2 || first.Scored != 10 ||
		!slices.Equal(first.Query, []string{"Case01/001", "Case01/000"}) || !slices.Equal(first.Scores, active.Scores{11, 10}) {
		t.Errorf("first record: %+v", first)
	}
	last := records.cycles[2]
	if last.Labelled != 6 || last.Query != nil || last.Scores != nil || last.Measures.Mean.Dice3D.Value != 0.5 {
		t.Errorf("last record: %+v", last)
	}
}

func TestLoopEndsWithThePool(t *testing.T) {
	f := &fake{pool: 5}
	loop, records := newLoop(f, query.Top{}, 9)
	if err := loop.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	// 2, 4, then one item is left; the model of all five is trained and evaluated, and there is nothing to ask.
	if n := len(records.cycles); n != 3 || records.cycles[2].Labelled != 5 || len(records.cycles[1].Query) != 1 {
		t.Errorf("%d cycles: %+v", n, records.cycles)
	}
	if !active.Finished(records.cycles, 9) || active.Finished(records.cycles[:2], 9) || active.Finished(nil, 0) {
		t.Error("Finished is wrong about a run that labelled everything")
	}
}

// A run that goes on behind any number of recorded cycles must end with the records of one that was not interrupted.
func TestLoopResumes(t *testing.T) {
	const queries = 4
	for _, strategy := range []query.Strategy{query.Random{}, query.StochasticBatches{}} {
		loop, whole := newLoop(&fake{pool: 40}, strategy, queries)
		if err := loop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for kept := range queries + 2 {
			f := &fake{pool: 40}
			loop, rest := newLoop(f, strategy, queries)
			loop.Done = slices.Clone(whole.cycles[:kept])
			if err := loop.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(text(t, whole.cycles[kept:]), text(t, rest.cycles)); diff != "" {
				t.Errorf("%v, resumed after %d cycles (-want +got):\n%s", strategy, kept, diff)
			}
			if kept == queries+1 && len(f.diary) > 0 {
				t.Errorf("a finished run was run again: %v", f.diary)
			}
		}
	}
}

func TestLoopRefusesOtherRecords(t *testing.T) {
	good := active.Cycle{Cycle: 0, Labelled: 2, Query: []string{"Case00/001", "Case00/002"}}
	for name, done := range map[string][]active.Cycle{
		"another cycle":     {{Cycle: 1, Labelled: 2}},
		"another size":      {{Cycle: 0, Labelled: 3}},
		"an unknown item":   {{Cycle: 0, Labelled: 2, Query: []string{"Case77/001"}}},
		"a labelled item":   {{Cycle: 0, Labelled: 2, Query: []string{"Case00/003"}}},
		"a count that jump": {good, {Cycle: 1, Labelled: 3}},
	} {
		f := &fake{pool: 12}
		loop, _ := newLoop(f, query.Top{}, 5)
		loop.Done = done
		if err := loop.Run(t.Context()); err == nil || len(f.diary) > 0 {
			t.Errorf("%s: error %v, then %v", name, err, f.diary)
		}
	}
}

func TestLoopStopsAtErrors(t *testing.T) {
	for _, at := range []string{"train 1 on [0 3 10 11]", "evaluate", "score 8", "label [9 8]"} {
		f := &fake{pool: 12, failAt: at}
		loop, records := newLoop(f, query.Top{}, 3)
		err := loop.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the fake fails") || !strings.HasPrefix(err.Error(), "cycle ") {
			t.Errorf("%s: error %v", at, err)
		}
		if last := f.diary[len(f.diary)-1]; last != at {
			t.Errorf("%s: the loop went on to %s", at, last)
		}
		if len(records.cycles) > 1 {
			t.Errorf("%s: the failed cycle was recorded", at)
		}
	}
	f := &fake{pool: 12}
	loop, records := newLoop(f, query.Top{}, 3)
	records.err = errors.New("disk full")
	if err := loop.Run(t.Context()); err == nil || len(records.cycles) != 1 {
		t.Errorf("after a record that failed: error %v, %d records", err, len(records.cycles))
	}
}

func TestReadCycles(t *testing.T) {
	var undefined metrics.Summary
	undefined.Mean.Dice3D.Value = math.NaN()
	want := []active.Cycle{
		{Cycle: 0, Labelled: 2, Query: []string{"a/000", "b/001"}, Scores: active.Scores{math.NaN(), 0.1}, Measures: undefined},
		{Cycle: 1, Labelled: 4, Measures: undefined},
	}
	whole := text(t, want)
	got, size, err := active.ReadCycles(strings.NewReader(whole))
	if err != nil || size != int64(len(whole)) || text(t, got) != whole {
		t.Errorf("read %+v, %d bytes, %v", got, size, err)
	}
	if !math.IsNaN(got[0].Scores[0]) || got[0].Scores[1] != 0.1 {
		t.Errorf("scores %v", got[0].Scores)
	}

	// A crash can cut the last line anywhere.
	first := strings.IndexByte(whole, '\n') + 1
	for cut := first; cut < len(whole); cut++ {
		got, size, err := active.ReadCycles(strings.NewReader(whole[:cut]))
		if err != nil || len(got) != 1 || size != int64(first) {
			t.Fatalf("cut at %d: %d cycles, %d bytes, %v", cut, len(got), size, err)
		}
	}
	if _, _, err := active.ReadCycles(strings.NewReader("{\"cycle\":0}\nnonsense\n{}\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a damaged line: %v", err)
	}
	second := whole[first:]
	for name, lines := range map[string]string{"doubled": whole[:first] + whole[:first] + second, "missing": second, "reversed": second + whole[:first], "doubled at the end": whole + second} {
		if _, _, err := active.ReadCycles(strings.NewReader(lines)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func text(t *testing.T, cycles []active.Cycle) string {
	var b bytes.Buffer
	for _, c := range cycles {
		if err := active.WriteCycle(&b, c); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// Example runs one query with a learner whose score is the item's number.
func Example() {
	learner := &fake{pool: 6}
	records := &list{}
	loop := active.Loop{
		Learner: learner, Oracle: learner, Recorder: records, Strategy: query.Top{},
		Names: names(6), Initial: []int{0, 1}, Size: 2, Queries: 1,
		Random: func(cycle int) *rand.Rand { return random.Stream(1, "query", cycle) },
	}
	if err := loop.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, c := range records.cycles {
		fmt.Printf("cycle %d: %d labelled, dice_3d %.2f, query %v\n", c.Cycle, c.Labelled, c.Measures.Mean.Dice3D.Value, c.Query)
	}
	// Output:
	// cycle 0: 2 labelled, dice_3d 0.33, query [Case00/005 Case00/004]
	// cycle 1: 4 labelled, dice_3d 0.67, query []
}
