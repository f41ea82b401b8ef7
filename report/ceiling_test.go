package report

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/record"
)

// withCeiling adds trainings on all slices of a pool of 100, one per set, with these 3D Dice values.
func withCeiling(s Source, dice ...float64) Source {
	s.Settings.Ceiling = true
	for i, d := range dice {
		r := makeRun("", record.Ceiling, i+1, d)
		r.Cycles[0].Labelled = 100
		s.Ceiling = append(s.Ceiling, r)
	}
	return s
}

// Six sets of two strategies, whose Dice rises by 0.1 in 10 labels: labels to shares of a ceiling of 0.8 are worked out by hand.
func TestCeilingByHand(t *testing.T) {
	var runs []record.Run
	for set := 1; set <= 6; set++ {
		low := 0.6 + 0.01*float64(set) // random of set s: 0.6 + 0.01 s, then + 0.1, + 0.1
		runs = append(runs, makeRun("", "random", set, low, low+0.1, low+0.2), makeRun("", "entropy", set, 0.5, 0.6, 0.7+0.006*float64(set)))
	}
	plain := source(6, 2, []string{"random", "entropy"}, runs...)
	x := analyseOne(t, withCeiling(plain, 0.78, 0.82, 0.79, 0.81, 0.8, 0.8))
	g := x.Groups[0]
	near(t, "ceiling", g.Ceiling.dice(), 0.8)
	if g.Ceiling.Runs != 6 || g.Ceiling.Labelled != 100 {
		t.Errorf("%+v", g.Ceiling)
	}
	// 90 % of it is 0.72: random of set s is there at 20 + 10 · (0.02 - 0.01 s)/0.1 = 22 - s labels while that is more than 20, else at
	// 10 + 10 · (0.12 - 0.01 s)/0.1 = 22 - s all the same.
	random, _ := g.find("random")
	r := random.Shares[0]
	near(t, "median labels", math.Round(1e9*float64(r.Median))/1e9, 22-3.5)
	near(t, "low", math.Round(1e9*float64(r.Low))/1e9, 16)
	near(t, "high", math.Round(1e9*float64(r.High))/1e9, 21)
	// 0.72 takes entropy 0.7 + 0.006 s: sets 4, 5 and 6 get there, so that the median of six runs does not; the interval ends in more than all.
	entropy, _ := g.find("entropy")
	r = entropy.Shares[0]
	if r.Reached != 3 || !math.IsNaN(float64(r.Median)) || !math.IsNaN(float64(r.High)) || !math.IsInf(r.interval.High, 1) {
		t.Errorf("entropy to 90 %%: %+v", r)
	}
	near(t, "low of entropy", math.Round(1e9*float64(r.Low))/1e9, math.Round(1e9*(20+10*0.12/0.136))/1e9)
	table := x.ceilingTable(g)
	var cells []string
	for _, c := range table.Rows[1] {
		cells = append(cells, c.Text)
	}
	want := []string{"entropy", "90.1 ± 1.4", "–", "29 to more", "3 of 6", "–", "more", "0 of 6", "–", "more", "0 of 6"}
	if diff := cmp.Diff(want, cells); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Nothing else is another for it.
	without := analyseOne(t, plain)
	if without.Groups[0].Ceiling != nil || without.Groups[0].hasShares() {
		t.Error("a ceiling out of nothing")
	}
	for _, f := range without.figures(without.Groups[0]) {
		if f.Name == "share" {
			t.Error("shares of nothing")
		}
		for _, p := range panelsOf(f.Lines) {
			if p.Level != nil {
				t.Errorf("%s has a line at nothing", f.Name)
			}
		}
	}
	levels := map[string]float64{}
	for _, f := range x.figures(g) {
		for _, p := range panelsOf(f.Lines) {
			if p.Level != nil {
				levels[f.Name] = math.Round(1e9*p.Level.Value) / 1e9
			}
		}
	}
	if diff := cmp.Diff(map[string]float64{"curves": 80, "curves-dice_2d": 40, "curves-hd95_3d": 2, "curves-assd": 0.2, "share": 100}, levels); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}

	// Trainings that are missing are told.
	for want, s := range map[string]Source{"6 of 6 trainings": withCeiling(plain), "4 of 6 trainings": withCeiling(plain, 0.8, 0.8)} {
		all := ""
		for _, w := range analyseOne(t, s).Groups[0].Warnings {
			all += w.Text + "\n"
		}
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
}

// A ceiling is read from and written to records beside the strategies, and joined to them.
func TestCeilingRecord(t *testing.T) {
	s := extended(t)
	if len(s.Ceiling) != 8 || len(s.Slices) != 72 {
		t.Fatalf("%d trainings on all slices, %d slices", len(s.Ceiling), len(s.Slices))
	}
	for _, r := range s.Runs {
		if r.Strategy == record.Ceiling {
			t.Fatal("the ceiling is a strategy")
		}
	}
	dir := filepath.Join(t.TempDir(), "phantom")
	if err := s.Export(dir); err != nil {
		t.Fatal(err)
	}
	joined, err := Read([]string{filepath.Join("testdata", "phantom"), dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(joined) != 1 || len(joined[0].Ceiling) != 8 || len(joined[0].Slices) != 72 || !joined[0].Settings.Ceiling || len(joined[0].Runs) != len(s.Runs) {
		t.Errorf("%d experiments", len(joined))
	}
	again := filepath.Join(t.TempDir(), "phantom")
	if err := joined[0].Export(again); err != nil {
		t.Fatal(err)
	}
	if x, err := record.ReadExport(again); err != nil || len(x.Slices) == 0 {
		t.Errorf("slices got lost: %v", err)
	}
	l := s.Learning()
	if l.Ceiling == nil || l.Units != 5*8+8 {
		t.Errorf("%d units, ceiling %v", l.Units, l.Ceiling)
	}
	var b strings.Builder
	if err := l.WriteText(&b); err != nil || !strings.Contains(b.String(), "With all 72 slices of the pool: 0.8") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
