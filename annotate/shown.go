package annotate

import (
	"context"
	"math"

	"github.com/nextslice/nextslice/preprocess"

	"github.com/nextslice/nextslice/annotate/fault"
)

// windowVoxels is how many voxels of a volume the automatic window looks at, at most: every n-th of them.
const windowVoxels = 1 << 20

// windowSlices is how many slices it looks at where slices are read alone.
const windowSlices = 16

// everyNth returns every n-th value, so that there are about as many as wanted.
func everyNth(values []float32, wanted int) []float32 {
	step := max(1, len(values)/max(1, wanted))
	out := make([]float32, 0, len(values)/step+1)
	for i := 0; i < len(values); i += step {
		out = append(out, values[i])
	}
	return out
}

// window returns the range of intensities that the page shows first: the 1st to the 99th percentile of what is no padding. It is
// always two numbers, whatever voxels a file holds. Nearly all of these lie between dark and bright.
func window(voxels []float32) (low, high, dark, bright float64) {
	step := max(1, len(voxels)/windowVoxels)
	known := make([]float32, 0, len(voxels)/step+1)
	for i := 0; i < len(voxels); i += step {
		if x := float64(voxels[i]); !math.IsNaN(x) && !math.IsInf(x, 0) {
			known = append(known, voxels[i])
		}
	}
	if known = withoutPadding(known); len(known) == 0 {
		return 0, 1, 0, 1
	}
	p := preprocess.Percentiles(known, 1, 99)
	if p[0] == p[1] { // nearly everything is background
		p = preprocess.Percentiles(known, 0, 100)
	}
	dark, bright = range8(known, p[0], p[1])
	return p[0], p[1], dark, bright
}

// withoutPadding drops what scanners and converters fill the outside of the field of view with: the least value, where at least one
// voxel in a hundred has it and the next values lie more than a quarter of the others' range above it, as -2000 or -3024 in CT.
func withoutPadding(voxels []float32) []float32 {
	for range 2 { // some files are padded twice
		if len(voxels) == 0 {
			return voxels
		}
		least := voxels[0]
		for _, v := range voxels {
			least = min(least, v)
		}
		rest := make([]float32, 0, len(voxels))
		for _, v := range voxels {
			if v != least {
				rest = append(rest, v)
			}
		}
		if len(rest) == 0 || 100*(len(voxels)-len(rest)) < len(voxels) {
			return voxels
		}
		p := preprocess.Percentiles(rest, 0.1, 99)
		if p[0]-float64(least) <= 0.25*(p[1]-p[0]) {
			return voxels
		}
		voxels = rest
	}
	return voxels
}

// CaseState is how far a case is.
type CaseState struct {
	Case     string `json:"case"`
	Use      string `json:"use" enum:"training,validation" doc:"What the labels of the case are for."`
	Slices   int    `json:"slices"`
	Labelled int    `json:"labelled"`
	Skipped  int    `json:"skipped"`
	Waiting  int    `json:"waiting" doc:"Slices in the queue."`
	Proposed int    `json:"proposed" doc:"Slices without a label that the model in use has a mask of already."`
	Done     bool   `json:"done" doc:"Every slice is labelled or skipped."`
	Next     *int   `json:"next" doc:"The first slice that waits, else the first without a label; null where none is left."`
	Problem  string `json:"problem,omitempty" doc:"Why its slices cannot be shown now."`

	Why *fault.Message `json:"problem_why,omitempty" doc:"The same as a code, for other languages."`
}

// States returns how far each case is, in the order of their names.
func (d *Dashboard) States(ctx context.Context) ([]CaseState, error) {
	labelled, err := d.store.LabelledItems(ctx)
	if err != nil {
		return nil, err
	}
	skipped, err := d.store.Skipped(ctx)
	if err != nil {
		return nil, err
	}
	queue, err := d.store.Queue(ctx, false)
	if err != nil {
		return nil, err
	}
	models, err := d.store.Models(ctx)
	if err != nil {
		return nil, err
	}
	proposed := []Item{}
	if m := lastAdopted(models); m != nil {
		if proposed, err = d.store.Proposed(ctx, m.Version); err != nil {
			return nil, err
		}
	}
	byCase, done, waits := map[string]*CaseState{}, map[Item]bool{}, map[Item]bool{}
	states := make([]CaseState, len(d.cases.set.Cases))
	for i, one := range d.cases.set.Cases {
		states[i] = CaseState{Case: one.ID, Use: string(d.cases.roles[one.ID]), Slices: d.config.Preprocess.Slices(one.Grid)}
		byCase[one.ID] = &states[i]
		if !d.cases.readable(one.ID) {
			why := fault.Say(fault.CaseUnreadable)
			states[i].Problem, states[i].Why = "the image cannot be read", &why
		}
	}
	count := func(items []Item, in func(*CaseState) *int, seen map[Item]bool) {
		for _, item := range items {
			if state := byCase[item.Case]; state != nil && !done[item] {
				*in(state)++
				if seen != nil {
					seen[item] = true
				}
			}
		}
	}
	count(labelled, func(s *CaseState) *int { return &s.Labelled }, done)
	count(skipped, func(s *CaseState) *int { return &s.Skipped }, done)
	count(proposed, func(s *CaseState) *int { return &s.Proposed }, nil)
	for _, row := range queue {
		if state := byCase[row.Item.Case]; state != nil {
			state.Waiting++
			waits[row.Item] = true
		}
	}
	for i := range states {
		s := &states[i]
		s.Done = s.Labelled+s.Skipped >= s.Slices
		for _, wanted := range []func(Item) bool{func(i Item) bool { return waits[i] }, func(i Item) bool { return !done[i] }} {
			for k := 0; k < s.Slices && s.Next == nil; k++ {
				if wanted(Item{Case: s.Case, Slice: k}) {
					s.Next = &k
				}
			}
		}
	}
	return states, nil
}
