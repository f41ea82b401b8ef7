package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
	"github.com/nextslice/nextslice/stats"
)

// Picks says which slices a strategy asked for, and how much they repeat what was labelled already.
type Picks struct {
	// Adjacent is, per run, the share of picks next to a labelled slice of the same case: one whose number is one less or
	// one more, labelled before or picked with it.
	Adjacent stats.Summary `json:"adjacent"`
	// CasesPerQuery is, per run, the mean number of different cases in a query.
	CasesPerQuery stats.Summary `json:"cases_per_query"`
	// Cases is, per run, the number of different cases among all picks.
	Cases stats.Summary `json:"cases"`
	// ByQuery holds both per query: as curves over the labels that were there when it was asked.
	AdjacentCurve []Point `json:"adjacent_curve"`
	CasesCurve    []Point `json:"cases_curve"`
	// InitialKnown says that the initial sets are recorded. Without them Adjacent counts picks only, and is too low.
	InitialKnown bool `json:"initial_known"`
	// Items are the slices picked, with the number of runs that picked them, by case and slice.
	Items []figure.Pick `json:"items"`
	// Cost is nil where the record does not tell what there was to outline.
	Cost *Cost `json:"cost,omitempty"`
}

// position is an item's place.
type position struct {
	id    string
	slice int
}

// parseItem reads the name of an item, such as "Case12/017".
func parseItem(name string) (p position, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return position{}, false
	}
	n, err := strconv.Atoi(name[i+1:])
	return position{name[:i], n}, err == nil
}

// redundancy is what one query of one run repeats.
type redundancy struct {
	labelled        int
	adjacent, cases float64 // share of picks; number of cases
}

// redundancies returns those of a run's queries. Items whose names tell no place are left out.
func redundancies(r record.Run) (queries []redundancy, all map[position]int, cases int) {
	labelled, all := map[position]bool{}, map[position]int{}
	add := func(names []string) (places []position) {
		for _, name := range names {
			if p, ok := parseItem(name); ok {
				places = append(places, p)
				labelled[p] = true
			}
		}
		return places
	}
	everyCase := map[string]bool{}
	for _, c := range r.Cycles {
		add(c.Initial)
		places := add(c.Query)
		if len(places) == 0 {
			continue
		}
		adjacent, here := 0, map[string]bool{}
		for _, p := range places {
			if labelled[position{p.id, p.slice - 1}] || labelled[position{p.id, p.slice + 1}] {
				adjacent++
			}
			here[p.id], everyCase[p.id] = true, true
			all[p]++
		}
		queries = append(queries, redundancy{c.Labelled, float64(adjacent) / float64(len(places)), float64(len(here))})
	}
	return queries, all, len(everyCase)
}

// picks summarises the queries of a strategy's runs. intervals makes the points of curves; pool may be nil.
func picks(runs []record.Run, pool poolSlices, intervals func(name string, values []float64) stats.Interval) Picks {
	p := Picks{InitialKnown: len(runs) > 0, Cost: pool.cost(runs, intervals)}
	times := map[position]int{}
	var adjacent, perQuery, cases []float64
	adjacentAt, casesAt := map[int][]float64{}, map[int][]float64{}
	for _, r := range runs {
		if len(r.Cycles) > 0 && len(r.Cycles[0].Initial) == 0 {
			p.InitialKnown = false
		}
		queries, all, distinct := redundancies(r)
		if len(queries) == 0 {
			continue
		}
		var sumAdjacent, sumCases float64
		adjacentHere, casesHere := map[int][]float64{}, map[int][]float64{}
		for _, q := range queries {
			sumAdjacent += q.adjacent
			sumCases += q.cases
			adjacentHere[q.labelled] = append(adjacentHere[q.labelled], q.adjacent)
			casesHere[q.labelled] = append(casesHere[q.labelled], q.cases)
		}
		addRun(adjacentAt, adjacentHere)
		addRun(casesAt, casesHere)
		n := float64(len(queries))
		adjacent, perQuery, cases = append(adjacent, sumAdjacent/n), append(perQuery, sumCases/n), append(cases, float64(distinct))
		for place, k := range all {
			times[place] += k
		}
	}
	p.Adjacent, p.CasesPerQuery, p.Cases = stats.Describe(adjacent), stats.Describe(perQuery), stats.Describe(cases)
	p.AdjacentCurve = points("adjacent", adjacentAt, intervals)
	p.CasesCurve = points("cases", casesAt, intervals)
	for place, k := range times {
		p.Items = append(p.Items, figure.Pick{Case: place.id, Slice: place.slice, Times: k})
	}
	slices.SortFunc(p.Items, func(a, b figure.Pick) int { return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(a.Slice, b.Slice)) })
	return p
}

// addRun adds the values of a run at each number of labels, as their mean where the run has several there: it counts once.
func addRun(all, run map[int][]float64) {
	for labelled, values := range run {
		all[labelled] = append(all[labelled], stats.Describe(values).Mean)
	}
}

// Point is a point of a curve: the mean over runs with a bootstrap interval.
type Point struct {
	Labelled int        `json:"labelled"`
	Mean     null.Float `json:"mean"`
	Std      null.Float `json:"std"`
	Low      null.Float `json:"low"`
	High     null.Float `json:"high"`
	N        int        `json:"n"` // runs
}

// points makes a curve of the values at each number of labels. Values that are NaN are left out.
func points(name string, values map[int][]float64, intervals func(name string, values []float64) stats.Interval) []Point {
	var out []Point
	for labelled, all := range values {
		defined := slices.DeleteFunc(slices.Clone(all), math.IsNaN)
		if len(defined) == 0 {
			continue
		}
		d := stats.Describe(defined)
		i := intervals(name+"/"+strconv.Itoa(labelled), defined)
		out = append(out, Point{labelled, null.Float(d.Mean), null.Float(d.Std), null.Float(i.Low), null.Float(i.High), d.N})
	}
	slices.SortFunc(out, func(a, b Point) int { return cmp.Compare(a.Labelled, b.Labelled) })
	return out
}
