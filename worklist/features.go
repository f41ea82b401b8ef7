package worklist

import (
	"context"
	"path/filepath"

	"github.com/nextslice/nextslice/query"
)

// featuresFile keeps the features of each candidate that the network gives, as scoreFile has rows.
const featuresFile = "features.csv"

// features returns those of all items. Those of the network are kept as each case is done; others cost little once what they come from is trained.
func (s *stream) features(ctx context.Context, kind query.Features) (all [][]float32, err error) {
	items := make([]int, len(s.items))
	for i := range items {
		items[i] = i
	}
	var store *scoreFile
	if s.dir != "" && (kind == query.Bottleneck || kind == query.Gradient) {
		if store, err = openScores(filepath.Join(s.dir, featuresFile), s.names); err != nil {
			return nil, err
		}
		defer store.close()
	}
	if store == nil {
		return collect(ctx, s, items, func(p query.Pool, _ []int) ([][]float32, error) { return p.Features() })
	}
	err = s.stored(ctx, store, items, func(p query.Pool, _ []int) ([][]float64, error) {
		features, err := p.Features()
		rows := make([][]float64, len(features))
		for i, f := range features {
			for _, v := range f {
				rows[i] = append(rows[i], float64(v))
			}
		}
		return rows, err
	}, func(row []float64) {
		f := make([]float32, len(row))
		for i, v := range row {
			f[i] = float32(v)
		}
		all = append(all, f)
	})
	return all, err
}
