package worklist

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
)

// A critic needs no segmentation network, and with one that ranks slices one with its module is trained.
func TestQueryByCritic(t *testing.T) {
	dir, _ := partly(t, 4, 2)
	for strategy, files := range map[string]int{"vaal(steps=3)": 0, "vaal(steps=3)+sb": 0, "ta-vaal(steps=3)": 2} {
		c := small(t, dir, strategy, 3)
		trained := map[int]int{}
		r, err := Run(t.Context(), engine(t), c, func(p Progress) {
			if p.Phase == "train" {
				trained[p.Of]++
			}
		}, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		made, _ := filepath.Glob(filepath.Join(c.Work, "*.safetensors"))
		if len(r.Picks) != 3 || len(made) != files || trained[3] != 3 || (trained[10] > 0) != (files > 0) {
			t.Errorf("%s: picks %v, files %v, steps %v", strategy, ids(r), made, trained)
		}
	}
}

// A critic that tells nothing is told of: by the spread of its scores, whatever their mean.
func TestBlindCritic(t *testing.T) {
	for _, c := range []struct {
		strategy string
		scores   []float64
		told     bool
	}{
		{"vaal", []float64{5, 5.0001, 5}, true}, {"vaal+sb", []float64{5, 5.01, 5}, false}, {"ta-vaal", []float64{0, 0, 0}, true},
		{"entropy", []float64{5, 5, 5}, false}, {"vaal", []float64{5}, false},
	} {
		told := false
		q := &run{notice: func(string) { told = true }}
		var err error
		q.spec, err = query.Parse(c.strategy)
		must(t, err)
		p := q.watched(query.Pool{N: len(c.scores), Score: func([]int) ([]float64, error) { return c.scores, nil }})
		if got, err := p.Score(nil); err != nil || !slices.Equal(got, c.scores) || told != c.told {
			t.Errorf("%s of %v: told %v, %v, %v", c.strategy, c.scores, told, got, err)
		}
	}
}
