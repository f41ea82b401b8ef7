// Package table writes tables: for a terminal, as Markdown, LaTeX, CSV and HTML.
package table

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table is a table in no format yet: a heading of one or two rows, rows, and the notes that belong under it.
type Table struct {
	Title string
	Head  [][]Cell // the spans of a row add up to the columns
	Rows  [][]Cell
	Notes []string
	Name  string // of its file, and of its place in the page
}

// Cell is one cell. Marks, such as a star, are raised.
type Cell struct {
	Text  string
	Marks string
	Span  int      // columns; 0 means 1
	Sort  *float64 // what a column is sorted by in the page; nil for texts
	Shade float64  // background in the page, 0 to 1
	Row   string   // class of its row in the page, of a row's first cell; "" is none
}

// Warning begins a note that says what makes a table's numbers weak.
const Warning = "Warning: "

// Text returns a cell.
func Text(format string, args ...any) Cell {
	return Cell{Text: fmt.Sprintf(format, args...)}
}

// Value returns a cell with a number, by which a column can be sorted.
func Value(v float64, format string, args ...any) Cell {
	c := Text(format, args...)
	c.Sort = &v
	return c
}

func (c Cell) span() int { return max(1, c.Span) }

// plain is the cell in one piece.
func (c Cell) plain() string { return c.Text + c.Marks }

// heads returns one heading per column: those of all rows together.
func (t Table) heads() []string {
	var heads []string
	for _, row := range t.Head {
		at := 0
		for _, c := range row {
			for range c.span() {
				if at == len(heads) {
					heads = append(heads, "")
				}
				heads[at] = strings.TrimSpace(heads[at] + " " + c.Text)
				at++
			}
		}
	}
	return heads
}

// Transposed returns the table with rows and columns exchanged: the heading of a column begins its row, under head.
func (t Table) Transposed(head string) Table {
	first := []Cell{Text("%s", head)}
	var rows [][]Cell
	for _, h := range t.heads()[1:] {
		rows = append(rows, []Cell{Text("%s", h)})
	}
	for _, row := range t.Rows {
		first = append(first, Text("%s", strings.TrimSpace(row[0].plain())))
		for i, c := range row[1:] {
			rows[i] = append(rows[i], c)
		}
	}
	t.Head, t.Rows = [][]Cell{first}, rows
	return t
}

// WriteText writes the table for a terminal: columns are lined up, the first to the left and the others to the right. It has
// a row at least.
func (t Table) WriteText(w io.Writer) error {
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Title)
	}
	rows := slices.Concat(t.Head, t.Rows)
	columns := 0
	for _, c := range rows[0] {
		columns += c.span()
	}
	width, raised := make([]int, columns), make([]int, columns)
	for _, row := range rows {
		at := 0
		for _, c := range row {
			raised[at] = max(raised[at], utf8.RuneCountInString(c.Marks))
			at += c.span()
		}
	}
	// in is a cell with its marks left of a common edge, so that numbers line up with and without marks.
	in := func(c Cell, at int) string {
		if c.span() > 1 {
			return c.Text
		}
		return c.Text + c.Marks + strings.Repeat(" ", raised[at]-utf8.RuneCountInString(c.Marks))
	}
	for _, row := range rows {
		at := 0
		for _, c := range row {
			if c.span() == 1 {
				width[at] = max(width[at], utf8.RuneCountInString(in(c, at)))
			}
			at += c.span()
		}
	}
	const gap = 3
	// A heading wider than the columns that it spans widens the last of them.
	for _, row := range rows {
		at := 0
		for _, c := range row {
			have := -gap
			for _, n := range width[at : at+c.span()] {
				have += n + gap
			}
			at += c.span()
			width[at-1] += max(0, utf8.RuneCountInString(in(c, at-c.span()))-have)
		}
	}
	for i, row := range rows {
		at := 0
		var line strings.Builder
		for _, c := range row {
			room := -gap
			for _, n := range width[at : at+c.span()] {
				room += n + gap
			}
			cell := in(c, at)
			pad := room - utf8.RuneCountInString(cell)
			switch {
			case at == 0:
				line.WriteString(cell + strings.Repeat(" ", pad))
			case c.span() > 1:
				line.WriteString(strings.Repeat(" ", gap+pad/2) + cell + strings.Repeat(" ", pad-pad/2))
			default:
				line.WriteString(strings.Repeat(" ", gap+pad) + cell)
			}
			at += c.span()
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i == len(t.Head)-1 {
			total := -gap
			for _, n := range width {
				total += n + gap
			}
			b.WriteString(strings.Repeat("─", total) + "\n")
		}
	}
	for _, note := range t.Notes {
		b.WriteString(wrap(note, 116) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// wrap breaks a text into lines.
func wrap(text string, width int) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+n > width:
			b.WriteString("\n  ")
			length = 2
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}
