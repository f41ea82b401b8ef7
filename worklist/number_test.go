package worklist

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/volume"
)

// The number of a query rises with new labels, and with nothing else; strategies that go by it are told.
func TestQueriesAreCounted(t *testing.T) {
	dir, masks := partly(t, 5, 1)
	c := small(t, dir, "clasp", 4)
	number := func() int {
		t.Helper()
		q := &run{Config: c, engine: engine(t), progress: func(Progress) {}, notice: func(string) {}, warned: map[int]bool{}}
		var err error
		q.spec, err = query.Parse(c.Strategy)
		must(t, err)
		must(t, q.open(t.Context()))
		must(t, q.list(t.Context()))
		unlock, err := q.begin()
		must(t, err)
		defer unlock()
		must(t, q.count())
		return q.number
	}
	label := func(name string) {
		t.Helper()
		must(t, volume.WriteMask(filepath.Join(dir, "labels", name+".nii.gz"), masks[name]))
	}
	if n := number(); n != 0 {
		t.Errorf("the first query is %d", n)
	}
	label("phantom_001")
	first, again := number(), number()
	c.Size = 5
	if other := number(); first != 1 || again != 1 || other != 1 {
		t.Errorf("the second query is %d, again %d, and of another size %d", first, again, other)
	}
	label("phantom_002")
	label("phantom_003")
	if n := number(); n != 2 {
		t.Errorf("the third query is %d", n)
	}

	// In the first query β is 1, in the fifth 100: other picks of the same draws and scores.
	c.Experiment.Train.Steps = 100
	ask(t, c)
	text, err := os.ReadFile(filepath.Join(c.Work, numberFile))
	must(t, err)
	var picks [2][]string
	for i, n := range []string{"0", "4"} {
		must(t, os.WriteFile(filepath.Join(c.Work, numberFile), []byte(strings.Replace(string(text), "2", n, 1)), 0o600))
		picks[i] = ids(ask(t, c))
	}
	if slices.Equal(picks[0], picks[1]) {
		t.Error("the first query's picks are the fifth's")
	}
	must(t, os.WriteFile(filepath.Join(c.Work, numberFile), []byte("{"), 0o600))
	if _, err := Run(t.Context(), engine(t), c, func(Progress) {}, func(string) {}); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("a damaged file: %v", err)
	}
}
