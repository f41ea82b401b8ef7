package compare

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/nextslice/nextslice/internal/cell"
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

// WriteCSV writes all measures as a table of comma-separated values, a row for each case and class and then the means. An undefined mean is
// an empty cell. Distances are in the unit that the column says, volumes in ml, or in voxels where the masks have no spacing.
func (e Evaluation) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	titles := []string{"case", "class", "value", "unit", metrics.NameDice3D, metrics.NameDice2D, metrics.NameHD95, metrics.NameASSD, "nsd", "precision", "recall",
		"volume_difference", "relative_volume_difference", "found", "missed", "false_positives", "lesion_f1"}
	if err := w.Write(titles); err != nil {
		return err
	}
	row := func(id string, c metrics.ClassSummary) error {
		value := ""
		if c.Class > 0 {
			value = strconv.Itoa(c.Class)
		}
		cells := []string{cell.Text(id), cell.Text(c.Name), value, e.Unit}
		number := func(measures ...metrics.Measure) {
			for _, m := range measures {
				text := ""
				if !math.IsNaN(m.Value) {
					text = strconv.FormatFloat(m.Value, 'g', -1, 64)
				}
				cells = append(cells, text)
			}
		}
		number(c.Dice3D, c.Dice2D, c.HD95, c.ASSD, c.NSD, c.Precision, c.Recall, c.VolumeDifference, c.RelativeVolumeDifference)
		cells = append(cells, strconv.Itoa(c.Lesions.Found), strconv.Itoa(c.Lesions.Missed), strconv.Itoa(c.Lesions.FalsePositives))
		number(c.Lesions.F1)
		return w.Write(cells)
	}
	for _, one := range e.PerCase {
		for _, class := range one.Classes {
			if err := row(one.ID, class); err != nil {
				return err
			}
		}
	}
	for _, class := range e.Classes {
		if err := row("mean", class); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
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
