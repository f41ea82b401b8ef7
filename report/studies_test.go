package report

import (
	"bytes"
	"encoding/csv"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/nextslice/nextslice/report/table"
)

// All tables of the committed studies, and of the made-up record with a ceiling, can be set by pdflatex and read by programs: in LaTeX nothing is beyond
// Latin-1, and in CSV no number is a text for its sign or an apostrophe. No number is NaN.
func TestTablesOfStudies(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("..", "studies", "*", "record"))
	if err != nil || len(dirs) < 8 {
		t.Fatal(dirs, err)
	}
	sources, err := Read(dirs)
	if err != nil {
		t.Fatal(err)
	}
	paper := true
	r, err := Analyse(append(sources, extended(t)), Options{Draws: 20, BesidePaper: &paper})
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	beyond := map[rune]string{}
	err = r.writeTables(io.Discard, func(one table.Table, _ io.Writer) error {
		tables++
		var tex, text bytes.Buffer
		if err := one.WriteLaTeX(&tex); err != nil {
			return err
		}
		for _, c := range tex.String() {
			if c > unicode.MaxLatin1 {
				beyond[c] = one.Title
			}
		}
		if strings.Contains(tex.String(), "NaN") {
			t.Errorf("%s: NaN", one.Title)
		}
		if err := one.WriteCSV(&text); err != nil {
			return err
		}
		rows, err := csv.NewReader(&text).ReadAll()
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "'") || strings.Contains(cell, "−") {
					t.Errorf("%s: in CSV %q", one.Title, cell)
				}
			}
		}
		return err
	})
	if err != nil || tables < 100 {
		t.Fatal(tables, err)
	}
	for c, title := range beyond {
		t.Errorf("%q in LaTeX, as in %s", c, title)
	}
}
