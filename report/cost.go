package report

import (
	"fmt"
	"math"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Cost is what there was to outline on the slices that a strategy asked for, by the masks: a slice full of organ costs more than an empty
// one. The initial sets, which are those of every strategy, are not counted. All are per run.
type Cost struct {
	Slices     stats.Summary `json:"slices"`     // asked for in all
	Foreground CostOf        `json:"foreground"` // pixels of any foreground class
	Boundary   CostOf        `json:"boundary"`   // length of the outlines, in pixel sides; see record.Slice
	Empty      stats.Summary `json:"empty"`      // share of the slices without foreground
	EmptyCurve []Point       `json:"empty_curve"`
}

// CostOf is one kind of cost.
type CostOf struct {
	PerQuery stats.Summary `json:"per_query"` // mean over the run's queries
	All      stats.Summary `json:"all"`       // of all its queries
}

// poolSlices are the slices of a pool, by place.
type poolSlices map[position]record.Slice

func (s Source) poolSlices() poolSlices {
	if s.Slices == nil {
		return nil
	}
	pool := poolSlices{}
	for _, one := range s.Slices {
		pool[position{one.Case, one.Slice}] = one
	}
	return pool
}

// of returns the slices of these names; ok is false where one is not known.
func (pool poolSlices) of(names []string) (slices []record.Slice, ok bool) {
	for _, name := range names {
		place, _ := parseItem(name)
		one, known := pool[place]
		if !known {
			return nil, false
		}
		slices = append(slices, one)
	}
	return slices, true
}

// cost returns that of a strategy's runs, nil where the pool's slices are not known, or not all of those that were asked for.
func (pool poolSlices) cost(runs []record.Run, intervals func(name string, values []float64) stats.Interval) *Cost {
	if pool == nil {
		return nil
	}
	var asked, empty, foreground, foregroundAll, boundary, boundaryAll []float64
	emptyAt := map[int][]float64{}
	for _, r := range runs {
		queries, n, none, pixels, sides := 0.0, 0.0, 0.0, 0.0, 0.0
		emptyHere := map[int][]float64{}
		for _, c := range r.Cycles {
			picks, ok := pool.of(c.Query)
			if !ok {
				return nil
			}
			if len(picks) == 0 {
				continue
			}
			here := 0.0
			for _, p := range picks {
				pixels, sides = pixels+float64(p.Foreground), sides+float64(p.Boundary)
				if p.Foreground == 0 {
					here++
				}
			}
			queries, n, none = queries+1, n+float64(len(picks)), none+here
			emptyHere[c.Labelled] = append(emptyHere[c.Labelled], here/float64(len(picks)))
		}
		addRun(emptyAt, emptyHere)
		if queries == 0 {
			continue
		}
		asked, empty = append(asked, n), append(empty, none/n)
		foreground, foregroundAll = append(foreground, pixels/queries), append(foregroundAll, pixels)
		boundary, boundaryAll = append(boundary, sides/queries), append(boundaryAll, sides)
	}
	return &Cost{
		Slices: stats.Describe(asked), Empty: stats.Describe(empty), EmptyCurve: points("empty", emptyAt, intervals),
		Foreground: CostOf{stats.Describe(foreground), stats.Describe(foregroundAll)},
		Boundary:   CostOf{stats.Describe(boundary), stats.Describe(boundaryAll)},
	}
}

// hasCosts tells whether costs of all strategies are known.
func (g Group) hasCosts() bool {
	for _, st := range g.Strategies {
		if st.Picks.Cost == nil {
			return false
		}
	}
	return len(g.Strategies) > 0
}

// costNote says why there are no costs, and how to get them.
func (x Experiment) costNote() string {
	if x.pool == nil {
		return fmt.Sprintf("What there was to outline is not shown: the record has no %s. nextslice simulate --resume writes it to a run folder that has none, and report --export takes it along.", record.SlicesFile)
	}
	return fmt.Sprintf("What there was to outline is not shown: %s lacks slices that were picked. Remove it from the run folder, and nextslice simulate --resume writes it anew.", record.SlicesFile)
}

// costTable says what the labels cost, beside how many there were.
func (x Experiment) costTable(g Group) table.Table {
	t := table.Table{Name: "cost", Title: x.heading(g) + ": what there was to outline", Head: [][]table.Cell{{table.Text("strategy"), table.Text("slices asked for"),
		table.Text("foreground per query (pixels)"), table.Text("in all"), table.Text("boundary per query (pixels)"), table.Text("in all"), table.Text("empty slices (%%)")}}}
	whole, share := measure{scale: 1}, measure{scale: 100, digits: 1}
	for _, st := range g.Strategies {
		c := st.Picks.Cost
		t.Rows = append(t.Rows, []table.Cell{table.Text("%s", st.Name), meanStd(c.Slices, whole), meanStd(c.Foreground.PerQuery, whole), meanStd(c.Foreground.All, whole),
			meanStd(c.Boundary.PerQuery, whole), meanStd(c.Boundary.All, whole), meanStd(c.Empty, share)})
	}
	foreground, boundary, empty := 0, 0, 0
	for _, s := range x.pool {
		foreground, boundary = foreground+s.Foreground, boundary+s.Boundary
		if s.Foreground == 0 {
			empty++
		}
	}
	n := float64(max(1, len(x.pool)))
	t.Notes = append(t.Notes, fmt.Sprintf("Mean ± standard deviation over runs, by the masks on the cases' own grids; without the initial sets, which all strategies share. Foreground: pixels of any class. "+
		"Boundary: pixel sides between two classes or at the edge of the slice; a square of n × n pixels has 4n. A slice of the pool has %.0f and %.0f of them in the mean, and %s are empty.",
		math.Round(float64(foreground)/n), math.Round(float64(boundary)/n), percent(empty, len(x.pool))))
	return t
}
