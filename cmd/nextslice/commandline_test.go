package main

import "strings"

// commandLine returns the arguments of nextslice in a line that begins with it, alone, behind a pipe or behind a prompt:
// up to a comment, a pipe or an ampersand.
func commandLine(line string) (args []string, ok bool) {
	line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
	if _, behind, ok := strings.Cut(line, "| nextslice "); ok && !strings.HasPrefix(line, "|") {
		line = "nextslice " + behind
	}
	line, ok = strings.CutPrefix(line, "nextslice ")
	var word strings.Builder
	quote, in := rune(0), false
	end := func() {
		if in {
			args = append(args, word.String())
			word.Reset()
			in = false
		}
	}
	for _, c := range line + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case strings.ContainsRune("|&>#", c) && !in:
			return args, ok && len(args) > 0
		case c == ' ':
			end()
		default:
			in = true
			word.WriteRune(c)
		}
	}
	return args, ok && len(args) > 0
}
