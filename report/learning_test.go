package report

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		"recipe,strategy,cycle,labelled,runs,dice_3d,", "\n\"\",\"random\",1,20,4,0.6,0.182574,", "\n\"wide\",\"entropy\",1,20,1,,,", ",mm\n",
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

// A strategy has one colour, whichever figure of whichever command shows it.
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
