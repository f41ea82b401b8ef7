package table

import (
	"strings"
	"testing"
)

// A column's heading, of one row or of two, begins its row; cells keep their marks and what they are sorted by.
func TestTransposed(t *testing.T) {
	wide := Table{
		Name: "t", Notes: []string{"note"},
		Head: [][]Cell{{Text(""), Text("RS"), {Text: "Entropy", Span: 2}}, {Text(""), Text(""), Text("w/o SB"), Text("w/ SB")}},
		Rows: [][]Cell{
			{Text("Dice"), Value(1, "1.0"), Value(2, "2.0"), {Text: "3.0", Marks: "*"}},
			{{Text: "  published", Row: "published"}, Text("–"), Text("5"), Text("6")},
		},
	}
	tall := wide.Transposed("strategy")
	var b strings.Builder
	if err := tall.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "strategy,Dice,published\nRS,1.0,–\nEntropy w/o SB,2.0,5\nEntropy w/ SB,3.0*,6\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s := tall.Rows[1][1].Sort; s == nil || *s != 2 {
		t.Errorf("sorted by %v, want 2", s)
	}
	if tall.Rows[2][1].Marks != "*" || len(tall.Notes) != 1 || tall.Name != "t" {
		t.Errorf("lost on the way: %+v", tall)
	}
}
