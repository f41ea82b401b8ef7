package worklist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/uncertainty"
)

// termsFile has the uncertainty and the mutual information of each candidate, of which scores with Score.Alpha are made when all are there.
const termsFile = "terms.csv"

// plain returns s without what compares an item with others: what a network says of each alone.
func plain(s query.Spec) query.Spec {
	s.Score.Alpha = 0
	return s
}

// diminishing returns what scores candidates with Score.Alpha, see model.Candidates: case by case, for all of them, whichever the strategy asks for. The bins of intensities
// go by all candidates, or by a random choice of mostSeen where there are more, for these are in memory together.
func (q *run) diminishing(ctx context.Context, s *stream) func(items []int) ([]float64, error) {
	var scores []float64 // of all, once they are there
	return func(items []int) ([]float64, error) {
		if scores == nil {
			all, err := q.terms(ctx, s)
			if err != nil {
				return nil, err
			}
			q.unsure = make([]float64, len(all))
			mi := make([]float64, len(all))
			for i, row := range all {
				q.unsure[i], mi[i] = row[0], row[1]
			}
			scores = uncertainty.Diminishing(q.unsure, mi, q.spec.Score.Alpha)
			if err := q.writeScores(scores); err != nil {
				return nil, err
			}
		}
		out := make([]float64, len(items))
		for at, i := range items {
			out[at] = scores[i]
		}
		return out, nil
	}
}

// terms returns the uncertainty and the mutual information of each candidate.
func (q *run) terms(ctx context.Context, s *stream) (rows [][]float64, err error) {
	all := make([]int, len(q.candidates))
	missing := false
	for i := range all {
		all[i] = i
		_, known := s.store.row(q.name(q.candidates[i]))
		missing = missing || !known
	}
	var known *uncertainty.Mutual
	if missing {
		some, err := q.someImages(ctx, "intensities")
		if err != nil {
			return nil, err
		}
		known = uncertainty.NewMutual(some, s.labelled)
	}
	ask := s.ask
	var seen [][]float32 // of the case at hand
	s.ask = func(ctx context.Context, c model.Candidates) query.Pool {
		seen = c.Images
		return ask(ctx, c)
	}
	defer func() { s.ask = ask }()
	err = s.stored(ctx, s.store, all, func(p query.Pool, some []int) ([][]float64, error) {
		u, err := p.Score(some)
		if err != nil {
			return nil, err
		}
		mi := known.With(seen)
		rows := make([][]float64, len(some))
		for i, one := range some {
			rows[i] = []float64{u[i], mi[one]}
		}
		return rows, nil
	}, func(row []float64) { rows = append(rows, row) })
	return rows, err
}

// someImages returns the images of the candidates, of mostSeen at most, which are drawn.
func (q *run) someImages(ctx context.Context, stream string) (images [][]float32, err error) {
	some := q.streams().stream(stream).Perm(len(q.candidates))
	some = some[:min(mostSeen, len(some))]
	slices.Sort(some)
	s := q.loading()
	s.ask = func(_ context.Context, c model.Candidates) query.Pool {
		images = append(images, c.Images...)
		return query.Pool{}
	}
	err = s.each(ctx, some, func(query.Pool, []int) error { return nil })
	return images, err
}

// loading returns a stream that reads candidates for something else than the query.
func (q *run) loading() *stream {
	return &stream{
		spec: q.spec, items: q.candidates, names: q.name, images: q.read,
		progress: func(done, of int) { q.progress(Progress{Phase: "load", Done: done, Of: of}) },
	}
}

// writeScores writes the scores of all candidates.
func (q *run) writeScores(scores []float64) error {
	path := filepath.Join(q.dir, scoresFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := openScores(path, q.name)
	if err != nil {
		return err
	}
	for first := 0; err == nil && first < len(scores); {
		var rows [][]float64
		end := first
		for ; end < len(scores) && q.candidates[end].index == q.candidates[first].index; end++ {
			rows = append(rows, scores[end:end+1])
		}
		err = file.add(q.candidates[first:end], rows)
		first = end
	}
	return errors.Join(err, file.close())
}
