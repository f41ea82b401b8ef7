//go:build cgo

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/clidoc"
)

// The reference of commands is what they say of themselves. Without cgo the bench command has no flags.
func TestCommandsReference(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "reference", "commands.md")
	want := commandsReference(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the commands say: run go test ./cmd/nextslice -run CommandsReference -update", path)
	}
}

func commandsReference(t *testing.T) string {
	t.Setenv("COLUMNS", "100")
	help := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := run(t.Context(), nil, &out, &errs, append(args, "--help")); code != done {
			t.Fatalf("help of %v: %s", args, errs.String())
		}
		return strings.TrimSpace(out.String())
	}
	var b strings.Builder
	b.WriteString(`# Commands

<!-- Written by go test ./cmd/nextslice -run CommandsReference -update; change the help in cmd/nextslice instead. -->

What each command says with ` + "`--help`" + `. Results go to the standard output, progress and warnings to the standard error.
Exit codes: 0 done, 1 failed, 2 wrong use.

| command | what it does |
|---|---|
`)
	var names [][]string
	for _, command := range clidoc.Visible(newParser(nil, nil, nil).Model.Node) {
		names = append(names, []string{command.Name})
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", command.Name, command.Name, command.Help)
		for _, part := range command.Children {
			if part.Type == kong.CommandNode {
				names = append(names, []string{command.Name, part.Name})
			}
		}
	}
	for _, name := range names {
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s\n```\n", strings.Join(name, " "), help(name...))
	}
	return b.String()
}

// Every command line that stands in a help text or in the documents is one that the program takes.
func TestDocumentedCommandLines(t *testing.T) {
	root := filepath.Join("..", "..")
	found := map[string]int{}
	check := func(file, text string) {
		fenced := false
		for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			args, ok := commandLine(line)
			if !ok || !fenced && !strings.HasPrefix(line, "    ") {
				continue
			}
			found[file]++
			if _, err := newParser(nil, nil, func(int) {}).Parse(args); err != nil {
				t.Errorf("%s: %s: %v", file, strings.TrimSpace(line), err)
			}
		}
	}
	documents := []string{filepath.Join(root, "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			documents = append(documents, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range documents {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		check(path, string(text))
	}
	if n := found[filepath.Join(root, "docs", "reference", "commands.md")]; n < 20 {
		t.Errorf("%d command lines in commands.md: this test has lost sight of them", n)
	}
}
