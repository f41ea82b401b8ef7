// Package cell writes texts from outside into cells of CSV files, and reads CSV of other programs.
package cell

import (
	"regexp"
	"strings"
)

// Text returns a text that a spreadsheet takes for a text: one that begins like a formula (= + - @, a tab or a line's end), or with apostrophes and
// then so, gets an apostrophe in front. Numbers are not given to it. Source: OWASP, "CSV Injection".
func Text(text string) string {
	if begin := strings.TrimLeft(text, "'"); begin != "" && strings.ContainsRune("=+-@\t\r\n", rune(begin[0])) {
		return "'" + text
	}
	return text
}

// Parse is the inverse of Text. A text of another program, which has no apostrophe in front, is returned as it is.
func Parse(text string) string {
	if text != "" && text[0] == '\'' && Text(text[1:]) != text[1:] {
		return text[1:]
	}
	return text
}

// Mixed is Text for cells that may hold what tables print of numbers, which it leaves alone: a number with or without a sign, an interval of two, what
// is behind them (± 3.0, or more, n = 12), and marks. Sums and names of cells are none.
func Mixed(text string) string {
	if numbers.MatchString(text) {
		return text
	}
	return Text(text)
}

var numbers = func() *regexp.Regexp {
	const number = `[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?( ?%)?`
	return regexp.MustCompile(`^` + number + `( (to|±|of) ` + number + `| or more| [\[(]` + number + `, ` + number + `[\])])?( \(n = [0-9]+\))?[*†‡§]*$`)
}()
