package cell

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// UTF8 returns a text without the byte order mark that programs for Windows put before it; a text that such a mark says is UTF-16, as PowerShell writes it, becomes UTF-8.
func UTF8(r io.Reader) *bufio.Reader {
	in := bufio.NewReaderSize(r, 1<<16)
	start, _ := in.Peek(3) // an error comes again when it is read
	switch {
	case string(start) == "\ufeff":
		_, _ = in.Discard(3)
	case strings.HasPrefix(string(start), "\xff\xfe"), strings.HasPrefix(string(start), "\xfe\xff"):
		return bufio.NewReaderSize(unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in), 1<<16)
	}
	return in
}

// NewReader reads CSV as spreadsheets write it: without a byte order mark, see UTF8, and separated by semicolons or tabs where the heading, the first line, has these
// and no comma, and one of the columns' names among them. Blanks before a field are left out. A table without a heading is separated by commas.
func NewReader(r io.Reader, columns ...string) *csv.Reader {
	in := UTF8(r)
	out := csv.NewReader(in)
	start, _ := in.Peek(1 << 16)
	out.Comma = separator(strings.TrimLeft(string(start), "\r\n"), columns)
	out.TrimLeadingSpace = out.Comma != '\t' // which it would take for a blank
	return out
}

func separator(text string, columns []string) rune {
	heading, _, _ := strings.Cut(text, "\n")
	if strings.Contains(heading, ",") {
		return ','
	}
	for _, s := range ";\t" {
		fields := strings.Split(heading, string(s))
		if len(fields) > 1 && slices.ContainsFunc(fields, func(field string) bool {
			return slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(strings.Trim(field, "\" \r"), name) })
		}) {
			return s
		}
	}
	return ','
}

// Separators says what NewReader reads, for the error of a table that is separated otherwise.
const Separators = "columns are separated by commas, or under a heading by semicolons or tabs"

// Column returns the place of a column in a heading, -1 where there is none; letter case and blanks around a name do not count. Two columns of the name are an error.
func Column(heading []string, name string) (int, error) {
	found := -1
	for n, field := range heading {
		if !strings.EqualFold(strings.TrimSpace(field), name) {
			continue
		}
		if found >= 0 {
			return -1, fmt.Errorf("the heading has two columns %s: leave one of them out", name)
		}
		found = n
	}
	return found, nil
}
