package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/stats"
)

// costRuns has two sets of random with two queries, on a pool of four slices of case a: 0, 10, 20 and 30 pixels of foreground.
func costRuns() ([]record.Run, []record.Slice) {
	pool := []record.Slice{{Case: "a", Slice: 0}, {Case: "a", Slice: 1, Foreground: 10, Boundary: 14}, {Case: "a", Slice: 2, Foreground: 20, Boundary: 18}, {Case: "a", Slice: 3, Foreground: 30, Boundary: 22}}
	one, two := makeRun("", "random", 1, 0.5, 0.6, 0.7), makeRun("", "random", 2, 0.4, 0.6, 0.7)
	one.Cycles[0].Initial, one.Cycles[0].Query, one.Cycles[1].Query = []string{"a/001"}, []string{"a/000"}, []string{"a/003"}
	two.Cycles[0].Initial, two.Cycles[0].Query, two.Cycles[1].Query = []string{"a/000"}, []string{"a/001", "a/002"}, []string{"a/003"}
	return []record.Run{one, two}, pool
}

func TestCost(t *testing.T) {
	runs, slices := costRuns()
	s := source(2, 2, []string{"random"}, runs...)
	s.Slices = slices
	x := analyseOne(t, s)
	c := x.Groups[0].Strategies[0].Picks.Cost
	if c == nil {
		t.Fatal("no costs")
	}
	// Set 1: queries of 0 and 30 pixels; set 2: of 30 and 30. Boundaries: 0 and 22; 32 and 22.
	near(t, "slices", c.Slices.Mean, 2.5)
	near(t, "foreground per query", c.Foreground.PerQuery.Mean, (15.0+30)/2)
	near(t, "foreground in all", c.Foreground.All.Mean, (30.0+60)/2)
	near(t, "boundary per query", c.Boundary.PerQuery.Mean, (11.0+27)/2)
	near(t, "boundary in all", c.Boundary.All.Mean, (22.0+54)/2)
	near(t, "empty", c.Empty.Mean, 0.25) // one of two, none of three
	if len(c.EmptyCurve) != 2 || c.EmptyCurve[0].Mean != 0.5 || c.EmptyCurve[1].Mean != 0 {
		t.Errorf("%+v", c.EmptyCurve)
	}
	note := x.costTable(x.Groups[0]).Notes[0]
	if !strings.Contains(note, "has 15 and 14 of them in the mean, and 25.0 % are empty") {
		t.Error(note)
	}

	// A record without slices, or without some that were picked, says how to get them.
	for want, some := range map[string][]record.Slice{"the record has no slices.csv": nil, "lacks slices that were picked": slices[:3]} {
		s.Slices = some
		x := analyseOne(t, s)
		g := x.Groups[0]
		if g.hasCosts() || len(x.picksTables(g)) != 1 || g.Efficiency != nil {
			t.Error("costs of slices that are not known")
		}
		if notes := strings.Join(x.picksTable(g).Notes, "\n"); !strings.Contains(notes, want) || !strings.Contains(notes, "simulate --resume") {
			t.Errorf("want %q in %q", want, notes)
		}
	}
}

// The shares of annotated foreground, by hand: set 1 has 10, 10 and 40 of 60 pixels, set 2 has 0, 30 and 60.
func TestForegroundCurves(t *testing.T) {
	runs, slices := costRuns()
	s := source(2, 2, []string{"random"}, runs...)
	s.Slices = slices
	curves := s.poolSlices().foregroundCurves(runs, 1)
	if len(curves) != 2 {
		t.Fatalf("%d curves", len(curves))
	}
	for set, want := range map[int][]float64{1: {10.0 / 60, 10.0 / 60, 40.0 / 60}, 2: {0, 0.5, 1}} {
		for k := range want {
			near(t, "x", curves[set].x[k], want[k])
		}
	}
	mean := meanCurve([]foregroundCurve{curves[1], curves[2]}, 3)
	near(t, "mean x", mean.x[0], 5.0/60)
	near(t, "mean y", mean.y[0], 0.45)
	runs[0].Cycles[0].Initial = nil
	if s.poolSlices().foregroundCurves(runs, 1) != nil {
		t.Error("a curve without its start")
	}
}

// γ is fitted over the sets that every strategy has finished with all recipes: as if no strategy had others.
func TestEfficiencyOverSharedSets(t *testing.T) {
	var pool []record.Slice
	for k := range 40 {
		pool = append(pool, record.Slice{Case: "a", Slice: k, Foreground: 10 + k, Boundary: 20})
	}
	name := func(k int) string { return fmt.Sprintf("a/%03d", k) }
	group := func(missing ...record.Unit) (Experiment, Group) {
		var runs []record.Run
		for i, strategy := range []string{"random", "entropy"} {
			for j, grid := range []string{"same", "wide"} {
				for set := 1; set <= 4; set++ {
					r := makeRun(grid, strategy, set, 0.3+0.04*float64(set), 0.5+0.05*float64(i+j), 0.7+0.02*float64(set)*float64(i))
					r.Cycles[0].Initial, r.Cycles[0].Query, r.Cycles[1].Query = []string{name(7 * set)}, []string{name(i), name(30 + set)}, []string{name(20 + j)}
					if !slices.Contains(missing, r.Unit) {
						runs = append(runs, r)
					}
				}
			}
		}
		s := source(4, 2, []string{"random", "entropy"}, runs...)
		s.Slices, s.Settings.Grid = pool, []Recipe{{"name": "same"}, {"name": "wide", "width": 4}}
		x := analyseOne(t, s)
		return x, x.Groups[2]
	}
	_, all := group()
	x, some := group(record.Unit{Grid: "wide", Strategy: "entropy", Set: 4}, record.Unit{Grid: "same", Strategy: "random", Set: 1}, record.Unit{Grid: "wide", Strategy: "random", Set: 1})
	var none []record.Unit
	for _, strategy := range []string{"random", "entropy"} {
		for _, grid := range []string{"same", "wide"} {
			none = append(none, record.Unit{Grid: grid, Strategy: strategy, Set: 1}, record.Unit{Grid: grid, Strategy: strategy, Set: 4})
		}
	}
	_, want := group(none...)
	for i := range want.Strategies {
		got, want := some.Strategies[i].Efficiency, want.Strategies[i].Efficiency
		if got == nil || *got != *want {
			t.Errorf("%s: %+v, want %+v", some.Strategies[i].Name, got, want)
		}
		if *got == *all.Strategies[i].Efficiency {
			t.Error("the sets make no difference: the test shows nothing")
		}
	}
	if *some.Efficiency != *want.Efficiency {
		t.Errorf("%+v, want %+v", some.Efficiency, want.Efficiency)
	}
	if note := x.efficiencyTable(some).Notes[0]; !strings.Contains(note, "means over the 2 initial sets that every strategy has finished with all recipes") {
		t.Error(note)
	}
	_, apart := group(append(none[:4:4], record.Unit{Grid: "same", Strategy: "entropy", Set: 2}, record.Unit{Grid: "same", Strategy: "entropy", Set: 3}, record.Unit{Grid: "same", Strategy: "entropy", Set: 4})...)
	if i := slices.IndexFunc(apart.Warnings, func(w stats.Warning) bool { return w.Kind == "efficiency" }); apart.Efficiency != nil || i < 0 {
		t.Errorf("%+v, %+v", apart.Efficiency, apart.Warnings)
	}
}

// Strategies whose Dice lies on curves give their γ back; with a ceiling, and without one on the best of them.
func TestEfficiency(t *testing.T) {
	var pool []record.Slice
	for k := range 40 {
		pool = append(pool, record.Slice{Case: "a", Slice: k, Foreground: 25, Boundary: 20}) // of 1000 pixels: each is a share of 0.025
	}
	name := func(k int) string { return "a/" + string(rune('0'+k/10)) + string(rune('0'+k%10)) }
	curve := stats.Saturation{Ceiling: 0.9, Start: 0.5, X0: 0.025}
	gammas := map[string]float64{"random": 3, "entropy": 8, "entropy+sb": -1}
	var runs []record.Run
	for strategy, gamma := range gammas {
		for set := 1; set <= 3; set++ {
			var dice []float64
			for cycle := range 5 {
				dice = append(dice, curve.At(0.025*float64(1+2*cycle), gamma))
			}
			r := makeRun("", strategy, set, dice...)
			r.Cycles[0].Initial = []string{name(set)}
			for cycle := range 4 {
				r.Cycles[cycle].Query = []string{name(10 + 2*cycle), name(11 + 2*cycle)}
			}
			runs = append(runs, r)
		}
	}
	s := source(3, 4, []string{"random", "entropy", "entropy+sb"}, runs...)
	s.Slices = pool
	g := analyseOne(t, withCeiling(s, 0.9, 0.88, 0.92)).Groups[0]
	for _, st := range g.Strategies {
		if got, want := float64(st.Efficiency.Gamma), gammas[st.Name]; math.Abs(got-want) > 1e-5 || math.Abs(float64(st.Efficiency.Low)-want) > 1e-5 {
			t.Errorf("%s: γ %v from %v, want %v", st.Name, got, st.Efficiency.Low, want)
		}
		near(t, "annotated in the end", math.Round(1e9*float64(st.Efficiency.Last))/1e9, 0.225)
	}
	if e := g.Efficiency; !e.Known {
		t.Errorf("%+v", e)
	}
	near(t, "a", math.Round(1e9*float64(g.Efficiency.A))/1e9, 0.4)
	near(t, "x0", float64(g.Efficiency.X0), 0.025)

	// From initial sets of another choice a curve begins elsewhere: it has no γ, and changes nothing for the others.
	other := s
	other.Runs = slices.Clone(s.Runs)
	for _, r := range s.Runs {
		if r.Strategy == "entropy" {
			r.Strategy += from + "typiclust"
			r.Cycles = slices.Clone(r.Cycles)
			r.Cycles[0].Measures.Mean.Dice3D.Value = 0.95
			other.Runs = append(other.Runs, r)
		}
	}
	x := analyseOne(t, withCeiling(other, 0.9, 0.88, 0.92))
	both := x.Groups[0]
	if st, _ := both.find("entropy from typiclust"); st.Efficiency != nil || *both.Efficiency != *g.Efficiency {
		t.Errorf("%+v, %+v", st.Efficiency, both.Efficiency)
	}
	if notes := strings.Join(x.efficiencyTable(both).Notes, " "); !strings.Contains(notes, "initial sets of another choice") {
		t.Error(notes)
	}

	// Without a ceiling c is the best there is, and the table says so.
	x = analyseOne(t, s)
	g = x.Groups[0]
	if best := curve.At(0.225, 8); g.Efficiency.Known || math.Abs(float64(g.Efficiency.Ceiling)-best) > 1e-9 {
		t.Errorf("%+v, want c = %v", g.Efficiency, best)
	}
	if notes := strings.Join(x.efficiencyTable(g).Notes, " "); !strings.Contains(notes, "the highest mean 3D Dice of any strategy here") {
		t.Error(notes)
	}
	if entropy, _ := g.find("entropy"); !(float64(entropy.Efficiency.Gamma) > 8) {
		t.Errorf("γ of entropy %v, want more than with the ceiling", entropy.Efficiency.Gamma)
	}
}
