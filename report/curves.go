package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
)

// strategy summarises the runs of one strategy, over one recipe or several. Each run is paired with those of the same
// initial set: of several recipes the mean over recipes is a set's curve, because trainings from one initial set with
// several recipes are not independent.
func (s Source) strategy(o Options, place, name string, grids []string, runs []record.Run) Strategy {
	st := Strategy{Name: name, Runs: len(runs), curves: map[string][]stats.Run{}, whole: map[string][]stats.Run{}}
	var finished []record.Run
	for _, r := range runs {
		if s.finished(r) {
			finished = append(finished, r)
		}
	}
	st.Finished = len(finished)
	for _, m := range measures {
		value := func(c record.Cycle) float64 { return valueOf(c.Measures.Mean, m.name) }
		curves := curvesOf(runs, len(grids), value)
		st.curves[m.name] = curves
		whole := curvesOf(finished, len(grids), value)
		st.whole[m.name] = whole
		interval := o.interval(place, "curve", name, m.name)
		res := Result{Measure: m.name, Cells: stats.Describe(cells(finished, value)), Curve: points("mean", byLabels(curves), interval)}
		aulc := numbers(whole, stats.AULC)
		res.AULC, res.Final = stats.Describe(aulc), stats.Describe(numbers(whole, stats.Final))
		res.AULCInterval = interval("aulc", slices.DeleteFunc(aulc, math.IsNaN))
		st.Results = append(st.Results, res)
	}
	st.dice2DOne = stats.Describe(cells(finished, func(c record.Cycle) float64 { return dice2DOne(c.Measures) }))
	for class := range runs[0].Cycles[0].Measures.Classes {
		curves := curvesOf(runs, len(grids), func(c record.Cycle) float64 { return valueOf(c.Measures.Classes[class], measures[0].name) })
		st.Classes = append(st.Classes, points("mean", byLabels(curves), o.interval(place, "class", class, name)))
	}
	st.Calibration = calibration(finished, len(grids))
	pool := s.poolSlices()
	st.Picks = picks(finished, pool, o.interval(place, "picks", name))
	st.Time = timeOf(finished)
	st.foreground = pool.foregroundCurves(finished, len(grids))
	return st
}

func valueOf(c metrics.ClassSummary, name string) float64 {
	m, _ := c.Measure(name)
	return m.Value
}

// dice2DOne returns the 2D Dice as the mean over classes under the rule metrics.EmptyOne, of a summary that was made under
// metrics.EmptyUndefined: each slice that had no value counts 1. It is that where all these slices are empty in both masks; see Experiment.tellsEmpty.
func dice2DOne(s metrics.Summary) float64 {
	sum := 0.0
	for _, c := range s.Classes {
		with := float64(c.Dice2D.Undefined)
		if c.Dice2D.N > 0 {
			with += c.Dice2D.Value * float64(c.Dice2D.N)
		}
		sum += with / float64(c.Dice2D.N+c.Dice2D.Undefined)
	}
	return sum / float64(len(s.Classes))
}

// cells returns the values of all cycles of all runs.
func cells(runs []record.Run, value func(record.Cycle) float64) (values []float64) {
	for _, r := range runs {
		for _, c := range r.Cycles {
			values = append(values, value(c))
		}
	}
	return values
}

// current returns the cycles of a run that are not superseded, whose label counts increase. A cycle is superseded by a later one with no more labels: people
// have corrected or rejected labels, and what was trained on them was trained again. Simulations have no such cycles.
func current(cycles []record.Cycle) (out []record.Cycle) {
	least := math.MaxInt
	for _, c := range slices.Backward(cycles) {
		if c.Labelled < least {
			least = c.Labelled
			out = append(out, c)
		}
	}
	slices.Reverse(out)
	return out
}

// curveOf returns the learning curve of a run: a value at each of its cycles that are not superseded.
func curveOf(r record.Run, value func(record.Cycle) float64) stats.Run {
	run := stats.Run{Set: r.Set}
	for _, c := range current(r.Cycles) {
		run.Labels, run.Values = append(run.Labels, c.Labelled), append(run.Values, value(c))
	}
	return run
}

// complete returns the runs of each initial set that has all recipes, by set: what is averaged over recipes is of these alone.
func complete(runs []record.Run, recipes int) (sets [][]record.Run) {
	bySet := map[int][]record.Run{}
	for _, r := range runs {
		bySet[r.Set] = append(bySet[r.Set], r)
	}
	for _, set := range slices.Sorted(maps.Keys(bySet)) {
		if len(bySet[set]) >= recipes {
			sets = append(sets, bySet[set])
		}
	}
	return sets
}

// curvesOf returns one curve per initial set that has all recipes, by set. With several recipes it is their mean, at the label counts within all of them.
func curvesOf(runs []record.Run, recipes int, value func(record.Cycle) float64) (out []stats.Run) {
	for _, set := range complete(runs, recipes) {
		var curves []stats.Run
		for _, r := range set {
			curves = append(curves, curveOf(r, value))
		}
		run := stats.Run{Set: set[0].Set, Labels: stats.Shared(curves...)}
		for _, labelled := range run.Labels {
			sum := 0.0
			for _, c := range curves {
				v, _ := c.At(labelled)
				sum += v
			}
			run.Values = append(run.Values, sum/float64(recipes))
		}
		out = append(out, run)
	}
	return out
}

func numbers(curves []stats.Run, of func(stats.Run) float64) (values []float64) {
	for _, c := range curves {
		values = append(values, of(c))
	}
	return values
}

// byLabels returns the values of curves at the label counts of any of them. A curve counts wherever it reaches, so that a mean is not one of
// those sets that happen to have a cycle there.
func byLabels(curves []stats.Run) map[int][]float64 {
	out := map[int][]float64{}
	for _, c := range curves {
		for _, labelled := range c.Labels {
			out[labelled] = nil
		}
	}
	for labelled := range out {
		for _, c := range curves {
			if v, ok := c.At(labelled); ok {
				out[labelled] = append(out[labelled], v)
			}
		}
	}
	return out
}

// rangesText says over which labels the curves of each strategy are; "" where all are over the same, so that areas under them and their last values can be
// compared.
func rangesText(strategies []string, curves map[string][]stats.Run) string {
	var texts []string // in their order
	of := map[string][]string{}
	same := true
	for _, name := range strategies {
		var first, last []int
		for _, c := range curves[name] {
			if n := len(c.Labels); n > 0 {
				first, last = append(first, c.Labels[0]), append(last, c.Labels[n-1])
			}
		}
		if len(first) == 0 {
			continue
		}
		ends := func(of []int) string {
			low, high := slices.Min(of), slices.Max(of)
			if low == high {
				return fmt.Sprint(low)
			}
			same = false
			return fmt.Sprintf("%d–%d", low, high)
		}
		text := ends(first) + " to " + ends(last)
		if of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], name)
	}
	if same && len(texts) < 2 {
		return ""
	}
	for i, text := range texts {
		texts[i] = text + " of " + join(of[text])
	}
	return "labels " + strings.Join(texts, "; ")
}

// differences returns the curve of a - b, paired by initial set.
func differences(a, b []stats.Run, interval func(string, []float64) stats.Interval) []Point {
	var pairs []stats.Run
	for _, ra := range a {
		for _, rb := range b {
			if ra.Set != rb.Set {
				continue
			}
			d := stats.Run{Set: ra.Set, Labels: stats.Shared(ra, rb)}
			for _, labelled := range d.Labels {
				va, _ := ra.At(labelled)
				vb, _ := rb.At(labelled)
				d.Values = append(d.Values, va-vb)
			}
			pairs = append(pairs, d)
		}
	}
	return points("mean", byLabels(pairs), interval)
}

// reach returns with how many labels runs get to a value.
func reach(curves []stats.Run, value float64, of string) *Reach {
	out := Reach{Value: null.Float(value), Of: of, Runs: len(curves), Median: null.Float(math.NaN())}
	var labels []float64
	for _, c := range curves {
		n, reached := stats.LabelsToReach(c, value, measures[0].direction)
		if reached {
			out.Reached++
		} else {
			n = math.Inf(1)
		}
		labels = append(labels, n)
	}
	if n := len(labels); n > 0 {
		slices.Sort(labels)
		if median := (labels[(n-1)/2] + labels[n/2]) / 2; !math.IsInf(median, 1) {
			out.Median = null.Float(median)
		}
	}
	finite := func(v float64) null.Float {
		if math.IsInf(v, 0) {
			return null.Float(math.NaN())
		}
		return null.Float(v)
	}
	out.interval = stats.MedianInterval(labels, level)
	out.Low, out.High = finite(out.interval.Low), finite(out.interval.High)
	return &out
}
