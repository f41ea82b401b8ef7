package compare

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
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

// WriteText writes a table of every case and the means. Where cases differ in their unit it has a column for it.
func (e Evaluation) WriteText(out io.Writer, show Columns) error {
	s, columns := e.Summary, show.of(e.Summary)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	row := func(id, class, unit string, value func(column) string) {
		cells := []string{id, class}
		if s.Unit == metrics.UnitMixed {
			cells = append(cells, unit)
		}
		for _, c := range columns {
			cells = append(cells, value(c))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	row("case", "class", "unit", func(c column) string { return c.title })
	measured := func(id, unit string, class metrics.ClassSummary) {
		row(id, class.Name, unit, func(c column) string { return c.value(class) })
	}
	for _, one := range s.PerCase {
		for _, class := range one.Classes {
			measured(one.ID, one.Unit, class)
		}
	}
	for _, class := range s.Classes {
		measured("mean", s.Unit, class)
	}
	if len(s.Classes) > 1 {
		measured("mean", s.Unit, s.Mean)
	}
	return w.Flush()
}

// csvMeasures are the measures that are a mean in CSV, in the order of their columns.
var csvMeasures = []struct {
	name string
	of   func(metrics.ClassSummary) metrics.Measure
}{
	{metrics.NameDice3D, func(c metrics.ClassSummary) metrics.Measure { return c.Dice3D }},
	{metrics.NameDice2D, func(c metrics.ClassSummary) metrics.Measure { return c.Dice2D }},
	{metrics.NameHD95, func(c metrics.ClassSummary) metrics.Measure { return c.HD95 }},
	{metrics.NameASSD, func(c metrics.ClassSummary) metrics.Measure { return c.ASSD }},
	{"nsd", func(c metrics.ClassSummary) metrics.Measure { return c.NSD }},
	{"precision", func(c metrics.ClassSummary) metrics.Measure { return c.Precision }},
	{"recall", func(c metrics.ClassSummary) metrics.Measure { return c.Recall }},
	{"volume_difference", func(c metrics.ClassSummary) metrics.Measure { return c.VolumeDifference }},
	{"relative_volume_difference", func(c metrics.ClassSummary) metrics.Measure { return c.RelativeVolumeDifference }},
}

// distanceCounts begins the names of the counts of both distances, which are the same.
const distanceCounts = "distance"

// WriteCSV writes all measures as a table of comma-separated values, a row for each case and class and then the means. An undefined mean is
// an empty cell. Distances are in the unit of the row, volumes in ml, or in voxels where the masks have no spacing. Behind the measures are their counts:
// of how many values each is the mean (_n), how many are left out as undefined (_undefined), of the distances how many are those of an empty mask
// (distance_flagged), of lesion_f1 how many lesions; then the rules: the tolerance of nsd in the unit of the row, the overlap that lesions take, and what two
// empty masks count.
func (e Evaluation) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	titles := []string{"case", "class", "value", "unit"}
	for _, m := range csvMeasures {
		titles = append(titles, m.name)
	}
	titles = append(titles, "found", "missed", "false_positives", "lesion_f1")
	for _, m := range csvMeasures {
		switch m.name {
		case metrics.NameHD95:
			titles = append(titles, distanceCounts+"_n", distanceCounts+"_undefined", distanceCounts+"_flagged")
		case metrics.NameASSD:
		default:
			titles = append(titles, m.name+"_n", m.name+"_undefined")
		}
	}
	if err := w.Write(append(titles, "lesion_f1_n", "nsd_tolerance", "lesion_overlap", "empty")); err != nil {
		return err
	}
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	rules := []string{"", "", e.Empty}
	if t := e.Tolerances; t != nil {
		rules[0], rules[1] = number(t.NSD), number(t.LesionOverlap)
	}
	row := func(id, unit string, c metrics.ClassSummary) error {
		value := ""
		if c.Class > 0 {
			value = strconv.Itoa(c.Class)
		}
		cells, counts := []string{cell.Text(id), cell.Text(c.Name), value, unit}, []string{}
		for _, m := range csvMeasures {
			one := m.of(c)
			cells = append(cells, number(one.Value))
			if m.name == metrics.NameASSD {
				continue
			}
			counts = append(counts, strconv.Itoa(one.N), strconv.Itoa(one.Undefined))
			if m.name == metrics.NameHD95 {
				counts = append(counts, strconv.Itoa(one.Flagged))
			}
		}
		l := c.Lesions
		cells = append(cells, strconv.Itoa(l.Found), strconv.Itoa(l.Missed), strconv.Itoa(l.FalsePositives), number(l.F1.Value))
		return w.Write(slices.Concat(cells, counts, []string{strconv.Itoa(l.F1.N)}, rules))
	}
	for _, one := range e.PerCase {
		for _, class := range one.Classes {
			if err := row(one.ID, one.Unit, class); err != nil {
				return err
			}
		}
	}
	for _, class := range e.Classes {
		if err := row("mean", e.Unit, class); err != nil {
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
