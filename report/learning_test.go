package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/figure"
)

// Two initial sets and two recipes of one cycle more than the first; one run is not finished.
func learningSource() Source {
	lost := makeRun("wide", "entropy", 2, 0.5)
	lost.Cycles[0].Query = []string{"a/001"}
	s := source(2, 1, []string{"random", "entropy"},
		makeRun("narrow", "random", 1, 0.2, 0.4), makeRun("narrow", "random", 2, 0.4, 0.8),
		makeRun("wide", "random", 1, 0.3, 0.5), makeRun("wide", "random", 2, 0.5, 0.7),
		makeRun("wide", "entropy", 1, 0.3, math.NaN()), lost)
	s.Dirs = []string{"runs/x"}
	s.Settings.Grid = []Recipe{{"name": "narrow"}, {"name": "wide"}}
	return s
}

func TestLearning(t *testing.T) {
	l := learningSource().Learning()
	if l.Folder != "runs/x" || l.Units != 8 || l.Finished != 5 || l.Unit != "mm" || len(l.Recipes) != 2 {
		t.Errorf("%+v", l)
	}
	random, entropy := l.Strategies[0], l.Strategies[1]
	near(t, "random at 20 labels", random.Curve[1].Dice3D.Mean, 0.6) // 0.4, 0.8, 0.5, 0.7
	near(t, "its HD95", random.Curve[1].HD95.Mean, 4)
	near(t, "AULC", random.AULC.Mean, (0.3+0.6+0.4+0.6)/4)
	near(t, "AULC with one recipe", l.Recipes[0].Strategies[0].AULC.Mean, 0.45)
	if p := entropy.Curve[1]; p.Labelled != 20 || p.Dice3D.N != 0 || p.Dice3D.Missing != 1 {
		t.Errorf("a cycle without a value: %+v", p)
	}
	if entropy.AULC.N != 0 || entropy.AULC.Missing != 1 || len(l.Recipes[0].Strategies[1].Curve) != 0 {
		t.Errorf("AULC of a run without a value: %+v", entropy.AULC)
	}

	var text bytes.Buffer
	if err := l.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"20         0.600 ± 0.183               –\n", "entropy         1         20               –", "narrow                 0.450 ± 0.212         –\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if out, err := json.Marshal(l); err != nil || !strings.Contains(string(out), `"dice_3d":{"n":0,"missing":1,"mean":null`) {
		t.Errorf("%s, %v", out, err)
	}
}

// Runs that have their cycles at other numbers of labels, as those of dutp(copies=published), are averaged over equal labels: nowhere is a mean of cycles under
// the number of labels of one of them.
func TestLearningByLabels(t *testing.T) {
	s := source(2, 2, []string{"random", "dutp(copies=published)"},
		makeRun("", "random", 1, 0.2, 0.4, 0.6), makeRun("", "random", 2, 0.4, 0.6, 0.8),
		withLabels(makeRun("", "dutp(copies=published)", 1, 0.2, 0.4, 0.5), 10, 18, 24), withLabels(makeRun("", "dutp(copies=published)", 2, 0.4, 0.5, 0.9), 10, 14, 22))
	s.Dirs = []string{"runs/x"}
	l := s.Learning()
	type point struct {
		labelled, n int
		cycle, mean float64
	}
	nan := math.NaN()
	// Set 1 has 0.3 with 14 labels, on the line from 10 to 18, and set 2 has 0.7 with 18; with 22 set 1 has 0.4 + 0.1 · 4/6.
	for i, want := range [][]point{{{10, 2, 0, 0.3}, {20, 2, 1, 0.5}, {30, 2, 2, 0.7}}, {{10, 2, 0, 0.3}, {14, 2, nan, 0.4}, {18, 2, nan, 0.55}, {22, 2, nan, (0.4 + 0.1*4/6 + 0.9) / 2}, {24, 1, 2, 0.5}}} {
		for k, p := range l.Strategies[i].Curve {
			w := want[k]
			if got := (point{p.Labelled, p.Dice3D.N, float64(p.Cycle), w.mean}); len(l.Strategies[i].Curve) != len(want) || got.labelled != w.labelled || got.n != w.n || got.cycle != w.cycle && !(math.IsNaN(got.cycle) && math.IsNaN(w.cycle)) {
				t.Errorf("%+v, want %+v", p, w)
			}
			near(t, "mean", p.Dice3D.Mean, w.mean)
		}
	}
	near(t, "AULC", l.Strategies[1].AULC.Mean, ((0.3*8+0.45*6)/14+(0.45*4+0.7*8)/12)/2)

	var text bytes.Buffer
	if err := l.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	// With 20 labels the lines have 0.4 + 0.1 · 2/6 and 0.5 + 0.4 · 6/8.
	for _, want := range []string{
		"10         0.300 ± 0.141            0.300 ± 0.141\n", "20         0.500 ± 0.141            0.617 ± 0.259\n", "30         0.700 ± 0.141                        –\n",
		"dutp(copies=published)      2   22 to 24", "labels 10 to 30 of random; 10 to 22–24 of dutp(copies=published)", "straight lines between cycles",
	} {
		if !strings.Contains(text.String(), want) && !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	dir := t.TempDir()
	if err := l.Write(dir); err != nil {
		t.Fatal(err)
	}
	csv, err := os.ReadFile(filepath.Join(dir, "curves.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n\"random\",1,20,2,0.5,", "\n\"dutp(copies=published)\",,14,2,0.4,", "\n\"dutp(copies=published)\",2,24,1,0.5,"} {
		if !strings.Contains(string(csv), want) {
			t.Errorf("%q is not in\n%s", want, csv)
		}
	}
	if out, err := json.Marshal(l); err != nil || !strings.Contains(string(out), `"cycle":null,"labelled":14`) {
		t.Errorf("%s, %v", out, err)
	}
	// Alone it has a row at each number of labels.
	s.Settings.Strategies = s.Settings.Strategies[1:]
	if rows := s.Learning().tables()[0].Rows; len(rows) != 6 || rows[1][0].Text != "14" || rows[1][1].Text != "0.400 ± 0.141" {
		t.Errorf("%+v", rows)
	}
}

// Distances that stand for an empty mask are marked.
func TestLearningFlagged(t *testing.T) {
	flagged := makeRun("", "random", 1, 0.2, 0.4)
	for _, m := range []*metrics.Measure{&flagged.Cycles[1].Measures.Mean.HD95, &flagged.Cycles[1].Measures.Mean.ASSD} {
		m.Flagged = 1
	}
	s := source(2, 1, []string{"random", "entropy"}, flagged, makeRun("", "random", 2, 0.2, 0.4), makeRun("", "entropy", 1, 0.2, 0.4))
	s.Dirs = []string{"runs/x"}
	l := s.Learning()
	last := l.tables()[1]
	if row := last.Rows[0]; row[5].Text != "6.0 ± 0.0" || row[5].Marks != "*" || row[6].Marks != "*" || row[3].Marks != "" || last.Rows[1][5].Marks != "" {
		t.Errorf("%+v", last.Rows)
	}
	if len(last.Notes) != 1 || !strings.HasPrefix(last.Notes[0], "* ") {
		t.Errorf("%q", last.Notes)
	}
	var csv strings.Builder
	if err := l.writeCSV(&csv); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{",distance_unit,runs_flagged\n", "\"random\",1,20,2,0.4,0,0.2,0,6,0,0.6,0,mm,1\n", "\"entropy\",1,20,1,0.4,,0.2,,6,,0.6,,mm,0\n"} {
		if !strings.Contains(csv.String(), want) {
			t.Errorf("%q is not in\n%s", want, csv.String())
		}
	}
}

func TestWriteLearning(t *testing.T) {
	dir := t.TempDir()
	l := learningSource().Learning()
	if err := l.Write(dir); err != nil {
		t.Fatal(err)
	}
	csv, err := os.ReadFile(filepath.Join(dir, "curves.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"recipe,strategy,cycle,labelled,runs,dice_3d,", "\n\"\",\"random\",1,20,4,0.6,0.182574,", "\n\"wide\",\"entropy\",1,20,1,,,", ",mm,0\n",
	} {
		if !strings.Contains(string(csv), want) {
			t.Errorf("%q is not in\n%s", want, csv)
		}
	}
	for name, begin := range map[string]string{"curves.png": "\x89PNG", "curves.svg": "<?xml"} {
		if drawn, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(drawn), begin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := source(1, 1, []string{"random"}, record.Run{})
	none.Dirs = []string{"none"}
	if err := none.Learning().Write(t.TempDir()); err != nil {
		t.Errorf("without any run: %v", err)
	}
}

// Many strategies of few cycles have a row each.
func TestLearningOfMany(t *testing.T) {
	var runs []record.Run
	var names []string
	for _, name := range []string{"random", "entropy", "entropy+sb", "dropout", "dropout+sb", "tta", "tta+sb"} {
		names = append(names, name)
		runs = append(runs, makeRun("", name, 1, 0.5, 0.25))
	}
	s := source(1, 1, names, runs...)
	s.Dirs = []string{"runs/x"}
	curves := s.Learning().tables()[0]
	if len(curves.Rows) != 7 || curves.Head[0][1].Text != "10" || curves.Head[0][3].Text != "AULC" || curves.Rows[6][0].Text != "tta+sb" || curves.Rows[6][2].Text != "0.250" {
		t.Errorf("%+v", curves)
	}
}

// A strategy has one colour, whichever figure of whichever command shows it.
func TestOneColour(t *testing.T) {
	s := source(1, 1, []string{"random", "entropy", "entropy+sb"}, makeRun("", "random", 1, 0.2, 0.4), makeRun("", "entropy", 1, 0.2, 0.3), makeRun("", "entropy+sb", 1, 0.2, 0.5))
	s.Dirs = []string{"x"}
	x := analyseOne(t, s)
	figures := append(x.figures(x.Groups[0]), s.Learning().figure())
	want := map[string]int{"random": figure.RoleRandom, "entropy": figure.RolePlain, "entropy+sb": figure.RoleBatches}
	seen := 0
	for _, f := range figures {
		if f.Lines == nil {
			continue
		}
		for _, p := range f.Lines.Panels {
			for _, series := range p.Series {
				seen++
				if series.Role != want[series.Name] {
					t.Errorf("%s: %s has role %d, want %d", f.Title, series.Name, series.Role, want[series.Name])
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("%d curves", seen)
	}
}
