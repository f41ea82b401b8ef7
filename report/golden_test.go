package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nextslice/nextslice/report/table"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The committed record is made up. It has an unfinished run, a set without a partner, and an empty prediction.
func goldenReport(t *testing.T) Report {
	t.Helper()
	sources, err := Read([]string{filepath.Join("testdata", "record")})
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
		path := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got; rewrite with go test ./report -update):\n%s", name, diff)
		}
	}
}
