package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/nextslice/nextslice/metrics"
)

// column is a column of measures.
type column struct {
	title string
	value func(metrics.ClassSummary) string
}

// Columns say which measures a table shows besides the usual ones.
type Columns struct {
	All          bool
	Lesions      bool
	NSDTolerance float64 // as in the rules, in mm
}

func (c Columns) of(s metrics.Summary) []column {
	number := func(title string, digits int, pick func(metrics.ClassSummary) metrics.Measure) column {
		return column{title, func(c metrics.ClassSummary) string { return measure(pick(c), digits) }}
	}
	count := func(title string, pick func(metrics.Lesions) int) column {
		return column{title, func(c metrics.ClassSummary) string { return fmt.Sprint(pick(c.Lesions)) }}
	}
	columns := []column{
		number("dice_3d", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Dice3D }),
		number("dice_2d", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Dice2D }),
		number("hd95_3d "+s.Unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.HD95 }),
		number("assd "+s.Unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.ASSD }),
		number(fmt.Sprintf("nsd %g %s", c.NSDTolerance, s.Unit), 3, func(c metrics.ClassSummary) metrics.Measure { return c.NSD }),
	}
	if c.All {
		unit := strings.Replace(s.Unit, "mm", "ml", 1)
		columns = append(columns,
			number("precision", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Precision }),
			number("recall", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Recall }),
			number("volume "+unit, 2, func(c metrics.ClassSummary) metrics.Measure { return c.VolumeDifference }),
			number("volume share", 3, func(c metrics.ClassSummary) metrics.Measure { return c.RelativeVolumeDifference }))
	}
	if c.All || c.Lesions {
		columns = append(columns,
			count("found", func(l metrics.Lesions) int { return l.Found }),
			count("missed", func(l metrics.Lesions) int { return l.Missed }),
			count("false", func(l metrics.Lesions) int { return l.FalsePositives }),
			number("lesion_f1", 3, func(c metrics.ClassSummary) metrics.Measure { return c.Lesions.F1 }))
	}
	return columns
}

// WriteText writes a table of every case and the means.
func (e Evaluation) WriteText(out io.Writer, show Columns) error {
	s, columns := e.Summary, show.of(e.Summary)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	row := func(id, class string, value func(column) string) {
		cells := []string{id, class}
		for _, c := range columns {
			cells = append(cells, value(c))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	row("case", "class", func(c column) string { return c.title })
	measured := func(id string, class metrics.ClassSummary) {
		row(id, class.Name, func(c column) string { return c.value(class) })
	}
	for _, one := range s.PerCase {
		for _, class := range one.Classes {
			measured(one.ID, class)
		}
	}
	for _, class := range s.Classes {
		measured("mean", class)
	}
	if len(s.Classes) > 1 {
		measured("mean", s.Mean)
	}
	return w.Flush()
}

// measure formats a mean, - where it is undefined, with a star where a distance is that of an empty mask.
func measure(m metrics.Measure, digits int) string {
	if math.IsNaN(m.Value) {
		return "-"
	}
	text := fmt.Sprintf("%.*f", digits, m.Value)
	if m.Flagged > 0 {
		text += "*"
	}
	return text
}
