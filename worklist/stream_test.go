package worklist

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
)

// A million slices go through, at most two cases of which are in memory at a time.
func TestMillionSlices(t *testing.T) {
	const cases, each, pixels = 2000, 500, 64
	items := make([]item, 0, cases*each)
	for index := range cases {
		for k := range each {
			items = append(items, item{index, k})
		}
	}
	spec, err := query.Parse("entropy")
	if err != nil {
		t.Fatal(err)
	}
	var alive, most atomic.Int64
	s := &stream{
		spec: spec, items: items, progress: func(int, int) {},
		names: func(i item) string { return fmt.Sprintf("c%d/%03d", i.index, i.slice) },
		images: func(index int, wanted []int) ([][]float32, error) {
			most.Store(max(most.Load(), alive.Add(1)))
			images := make([][]float32, len(wanted))
			for i := range images {
				images[i] = make([]float32, pixels)
				images[i][0] = float32((index*each + wanted[i]) * 7919 % (cases * each))
			}
			return images, nil
		},
	}
	s.ask = func(_ context.Context, c model.Candidates) query.Pool {
		return query.Pool{N: len(c.Images), Score: func(some []int) ([]float64, error) {
			defer alive.Add(-1)
			scores := make([]float64, len(some))
			for i, one := range some {
				scores[i] = float64(c.Images[one][0])
			}
			return scores, nil
		}}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	selection, err := spec.Strategy.Select(s.pool(t.Context()), 5, random.Stream(1))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for n, i := range selection.Items {
		if want := float64(cases*each - 1 - n); selection.Scores[n] != want || float64(i*7919%(cases*each)) != want {
			t.Errorf("pick %d is item %d of score %v, want score %v", n, i, selection.Scores[n], want)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d cases were in memory at a time", most.Load())
	}
	if grown := after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc); grown > 100<<20 {
		t.Errorf("%d MB are left in memory", grown>>20)
	}
}

// What is stored is read again, whole cases of it, whatever a crash left behind; names may hold commas and quotes.
func TestScoreFile(t *testing.T) {
	path := t.TempDir() + "/scores.csv"
	names := func(i item) string { return fmt.Sprintf("a,\"%d\"/%03d", i.index, i.slice) }
	open := func() *scoreFile {
		s, err := openScores(path, names)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	must(t, s.add([]item{{0, 1}, {0, 2}}, [][]float64{{0.5}, {0.25}}))
	must(t, s.add([]item{{1, 7}}, [][]float64{{1e-300, 2, 3}}))
	fmt.Fprint(s.file, quote(names(item{2, 0}))+",0.1,,\n", quote(names(item{2, 1}))+",0.2,")
	must(t, s.close())
	s = open()
	if len(s.rows) != 3 {
		t.Errorf("rows %v", s.rows)
	}
	if row, ok := s.row(names(item{1, 7})); !ok || !slices.Equal(row, []float64{1e-300, 2, 3}) {
		t.Errorf("row %v, %v", row, ok)
	}
	must(t, s.add([]item{{2, 0}, {2, 1}}, [][]float64{{0.1}, {0.2}}))
	must(t, s.close())
	if s = open(); len(s.rows) != 5 {
		t.Errorf("rows %v", s.rows)
	}
	must(t, s.close())
	must(t, os.WriteFile(path, []byte(scoreHeading+"a,1,,\nb,2,3,\nc,4,1,\n"), 0o600)) // of three rows that belong together one is lost
	if s = open(); len(s.rows) != 1 || s.rows["c"] == nil {
		t.Errorf("rows %v, want that of c", s.rows)
	}
	must(t, s.close())
	if _, err := openScores(t.TempDir()+"/none/x", names); err == nil {
		t.Error("a file in no folder is opened")
	}
}
