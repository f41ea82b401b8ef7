// Package clidoc writes what is made of a command line besides its help: shell completions and manual pages.
package clidoc

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Manual returns a manual page of the program and one of each command, as man(7) has them, by their file names.
func Manual(app *kong.Application) map[string][]byte {
	pages := map[string][]byte{}
	var program roff
	program.head(app.Name, "tells a team which slices of their medical volumes to label next")
	program.section("SYNOPSIS")
	program.printf(".B %s\n.I command\n[arguments] [flags]\n", text(app.Name))
	program.section("DESCRIPTION")
	program.paragraphs(app.Help)
	program.section("COMMANDS")
	for _, command := range Visible(app.Node) {
		program.item(`\fB`+text(app.Name+"-"+command.Name)+`\fR(1)`, command.Help)
		pages[app.Name+"-"+command.Name+".1"] = commandPage(app.Name, command)
	}
	program.section("EXIT STATUS")
	program.item("0", "Done.")
	program.item("1", "Failed.")
	program.item("2", "Wrong use.")
	pages[app.Name+".1"] = program.Bytes()
	return pages
}

func commandPage(program string, command *kong.Node) []byte {
	var r roff
	r.head(program+"-"+command.Name, command.Help)
	r.section("SYNOPSIS")
	r.printf(".B %s\n", text(program))
	r.printf("%s\n", text(command.Summary()))
	r.section("DESCRIPTION")
	r.paragraphs(command.Help + "\n\n" + command.Detail)
	r.options(command)
	for _, sub := range Visible(command) {
		r.section(strings.ToUpper(command.Name + " " + sub.Name))
		r.printf(".B %s\n%s\n", text(program), text(sub.Summary()))
		r.paragraphs(sub.Help + "\n\n" + sub.Detail)
		r.options(sub)
	}
	r.section("SEE ALSO")
	r.printf(".BR %s (1)\n", text(program))
	return r.Bytes()
}

// Visible returns the commands below a node that are not hidden.
func Visible(n *kong.Node) (commands []*kong.Node) {
	for _, c := range n.Children {
		if !c.Hidden {
			commands = append(commands, c)
		}
	}
	return commands
}

// Flags returns a command's flags that are not hidden.
func Flags(n *kong.Node) (flags []*kong.Flag) {
	for _, f := range n.Flags {
		if !f.Hidden {
			flags = append(flags, f)
		}
	}
	return flags
}

// roff is text of a manual page.
type roff struct{ bytes.Buffer }

func (r *roff) printf(format string, args ...any) { fmt.Fprintf(&r.Buffer, format, args...) }

func (r *roff) head(name, about string) {
	r.printf(".TH %s 1\n.SH NAME\n%s \\- %s\n", strings.ToUpper(text(name)), text(name), text(strings.TrimSuffix(about, ".")))
}

func (r *roff) section(title string) { r.printf(".SH %s\n", text(title)) }

func (r *roff) item(term, about string) { r.printf(".TP\n%s\n%s\n", term, text(about)) }

// paragraphs writes what --help shows: paragraphs, and indented lines as they stand.
func (r *roff) paragraphs(help string) {
	verbatim := false
	for line := range strings.Lines(strings.TrimRight(help, "\n") + "\n") {
		line = strings.TrimRight(line, "\n")
		if indented := strings.HasPrefix(line, "  "); indented != verbatim && line != "" {
			r.printf("%s\n", map[bool]string{true: ".PP\n.nf\n.RS", false: ".RE\n.fi\n.PP"}[indented])
			verbatim = indented
		}
		switch {
		case line == "" && verbatim:
			r.printf("\n")
		case line == "":
			r.printf(".PP\n")
		default:
			r.printf("%s\n", text(strings.TrimPrefix(line, "  ")))
		}
	}
	if verbatim {
		r.printf(".RE\n.fi\n")
	}
}

// options writes a section of a command's arguments and flags.
func (r *roff) options(n *kong.Node) {
	if len(n.Positional)+len(Flags(n)) > 0 {
		r.printf(".SS Options\n")
	}
	for _, p := range n.Positional {
		r.item(text(p.Summary()), p.Help)
	}
	for _, f := range Flags(n) {
		term := `\fB` + text("--"+f.Name) + `\fR`
		if f.Short != 0 {
			term = `\fB` + text("-"+string(f.Short)) + `\fR, ` + term
		}
		if !f.IsBool() {
			term += `=\fI` + text(f.FormatPlaceHolder()) + `\fR`
		}
		about := f.Help
		if len(f.Envs) > 0 {
			about += " Environment: " + strings.Join(f.Envs, ", ") + "."
		}
		r.item(term, about)
	}
}

// text escapes what roff takes for its own: backslashes, hyphens that are to be copied, and a first dot or quote of a line.
func text(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
