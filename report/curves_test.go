package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
)

// withLabels returns the run with these numbers of labels at its cycles.
func withLabels(r record.Run, labels ...int) record.Run {
	r.Cycles = slices.Clone(r.Cycles)
	for i := range r.Cycles {
		r.Cycles[i].Labelled = labels[i]
	}
	return r
}

// A project trains again after corrections and rejections, on no more labels than before: the model before is superseded. The curve has the values of the
// models that are left, and invents none.
func TestSuperseded(t *testing.T) {
	for _, c := range []struct {
		labels, want []int // numbers of labels; numbers of the cycles that are left
	}{
		{[]int{4, 8, 6, 10}, []int{0, 2, 3}},
		{[]int{4, 8, 8, 10}, []int{0, 2, 3}},
		{[]int{4, 8, 9, 6}, []int{0, 3}},
		{[]int{8, 6, 5, 4}, []int{3}},
		{[]int{4, 6, 8, 10}, []int{0, 1, 2, 3}},
	} {
		dice := []float64{0.476, 0.676, 0.71, 0.78}
		r := withLabels(makeRun("", "entropy", 1, dice...), c.labels...)
		curve := curvesOf([]record.Run{r}, 1, func(c record.Cycle) float64 { return c.Measures.Mean.Dice3D.Value })[0]
		var labels []int
		var values []float64
		for _, i := range c.want {
			labels, values = append(labels, c.labels[i]), append(values, dice[i])
		}
		if !slices.Equal(curve.Labels, labels) || !slices.Equal(curve.Values, values) {
			t.Errorf("%v: %v %v, want %v %v", c.labels, curve.Labels, curve.Values, labels, values)
		}
		g := analyseOne(t, source(1, 3, []string{"entropy"}, r)).Groups[0]
		told := slices.IndexFunc(g.Warnings, func(w stats.Warning) bool { return w.Kind == "superseded" })
		if (told >= 0) != (len(c.want) < 4) {
			t.Errorf("%v: %+v", c.labels, g.Warnings)
		}
		if told >= 0 && !strings.Contains(g.Warnings[told].Text, "of entropy") {
			t.Error(g.Warnings[told].Text)
		}
		near(t, "final", g.Strategies[0].Results[0].Final.Mean, 0.78)
	}
}

// A run counts once at a number of labels that it has twice.
func TestSupersededPicks(t *testing.T) {
	r := withLabels(makeRun("", "entropy", 1, 0.4, 0.5, 0.6, 0.7), 4, 8, 8, 10)
	r.Cycles[0].Query, r.Cycles[1].Query, r.Cycles[2].Query = []string{"a/001"}, []string{"a/002", "b/007"}, []string{"c/001"}
	curve := analyseOne(t, source(1, 3, []string{"entropy"}, r)).Groups[0].Strategies[0].Picks.CasesCurve
	if len(curve) != 2 || curve[1].Labelled != 8 || curve[1].Mean != 1.5 || curve[1].N != 1 {
		t.Errorf("%+v", curve)
	}
}
