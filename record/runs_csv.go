package record

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/metrics"
)

// The columns of every file. Per foreground class those of classColumns follow, as "dice_3d:prostate", and then the
// lists, whose elements are separated by semicolons.
var (
	keyColumns  = []string{"grid", "strategy", "set", "cycle", "labelled", "scored", "cases", "unit"}
	measures    = []string{metrics.NameDice3D, metrics.NameDice2D, metrics.NameHD95, metrics.NameASSD}
	listColumns = []string{"initial", "query", "case_dice_3d", "calibration"}
)

// copiesColumn is a last column, another list, of a file in which a run has copies.
const copiesColumn = "copies"

// counts names what Measure.N, Undefined and Flagged are called, per measure. Both distances have the same counts.
var counts = []struct{ measure, n, undefined, flagged string }{
	{metrics.NameDice3D, "dice_3d_n", "dice_3d_undefined", ""},
	{metrics.NameDice2D, "dice_2d_n", "dice_2d_undefined", ""},
	{metrics.NameHD95, "distance_n", "distance_undefined", "distance_flagged"},
}

func classColumns(class string) (names []string) {
	for _, m := range measures {
		names = append(names, m+":"+class)
	}
	for _, c := range counts {
		names = append(names, c.n+":"+class, c.undefined+":"+class)
		if c.flagged != "" {
			names = append(names, c.flagged+":"+class)
		}
	}
	return names
}

func columns(classes []string, copies bool) []string {
	names := slices.Concat(keyColumns, measures)
	for _, class := range classes {
		names = append(names, classColumns(class)...)
	}
	names = append(names, listColumns...)
	if copies {
		names = append(names, copiesColumn)
	}
	return names
}

// anyCopies reports whether a run has copies.
func anyCopies(runs []Run) bool {
	return slices.ContainsFunc(runs, func(r Run) bool {
		return slices.ContainsFunc(r.Cycles, func(c Cycle) bool { return len(c.Copies) > 0 })
	})
}

// WriteRuns writes runs as CSV, ordered by recipe, strategy and set. It returns an error for runs with different classes
// and for names that hold a semicolon.
func WriteRuns(w io.Writer, runs []Run) error {
	classes, err := Classes(runs)
	if err != nil {
		return err
	}
	runs = slices.Clone(runs)
	sortRuns(runs)
	out, copies := csv.NewWriter(w), anyCopies(runs)
	if err := out.Write(columns(classes, copies)); err != nil {
		return err
	}
	for _, r := range runs {
		for _, c := range r.Cycles {
			row, err := r.row(c, copies)
			if err != nil {
				return fmt.Errorf("%s, cycle %d: %w", r.Unit, c.Cycle, err)
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (r Run) row(c Cycle, copies bool) ([]string, error) {
	row := []string{cell.Text(r.Grid), cell.Text(r.Strategy), strconv.Itoa(r.Set), strconv.Itoa(c.Cycle), strconv.Itoa(c.Labelled),
		strconv.Itoa(c.Scored), strconv.Itoa(c.Measures.Cases), c.Measures.Unit}
	value := func(class metrics.ClassSummary, name string) metrics.Measure { m, _ := class.Measure(name); return m }
	for _, m := range measures {
		row = append(row, number(value(c.Measures.Mean, m).Value))
	}
	for _, class := range c.Measures.Classes {
		for _, m := range measures {
			row = append(row, number(value(class, m).Value))
		}
		for _, count := range counts {
			m := value(class, count.measure)
			row = append(row, strconv.Itoa(m.N), strconv.Itoa(m.Undefined))
			if count.flagged != "" {
				row = append(row, strconv.Itoa(m.Flagged))
			}
		}
	}
	var cases []string
	for _, one := range c.Cases {
		cases = append(cases, one.ID+"="+number(one.Dice3D))
	}
	for _, list := range [][]string{c.Initial, c.Query, cases} {
		text, err := listCell(list)
		if err != nil {
			return nil, err
		}
		row = append(row, text)
	}
	var bins []string
	for _, b := range c.Calibration {
		bins = append(bins, fmt.Sprintf("%d:%s:%s", b.Pixels, number(b.Confidence), number(b.Accuracy)))
	}
	row = append(row, strings.Join(bins, ";"))
	if copies {
		text, err := listCell(c.Copies)
		if err != nil {
			return nil, err
		}
		row = append(row, text)
	}
	return row, nil
}

// listCell returns names as one cell.
func listCell(names []string) (string, error) {
	for _, name := range names {
		if name == "" || strings.Contains(name, ";") {
			return "", fmt.Errorf("the name %q cannot be written to a record: rename the case", name)
		}
	}
	return cell.Text(strings.Join(names, ";")), nil
}

// ReadRuns reads what WriteRuns wrote. Each run must have its cycles from 0 on, in order.
func ReadRuns(in io.Reader) ([]Run, error) {
	table := csv.NewReader(in)
	head, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("want a heading, got an empty file")
	}
	if err != nil {
		return nil, err
	}
	var classes []string
	for _, name := range head {
		if class, ok := strings.CutPrefix(name, measures[0]+":"); ok {
			classes = append(classes, class)
		}
	}
	copies := head[len(head)-1] == copiesColumn
	if want := columns(classes, copies); !slices.Equal(head, want) {
		return nil, fmt.Errorf("want the columns of a record: %s", strings.Join(headFaults(want, head), ", "))
	}
	var runs []Run
	at := map[Unit]int{}
	for {
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			return runs, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := table.FieldPos(0)
		p := row{cells: cells, head: head, copies: copies}
		unit, c := p.cycle(classes)
		if p.err != nil {
			return nil, fmt.Errorf("line %d: %w", line, p.err)
		}
		i, known := at[unit]
		if !known {
			i = len(runs)
			at[unit] = i
			runs = append(runs, Run{Unit: unit})
		}
		if want := len(runs[i].Cycles); c.Cycle != want {
			return nil, fmt.Errorf("line %d: %s: want cycle %d, got %d", line, unit, want, c.Cycle)
		}
		runs[i].Cycles = append(runs[i].Cycles, c)
	}
}

// headFaults says how a heading differs from the one wanted.
func headFaults(want, got []string) (faults []string) {
	for _, name := range want {
		if !slices.Contains(got, name) {
			faults = append(faults, name+" is missing")
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			faults = append(faults, name+" is unknown")
		}
	}
	if faults == nil {
		faults = []string{"they are in another order"}
	}
	return faults
}

// row takes the cells of a row one after the other and keeps the first fault.
type row struct {
	cells, head []string
	copies      bool // whether there is a column of them
	next        int
	err         error
}

func (p *row) cycle(classes []string) (Unit, Cycle) {
	u := Unit{Grid: cell.Parse(p.text()), Strategy: cell.Parse(p.text()), Set: p.count()}
	c := Cycle{Cycle: p.count(), Labelled: p.count(), Scored: p.count()}
	m := &c.Measures
	m.Cases, m.Unit = p.count(), p.text()
	m.Mean = metrics.ClassSummary{Class: -1, Name: "mean"}
	p.values(&m.Mean)
	for i, name := range classes {
		class := metrics.ClassSummary{Class: i + 1, Name: name}
		p.values(&class)
		for _, of := range []*metrics.Measure{&class.Dice3D, &class.Dice2D, &class.HD95} {
			of.N, of.Undefined = p.count(), p.count()
		}
		class.HD95.Flagged = p.count()
		class.ASSD.N, class.ASSD.Undefined, class.ASSD.Flagged = class.HD95.N, class.HD95.Undefined, class.HD95.Flagged
		m.Classes = append(m.Classes, class)
		addCounts(&m.Mean.Dice3D, class.Dice3D)
		addCounts(&m.Mean.Dice2D, class.Dice2D)
		addCounts(&m.Mean.HD95, class.HD95)
		addCounts(&m.Mean.ASSD, class.ASSD)
	}
	c.Initial, c.Query = p.list(), p.list()
	for _, one := range p.list() {
		i := strings.LastIndexByte(one, '=')
		if i < 0 {
			p.fail("want CASE=DICE, got %q", one)
			break
		}
		c.Cases = append(c.Cases, Case{one[:i], p.float(one[i+1:])})
	}
	for _, one := range p.list() {
		numbers := strings.Split(one, ":")
		if len(numbers) != 3 {
			p.fail("want PIXELS:CONFIDENCE:ACCURACY, got %q", one)
			break
		}
		c.Calibration = append(c.Calibration, metrics.Bin{Pixels: int(p.float(numbers[0])), Confidence: p.float(numbers[1]), Accuracy: p.float(numbers[2])})
	}
	if p.copies {
		c.Copies = p.list()
	}
	return u, c
}

// values takes the four measures.
func (p *row) values(c *metrics.ClassSummary) {
	for _, m := range []*metrics.Measure{&c.Dice3D, &c.Dice2D, &c.HD95, &c.ASSD} {
		m.Value = p.float(p.text())
	}
}

// addCounts makes the counts of the mean over classes, which are totals.
func addCounts(total *metrics.Measure, m metrics.Measure) {
	total.N += m.N
	total.Undefined += m.Undefined
	total.Flagged += m.Flagged
}

func (p *row) text() string {
	p.next++
	return p.cells[p.next-1]
}

func (p *row) count() int {
	text := p.text()
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		p.fail("want a whole number, 0 or more, got %q", text)
	}
	return n
}

func (p *row) float(text string) float64 {
	if text == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		p.fail("want a number, got %q", text)
	}
	return v
}

func (p *row) list() []string {
	text := cell.Parse(p.text())
	if text == "" {
		return nil
	}
	return strings.Split(text, ";")
}

func (p *row) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %s", p.head[p.next-1], fmt.Sprintf(format, args...))
	}
}
