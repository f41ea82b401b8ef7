package report

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report/table"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The committed record is made up. It has an unfinished run, a set without a partner, and an empty prediction.
func goldenReport(t *testing.T) Report {
	t.Helper()
	sources, err := Read([]string{filepath.Join("testdata", "phantom")})
	if err != nil {
		t.Fatal(err)
	}
	paper := true
	r, err := Analyse(sources, Options{Draws: 1000, BesidePaper: &paper})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// extended returns the source of the committed record with a ceiling and what there is to outline, both made up.
func extended(t *testing.T) Source {
	t.Helper()
	x, err := record.ReadExport(filepath.Join("testdata", "phantom"))
	if err != nil {
		t.Fatal(err)
	}
	x.Config = append(x.Config, "ceiling: true\n"...)
	text := "case,slice,foreground_pixels,boundary_pixels\n"
	for c := range 6 {
		for k := range 12 {
			side := max(0, 5+c-2*max(5-k, k-6)) // of a square, largest in the middle
			text += fmt.Sprintf("c%d,%d,%d,%d\n", c, k, side*side, 4*side)
		}
	}
	x.Slices = []byte(text)
	for set := 1; set <= 8; set++ {
		r, ok := record.Find(x.Runs, record.Unit{Strategy: Baseline, Set: set})
		if !ok {
			t.Fatal(set)
		}
		last := r.Cycles[len(r.Cycles)-1]
		m := last.Measures
		m.Classes = slices.Clone(m.Classes)
		for _, c := range []*metrics.ClassSummary{&m.Mean, &m.Classes[0], &m.Classes[1]} {
			c.Dice3D.Value += 0.08
		}
		x.Runs = append(x.Runs, record.Run{Unit: record.Unit{Strategy: record.Ceiling, Set: set}, Cycles: []record.Cycle{{Labelled: 72, Measures: m, Cases: last.Cases}}})
	}
	dir := filepath.Join(t.TempDir(), "phantom")
	if err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	sources, err := Read([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	return sources[0]
}

// With a ceiling and slices.csv a report has three tables more and says what there was to outline, and the other tables are those without.
func TestGoldenExtended(t *testing.T) {
	paper := true
	r, err := Analyse([]Source{extended(t)}, Options{Draws: 1000, BesidePaper: &paper})
	if err != nil {
		t.Fatal(err)
	}
	tables := func(r Report) []table.Table { return r.Experiments[0].Tables(r.Experiments[0].Groups[0]) }
	var added bytes.Buffer
	var others []table.Table
	for _, one := range tables(r) {
		if slices.Contains([]string{"ceiling", "cost", "efficiency"}, one.Name) {
			if err := one.WriteMarkdown(&added); err != nil {
				t.Fatal(err)
			}
			continue
		}
		others = append(others, one)
	}
	x := r.Experiments[0]
	for _, finding := range x.Findings(x.Groups[0]) {
		fmt.Fprintf(&added, "\n- %s\n", finding)
	}
	golden(t, "extended.md", added.Bytes())
	without := tables(goldenReport(t))
	for i := range without {
		without[i].Notes = slices.DeleteFunc(without[i].Notes, func(note string) bool { return strings.Contains(note, record.SlicesFile) })
	}
	if diff := cmp.Diff(without, others); diff != "" {
		t.Errorf("other tables are changed by the ceiling (-without +with):\n%s", diff)
	}
	// The page and all files can be drawn.
	if err := r.Write(filepath.Join(t.TempDir(), "report")); err != nil {
		t.Error(err)
	}
}

// golden compares bytes with a file of testdata/golden, or rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; rewrite with go test ./report -update):\n%s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	r := goldenReport(t)
	for name, write := range map[string]func(io.Writer) error{
		"report.txt": r.WriteText,
		"tables.md":  func(w io.Writer) error { return r.writeTables(w, table.Table.WriteMarkdown) },
		"tables.tex": func(w io.Writer) error { return r.writeTables(w, table.Table.WriteLaTeX) },
		"table.csv":  func(w io.Writer) error { x := r.Experiments[0]; return x.paperTable(x.Groups[0]).WriteCSV(w) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		golden(t, name, got.Bytes())
	}
}
