package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/internal/null"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/table"
	"github.com/nextslice/nextslice/stats"
)

// Efficiency is the foreground efficiency of a strategy: how fast its Dice rises to the ceiling with the share x of the pool's foreground
// that is annotated. γ is that of
//
//	Dice(x) = c - a · exp(-γ (x - x₀))
//
// fitted by least squares to the means over initial sets at each cycle, of the sets that every strategy has finished with all recipes, so that one
// strategy is not measured from the start of other sets than another. c, the smallest x, x₀, and a = c - mean Dice at x₀ are those of all
// strategies; those whose initial sets are chosen in another way begin elsewhere, and have no γ beside these.
//
// Source: Lüth et al. 2025, "nnActive". Differs from their code: its points are runs, so that x₀ and a would come from the one run with
// the least foreground; and it calls the variance of γ a standard deviation, where here an interval is drawn.
type Efficiency struct {
	Gamma null.Float `json:"gamma"` // NaN where no curve is the nearest; see stats.Saturation
	Low   null.Float `json:"low"`   // 95 % percentile bootstrap over initial sets, with c, a and x₀ as they are
	High  null.Float `json:"high"`  // NaN where it is as steep as can be told
	Last  null.Float `json:"last"`  // x after the last query
}

// EfficiencyCurve is what all strategies of a group share.
type EfficiencyCurve struct {
	Ceiling null.Float `json:"c"`
	Known   bool       `json:"of_all_labels"` // c is the Dice of all labels, and not the best of what was run
	A       null.Float `json:"a"`
	X0      null.Float `json:"x0"`
	Sets    int        `json:"sets"` // initial sets that every strategy has finished with all recipes, over which all of this is
}

// foregroundCurve is a run's 3D Dice over the share of the pool's foreground that was annotated.
type foregroundCurve struct{ x, y []float64 }

// foregroundCurves returns one curve per initial set that has all recipes, the mean of its runs, as far as all of them go. It is nil where a run does not
// tell its initial set or what there was to outline.
func (pool poolSlices) foregroundCurves(runs []record.Run, recipes int) map[int]foregroundCurve {
	total := 0
	for _, s := range pool {
		total += s.Foreground
	}
	if total == 0 {
		return nil
	}
	out := map[int]foregroundCurve{}
	for _, set := range complete(runs, recipes) {
		var curves []foregroundCurve
		cycles := math.MaxInt
		for _, r := range set {
			var one foregroundCurve
			annotated := 0
			if len(r.Cycles) == 0 || len(r.Cycles[0].Initial) == 0 {
				return nil
			}
			labelled := r.Cycles[0].Initial
			for _, c := range r.Cycles {
				slices, ok := pool.of(labelled)
				if !ok {
					return nil
				}
				for _, s := range slices {
					annotated += s.Foreground
				}
				one.x, one.y = append(one.x, float64(annotated)/float64(total)), append(one.y, c.Measures.Mean.Dice3D.Value)
				labelled = c.Query
			}
			curves, cycles = append(curves, one), min(cycles, len(r.Cycles))
		}
		out[set[0].Set] = meanCurve(curves, cycles)
	}
	return out
}

// meanCurve returns the mean of curves at each of their first cycles. Cycles without a value are left out.
func meanCurve(curves []foregroundCurve, cycles int) (mean foregroundCurve) {
	for c := range cycles {
		x, y := 0.0, 0.0
		for _, one := range curves {
			x, y = x+one.x[c], y+one.y[c]
		}
		n := float64(len(curves))
		mean.x, mean.y = append(mean.x, x/n), append(mean.y, y/n)
	}
	return mean
}

// defined returns the curve without the points that have no value.
func (f foregroundCurve) defined() (x, y []float64) {
	for i, v := range f.y {
		if !math.IsNaN(v) {
			x, y = append(x, f.x[i]), append(y, v)
		}
	}
	return x, y
}

// measured tells whether a strategy has a γ beside others: it has finished a set of the usual choice, and what there was to outline is known.
func (st Strategy) measured() bool { return len(st.foreground) > 0 && !strings.Contains(st.Name, from) }

// efficiencySets returns the initial sets that all strategies which are measured have finished with all recipes, ascending.
func (g *Group) efficiencySets() (sets []int) {
	times, of := map[int]int{}, 0
	for _, st := range g.Strategies {
		if st.measured() {
			of++
			for set := range st.foreground {
				times[set]++
			}
		}
	}
	for _, set := range slices.Sorted(maps.Keys(times)) {
		if times[set] == of {
			sets = append(sets, set)
		}
	}
	if of > 0 && len(sets) == 0 {
		g.warn("efficiency", "there is no foreground efficiency: no initial set is finished with every strategy")
	}
	return sets
}

// efficiencies fits the curves of all strategies, where what there was to outline is known.
func (g *Group) efficiencies(o Options, place string) {
	sets := g.efficiencySets()
	bySet, means := make([][]foregroundCurve, len(g.Strategies)), make([]foregroundCurve, len(g.Strategies))
	shared := stats.Saturation{Ceiling: math.Inf(-1), X0: math.Inf(1)}
	var starts []float64
	for i, st := range g.Strategies {
		if len(sets) == 0 || !st.measured() {
			continue
		}
		cycles := math.MaxInt
		for _, set := range sets {
			bySet[i] = append(bySet[i], st.foreground[set])
			cycles = min(cycles, len(st.foreground[set].x))
		}
		means[i] = meanCurve(bySet[i], cycles)
		x, y := means[i].defined()
		for k := range x {
			if x[k] < shared.X0 {
				shared.X0, starts = x[k], nil
			}
			if x[k] == shared.X0 {
				starts = append(starts, y[k])
			}
			shared.Ceiling = max(shared.Ceiling, y[k])
		}
	}
	if math.IsInf(shared.X0, 1) {
		return
	}
	shared.Start = stats.Describe(starts).Mean
	g.Efficiency = &EfficiencyCurve{Known: !math.IsNaN(g.Ceiling.dice()), Sets: len(sets)}
	if g.Efficiency.Known {
		shared.Ceiling = g.Ceiling.dice()
	}
	g.Efficiency.Ceiling, g.Efficiency.A, g.Efficiency.X0 = null.Float(shared.Ceiling), null.Float(shared.Ceiling-shared.Start), null.Float(shared.X0)
	for i := range g.Strategies {
		st := &g.Strategies[i]
		if len(means[i].x) == 0 {
			continue
		}
		e := &Efficiency{Gamma: null.Float(shared.Rate(means[i].defined())), Low: null.Float(math.NaN()), High: null.Float(math.NaN()), Last: null.Float(means[i].x[len(means[i].x)-1])}
		low, high := math.NaN(), math.NaN()
		if n := len(sets); n > 1 {
			rng := stream(place, "efficiency", st.Name)
			var rates []float64
			for range min(o.draws(), 2000) { // ends of intervals, of which two digits are shown
				drawn := make([]foregroundCurve, n)
				for k := range drawn {
					drawn[k] = bySet[i][rng.IntN(n)]
				}
				rate := shared.Rate(meanCurve(drawn, len(means[i].x)).defined())
				if math.IsNaN(rate) {
					rate = math.Inf(1) // as steep as can be told
				}
				rates = append(rates, rate)
			}
			slices.Sort(rates)
			out := (1 - level) / 2
			low, high = rates[int(out*float64(len(rates)))], rates[len(rates)-1-int(out*float64(len(rates)))]
		}
		if math.IsNaN(float64(e.Gamma)) {
			low = math.NaN()
		}
		if math.IsNaN(low) || math.IsInf(high, 1) {
			high = math.NaN()
		}
		if !math.IsInf(low, 1) {
			e.Low, e.High = null.Float(low), null.Float(high)
		}
		st.Efficiency = e
	}
}

// minus prints a number with a minus sign as long as a plus.
func minus(v float64) string { return strings.Replace(fmt.Sprintf("%.1f", v), "-", "−", 1) }

// efficiencyTable gives γ of each strategy.
func (x Experiment) efficiencyTable(g Group) table.Table {
	t := table.Table{Name: "efficiency", Title: x.heading(g) + ": foreground efficiency", Head: [][]table.Cell{{table.Text("strategy"), table.Text("γ"),
		table.Text("95 %% interval"), table.Text("foreground annotated at the end (%%)")}}}
	for _, st := range g.Strategies {
		e := st.Efficiency
		if e == nil {
			continue
		}
		gamma, interval := table.Text("–"), table.Text("–")
		if v := float64(e.Gamma); !math.IsNaN(v) {
			gamma = table.Value(v, "%s", minus(v))
		}
		switch {
		case math.IsNaN(float64(e.Low)):
		case math.IsNaN(float64(e.High)):
			interval = table.Value(float64(e.Low), "%s or more", minus(float64(e.Low)))
		default:
			interval = table.Value(float64(e.Low), "%s to %s", minus(float64(e.Low)), minus(float64(e.High)))
		}
		t.Rows = append(t.Rows, []table.Cell{table.Text("%s", st.Name), gamma, interval, table.Value(float64(e.Last), "%.1f", 100*float64(e.Last))})
	}
	c := g.Efficiency
	of := "the 3D Dice of all labels, the ceiling"
	if !c.Known {
		of = "the highest mean 3D Dice of any strategy here, because no network was trained on all labels (ceiling: true): it is too low, and γ too large, so that γ can be compared within this table only"
	}
	t.Notes = append(t.Notes, fmt.Sprintf("γ of Dice(x) = c − a · exp(−γ (x − x₀)) by least squares, x the share of the pool's foreground pixels that is annotated; larger means more Dice for the same foreground "+
		"(nnActive, Lüth et al. 2025). Points: means over %s, per cycle. c = %.1f %%, %s; x₀ = %.2f %%, the smallest x; a = c − mean Dice at x₀ = %.1f points. "+
		"Interval: percentile bootstrap over initial sets, with c, a and x₀ as they are. – where no curve is the nearest.",
		g.efficiencySetsText(), 100*float64(c.Ceiling), of, 100*float64(c.X0), 100*float64(c.A)))
	if g.hasChoices() {
		t.Notes = append(t.Notes, "Strategies from initial sets of another choice are left out: they begin with another Dice, so that their γ would say how good the beginning is.")
	}
	return t
}

// efficiencySetsText says over which sets γ is.
func (g Group) efficiencySetsText() string {
	text := fmt.Sprintf("the %d initial sets that every strategy has finished", g.Efficiency.Sets)
	if g.Efficiency.Sets == 1 {
		text = "the one initial set that every strategy has finished"
	}
	if g.Pooled {
		text += " with all recipes"
	}
	return text
}

// hasChoices reports whether there are initial sets that were chosen in several ways.
func (g Group) hasChoices() bool {
	return slices.ContainsFunc(g.Strategies, func(st Strategy) bool { return strings.Contains(st.Name, from) })
}
