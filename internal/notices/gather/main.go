// Gather writes notices.txt.gz of package notices, from the module cache: run `go generate ./internal/notices` after go.mod has changed.
package main

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|third_party_licenses)`)

const gcc = `C++ runtime library (GCC), in builds with the fast engine: GNU General Public License version 3 with the GCC Runtime Library
Exception version 3.1, which permits a program that is compiled with GCC to be passed on under any licence.
https://www.gnu.org/licenses/gcc-exception-3.1.html
`

// runtimes are the C libraries that the programs of a release have in them.
var runtimes = []struct{ title, file string }{
	{"GNU C Library (glibc), in the released programs for Linux: GNU Lesser General Public License, version 2.1 or later.\n" +
		"Its source is that of Debian's package glibc. To link with another one, build nextslice from its source: make release.", "LGPL-2.1.txt"},
	{"mingw-w64 runtime, in the released program for Windows", "mingw-w64.txt"},
}

//go:embed runtime
var texts embed.FS

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gather:", err)
		os.Exit(1)
	}
}

func run() error {
	modules, err := output("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}} {{.Dir}}{{end}}", "../../cmd/nextslice")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(modules), "\n")
	slices.Sort(lines)
	var text bytes.Buffer
	for _, line := range slices.Compact(lines) {
		f := strings.SplitN(line, " ", 3)
		if len(f) < 3 {
			continue
		}
		if err := add(&text, strings.TrimSpace(f[0]+" "+f[1]), f[2]); err != nil {
			return err
		}
	}
	root, err := output("go", "env", "GOROOT")
	if err != nil {
		return err
	}
	if err := add(&text, "Go "+strings.TrimPrefix(runtime.Version(), "go"), strings.TrimSpace(root)); err != nil {
		return err
	}
	text.WriteString(gcc)
	for _, r := range runtimes {
		data, err := texts.ReadFile("runtime/" + r.file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s\n%s\n%[1]s\n\n%[3]s\n\n", strings.Repeat("-", 100), r.title, bytes.TrimSpace(data))
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, _ = w.Write(text.Bytes())
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile("notices.txt.gz", packed.Bytes(), 0o644)
}

// add writes the licence files of a module's folder.
func add(text *bytes.Buffer, name, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licence.MatchString(e.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "%s\n%s: %s\n%[1]s\n\n%[4]s\n\n", strings.Repeat("-", 100), name, e.Name(), bytes.TrimSpace(data))
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no licence in %s", name, dir)
	}
	return nil
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	return string(out), err
}
