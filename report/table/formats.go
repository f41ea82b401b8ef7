package table

import (
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"math"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
)

// WriteMarkdown writes the table in GitHub's Markdown, whose headings have one row.
func (t Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	cell := strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;")
	if t.Title != "" {
		fmt.Fprintf(&b, "### %s\n\n", t.Title)
	}
	heads := t.heads()
	for _, h := range heads {
		fmt.Fprintf(&b, "| %s ", cell.Replace(h))
	}
	b.WriteString("|\n|---")
	b.WriteString(strings.Repeat("|---:", len(heads)-1) + "|\n")
	for _, row := range t.Rows {
		for _, c := range row {
			fmt.Fprintf(&b, "| %s%s", cell.Replace(c.plain()), strings.Repeat(" |", c.span()-1)+" ")
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "%s\n\n", cell.Replace(note))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// latex escapes a text for LaTeX. What pdflatex does not know, which is all beyond Latin-1, is a command.
var latex = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "±", `$\pm$`, "−", `$-$`, "×", `$\times$`, "≥", `$\ge$`, "<", `$<$`, ">", `$>$`,
	"†", `\dag{}`, "‡", `\ddag{}`, "§", `\S{}`, "–", "--", "·", `$\cdot$`, "*", `$\ast$`, "γ", `$\gamma$`, "₀", `$_0$`)

// WriteLaTeX writes the table for a LaTeX document that loads booktabs.
func (t Table) WriteLaTeX(w io.Writer) error {
	var b strings.Builder
	columns := len(t.heads())
	fmt.Fprintf(&b, "\\begin{table}\n\\centering\n\\caption{%s}\n\\begin{tabular}{l%s}\n\\toprule\n", latex.Replace(t.Title), strings.Repeat("r", columns-1))
	for i, row := range t.Head {
		var cells, rules []string
		at := 1
		for _, c := range row {
			text := latex.Replace(c.Text)
			if n := c.span(); n > 1 {
				text = fmt.Sprintf("\\multicolumn{%d}{c}{%s}", n, text)
				rules = append(rules, fmt.Sprintf("\\cmidrule(lr){%d-%d}", at, at+n-1))
			}
			at += c.span()
			cells = append(cells, text)
		}
		b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n")
		if i < len(t.Head)-1 && len(rules) > 0 {
			b.WriteString(strings.Join(rules, " ") + "\n")
		}
	}
	b.WriteString("\\midrule\n")
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			text := latex.Replace(c.Text)
			if c.Marks != "" {
				text += "$^{" + strings.NewReplacer("*", `\ast`, "†", `\dag`, "‡", `\ddag`, "§", `\S`).Replace(c.Marks) + "}$"
			}
			if n := c.span(); n > 1 {
				text = fmt.Sprintf("\\multicolumn{%d}{l}{%s}", n, text)
			}
			cells = append(cells, text)
		}
		b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n")
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "\\par\\smallskip{\\footnotesize %s}\n", latex.Replace(note))
	}
	b.WriteString("\\end{table}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// inCSV returns the cell as it stands in CSV: with minus signs that programs read, and never one that a spreadsheet computes.
func (c Cell) inCSV() string {
	text := strings.ReplaceAll(c.plain(), " − ", " - ") // a difference, in words
	if c.Sort != nil {
		text = strings.ReplaceAll(text, "−", "-")
	}
	return cell.Mixed(text)
}

// WriteCSV writes the table as CSV, with one row of headings. The notes are left out.
func (t Table) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	heads := t.heads()
	for i := range heads {
		heads[i] = Text("%s", heads[i]).inCSV()
	}
	rows := [][]string{heads}
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.inCSV())
			for range c.span() - 1 {
				cells = append(cells, "")
			}
		}
		rows = append(rows, cells)
	}
	return out.WriteAll(rows)
}

// WriteHTML writes the table for the page. Tables with a single row of headings can be sorted there.
func (t Table) WriteHTML(w io.Writer) error {
	var b strings.Builder
	class := ""
	switch {
	case len(t.Head) == 1 && len(t.Rows) > 2:
		class = ` class="sortable"`
	case len(t.heads()) > 8:
		class = ` class="wide"`
	}
	fmt.Fprintf(&b, "<figure class=\"table\"><figcaption>%s</figcaption><div class=\"scroll\"><table%s>\n<thead>\n", html.EscapeString(t.Title), class)
	for _, row := range t.Head {
		b.WriteString("<tr>")
		for _, c := range row {
			fmt.Fprintf(&b, "<th scope=\"col\"%s>%s</th>", colspan(c), html.EscapeString(c.Text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</thead><tbody>\n")
	for _, row := range t.Rows {
		if class := row[0].Row; class != "" {
			fmt.Fprintf(&b, "<tr class=\"%s\">", class)
		} else {
			b.WriteString("<tr>")
		}
		for i, c := range row {
			tag, attributes := "td", colspan(c)
			if i == 0 {
				tag, attributes = "th", attributes+` scope="row"`
			}
			if c.Sort != nil && !math.IsNaN(*c.Sort) {
				attributes += fmt.Sprintf(" data-v=\"%.6g\"", *c.Sort)
			}
			if c.Shade > 0 {
				attributes += fmt.Sprintf(" style=\"--shade:%.0f%%\" class=\"shade\"", 100*c.Shade)
			}
			marks := ""
			if c.Marks != "" {
				marks = "<sup>" + html.EscapeString(c.Marks) + "</sup>"
			}
			fmt.Fprintf(&b, "<%s%s>%s%s</%s>", tag, attributes, html.EscapeString(c.Text), marks, tag)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div>\n")
	for _, note := range t.Notes {
		class := "note"
		if strings.HasPrefix(note, Warning) {
			class += " warning"
		}
		fmt.Fprintf(&b, "<p class=\"%s\">%s</p>\n", class, html.EscapeString(note))
	}
	b.WriteString("</figure>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func colspan(c Cell) string {
	if c.span() == 1 {
		return ""
	}
	return fmt.Sprintf(" colspan=\"%d\"", c.Span)
}
