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

// In CSV numbers have signs that programs read, and no apostrophe, with intervals and marks too. What a spreadsheet would compute has one, and names stay as they are.
func TestCSVSigns(t *testing.T) {
	one := Table{Head: [][]Cell{{Text("difference"), Text("mean"), Text("95 %% interval")}}, Rows: [][]Cell{
		{Text("entropy − random"), {Text: "−1.35", Marks: "*†", Sort: new(float64)}, Value(0, "−2.65 to −0.32")},
		{Text("case−1"), Value(0, "+2.38"), Value(0, "+0.15 to +2.00")},
		{Text("+A1"), Value(0, "+0.5 [−0.3, +2.1]"), Value(0, "−0.5 or more")},
		{Text("−1+cmd|' /C calc'!A0"), Text("–"), Value(0, "−0.5 (n = 2)")},
		{Text("=1+1"), Text("@SUM(A1)"), Text("-2+e3")},
	}}
	var b strings.Builder
	if err := one.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := `difference,mean,95 % interval
entropy - random,-1.35*†,-2.65 to -0.32
case−1,+2.38,+0.15 to +2.00
'+A1,"+0.5 [-0.3, +2.1]",-0.5 or more
−1+cmd|' /C calc'!A0,–,-0.5 (n = 2)
'=1+1,'@SUM(A1),'-2+e3
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
