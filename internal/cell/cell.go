// Package cell writes texts from outside into cells of CSV files, and reads CSV of other programs.
package cell

import "strings"

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

// Mixed is Text for cells that may hold numbers, with signs, intervals and percents, which it leaves alone.
func Mixed(text string) string {
	if strings.Trim(text, "0123456789 .,;:()[]e%+-–±") == "" {
		return text
	}
	return Text(text)
}
