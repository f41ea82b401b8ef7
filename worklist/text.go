package worklist

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"

	"github.com/nextslice/nextslice/internal/cell"
)

// WriteCSV writes the picks, one a line below a heading.
func (r *Result) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	w.Write([]string{"rank", "id", "case", "slice", "axis", "position_mm", "along", "score"})
	for _, p := range r.Picks {
		w.Write([]string{strconv.Itoa(p.Rank), cell.Text(p.ID), cell.Text(p.Case), strconv.Itoa(p.Slice), p.Axis, csvNumber(float64(p.Position)), p.Along, csvNumber(float64(p.Score))})
	}
	w.Flush()
	return w.Error()
}

// WriteText writes the picks as a table for people, and how many slices there were.
func (r *Result) WriteText(out io.Writer) error {
	fmt.Fprintf(out, "%s: %d of %d slices without a label (%d have one, %d were scored)\n\n", r.Strategy, len(r.Picks), r.Candidates, r.Labelled, r.Scored)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "rank\tcase\tslice\tposition\tscore\n")
	for _, p := range r.Picks {
		position, score := "", ""
		if !math.IsNaN(float64(p.Position)) {
			position = fmt.Sprintf("%s %.2f mm", p.Along, float64(p.Position))
		}
		if !math.IsNaN(float64(p.Score)) {
			score = fmt.Sprintf("%.5g", float64(p.Score))
		}
		fmt.Fprintf(w, "%d\t%s\t%s %d\t%s\t%s\n", p.Rank, p.Case, p.Axis, p.Slice, position, score)
	}
	return w.Flush()
}

// csvNumber formats a value so that it reads back as the same; NaN is an empty cell.
func csvNumber(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
