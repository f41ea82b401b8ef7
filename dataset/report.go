package dataset

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nextslice/nextslice/volume"
)

// WriteText writes the report for people: a table of the cases, the problems in words, and a summary.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (layout: %s)\n\n", r.Name, r.Layout)
	r.writeTable(&b)
	fmt.Fprintf(&b, "\nSlices are cut across %s. The column foreground counts those that show some; the columns after it count the voxels of each class.\n", volume.AxisName(r.Axis))
	for _, notes := range []bool{false, true} {
		head := map[bool]string{false: "\nProblems:\n", true: "\nNotes:\n"}[notes]
		for _, p := range r.Problems {
			if p.Note == notes {
				fmt.Fprintf(&b, "%s  %s\n", head, p)
				head = ""
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary returns the totals as one line.
func (r *Report) Summary() string {
	t := r.Totals
	s := fmt.Sprintf("%s, %d with a mask; %s across %s", count(t.Cases, "case"), t.Labelled, count(t.Slices, "slice"), volume.AxisName(r.Axis))
	if t.Labelled > 0 {
		s += fmt.Sprintf(", %d of the %d with a mask show foreground", t.ForegroundSlices, t.LabelledSlices)
	}
	if len(r.Classes) > 0 {
		s += "; classes: " + strings.Join(r.Classes, ", ")
	}
	if t.Empty > 0 {
		s += "; " + count(t.Empty, "empty mask")
	}
	if t.Unusable > 0 {
		s += "; " + count(t.Unusable, "case") + " that cannot be used and would be left out"
	}
	if r.Faults() == 0 {
		return s + "; no problems."
	}
	return s + "; " + count(r.Faults(), "problem") + "."
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeTable writes one line per case. Voxels are counted in one column per class, in one for all values without, and in one for
// ignored voxels.
func (r *Report) writeTable(b *strings.Builder) {
	head := []string{"case", "size", "spacing", "unit", "axes", "type", "min", "1%", "median", "99%", "max", "slices", "foreground"}
	for v, class := range r.Classes {
		if v > 0 {
			head = append(head, class)
		}
	}
	isIgnored := func(l LabelCount) bool { return l.Class == ignoreClass && !slices.Contains(r.Classes, ignoreClass) }
	ignored, unknown := false, false
	for _, c := range r.Cases {
		for _, l := range c.Labels {
			ignored = ignored || isIgnored(l)
			unknown = unknown || l.Class == "" && l.Value > 0
		}
	}
	if unknown {
		head = append(head, "other")
	}
	if ignored {
		head = append(head, "ignored")
	}
	rows := [][]string{head}
	for _, c := range r.Cases {
		row := []string{c.ID, c.Size.String(),
			fmt.Sprintf("%.3g x %.3g x %.3g", c.Spacing[0], c.Spacing[1], c.Spacing[2]), string(c.Unit), c.Orientation, c.Stored}
		if c.Unit != volume.Millimetre {
			row[2] = "none"
		}
		if i := c.Intensity; i != nil {
			for _, v := range []float64{i.Min, i.Low, i.Median, i.High, i.Max} {
				row = append(row, fmt.Sprintf("%.5g", v))
			}
		} else {
			row = append(row, "-", "-", "-", "-", "-")
		}
		row = append(row, fmt.Sprint(c.Slices), "-")
		voxels := make([]int, len(head)-len(row)) // of the classes from 1 on, and of the values beyond
		class := 0
		for _, l := range c.Labels { // in the order of the classes
			switch {
			case isIgnored(l):
				voxels[len(voxels)-1] += l.Voxels
			case l.Class == "" && l.Value > 0:
				voxels[max(1, len(r.Classes))-1] += l.Voxels
			case l.Class != "":
				for class < len(r.Classes)-1 && r.Classes[class] != l.Class {
					class++
				}
				if class > 0 {
					voxels[class-1] += l.Voxels
				}
				class++
			}
		}
		if c.Labels != nil {
			row[len(row)-1] = fmt.Sprint(c.Foreground)
		}
		for i, n := range voxels {
			if c.Labels == nil {
				row = append(row, "-")
			} else if i+1 < len(r.Classes) && slices.Contains(c.Unannotated, r.Classes[i+1]) {
				row = append(row, "n/a") // not annotated
			} else {
				row = append(row, fmt.Sprint(n))
			}
		}
		rows = append(rows, row)
	}
	align(b, rows)
}

// align writes rows with their columns below each other, the first set left and the others right.
func align(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		fmt.Fprintf(b, "%-*s", widths[0], row[0])
		for c, cell := range row[1:] {
			fmt.Fprintf(b, "  %*s", widths[c+1], cell)
		}
		b.WriteByte('\n')
	}
}
