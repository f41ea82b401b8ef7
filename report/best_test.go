package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
)

func panelsOf(l *figure.Lines) []figure.Panel {
	if l == nil {
		return nil
	}
	return l.Panels
}

// The best strategy by AULC is shown with its plain score, and its gain over random on each case is that of the pairs.
func TestBest(t *testing.T) {
	var runs []record.Run
	for set := 1; set <= 3; set++ {
		for name, dice := range map[string]float64{"random": 0.5, "entropy": 0.4, "entropy+sb": 0.6, "dropout": 0.55} {
			r := makeRun("", name, set, 0.3, dice)
			r.Cycles[0].Query = []string{"a/001", "b/004"}
			v := dice + 0.01*float64(set)
			r.Cycles[1].Cases = []record.Case{{ID: "hard", Dice3D: v - 0.2}, {ID: "easy", Dice3D: v + 0.2}}
			if name == "entropy+sb" {
				r.Cycles[1].Cases[0].Dice3D += 0.01 * float64(set) // gains of 0.11, 0.12, 0.13 on the hard case
			}
			runs = append(runs, r)
		}
	}
	runs = append(runs, makeRun("", "entropy+sb", 4, 0.3, 0.9)) // without a pair
	s := source(4, 1, []string{"random", "entropy", "entropy+sb", "dropout"}, runs...)
	x := analyseOne(t, s)
	g := x.Groups[0]
	if g.Best.Strategy != "entropy+sb" || g.Best.Rival != "entropy" || len(g.Best.Gains) != 2 {
		t.Fatalf("%+v", g.Best)
	}
	for i, want := range []Gain{{Case: "hard", Random: 0.32, Gain: 0.12, Sets: 3}, {Case: "easy", Random: 0.72, Gain: 0.1, Sets: 3}} {
		got := g.Best.Gains[i]
		if got.Case != want.Case || got.Sets != want.Sets {
			t.Errorf("%+v, want %+v", got, want)
		}
		near(t, "random", float64(got.Random), float64(want.Random))
		near(t, "gain", float64(got.Gain), float64(want.Gain))
	}
	titles := func(x Experiment) (titles []string) {
		for _, f := range x.figures(x.Groups[0]) {
			if f.Name == "best" {
				for _, p := range f.Lines.Panels {
					titles = append(titles, p.Title)
				}
			}
		}
		return titles
	}
	if got := titles(x); len(got) != 3 || got[0] != "Redundancy" || got[2] != "Gain case by case" {
		t.Errorf("%q", got)
	}
	s.Slices = []record.Slice{{Case: "a", Slice: 1}, {Case: "b", Slice: 4, Foreground: 3, Boundary: 8}}
	if got := titles(analyseOne(t, s)); len(got) != 4 || got[2] != "Empty slices" {
		t.Errorf("%q", got)
	}
	s.Settings.Strategies, s.Runs = []string{"random"}, runsOf(s.Runs, "random")
	if x := analyseOne(t, s); x.Groups[0].Best != nil || titles(x) != nil {
		t.Error("the best of random alone")
	}
}

func runsOf(all []record.Run, strategy string) (runs []record.Run) {
	for _, r := range all {
		if r.Strategy == strategy {
			runs = append(runs, r)
		}
	}
	return runs
}

// Where strategies end with other numbers of labels the best one is that of the labels which all reach: a long curve has no advantage. The tables say over
// which labels the AULC of each is.
func TestBestOfOtherRanges(t *testing.T) {
	var runs []record.Run
	for set := 1; set <= 2; set++ {
		runs = append(runs,
			makeRun("", "random", set, 0.3, 0.4, 0.5, 0.6),
			makeRun("", "entropy", set, 0.3, 0.5, 0.8, 0.9),                                                // AULC 0.633 to 40 labels, 0.41 to 21
			withLabels(makeRun("", "dutp(copies=published)", set, 0.3, 0.4, 0.6, 0.6), 10, 12, 15, 20+set)) // 0.53
	}
	x := analyseOne(t, source(2, 3, []string{"random", "entropy", "dutp(copies=published)"}, runs...))
	g := x.Groups[0]
	if g.Best.Strategy != "dutp(copies=published)" || g.Best.Labels == nil || *g.Best.Labels != [2]int{10, 21} {
		t.Errorf("%+v", g.Best)
	}
	want := "labels 10 to 40 of random, entropy; 10 to 21–22 of dutp(copies=published)"
	if notes := strings.Join(x.runsTable(g).Notes, "\n"); !strings.Contains(notes, want) {
		t.Errorf("%q is not in %s", want, notes)
	}
	// With equal ranges nothing is said, and the best is that of the AULC in the table.
	x = analyseOne(t, source(2, 3, []string{"random", "entropy"}, slices.DeleteFunc(runs, func(r record.Run) bool { return r.Strategy == "dutp(copies=published)" })...))
	g = x.Groups[0]
	if notes := strings.Join(x.runsTable(g).Notes, "\n"); g.Best.Labels != nil || strings.Contains(notes, "labels 10") {
		t.Errorf("%+v, %s", g.Best, notes)
	}
}
