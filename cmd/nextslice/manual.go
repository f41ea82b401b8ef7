package main

import (
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/clidoc"
)

type manualCommand struct {
	Dir string `arg:"" help:"Folder for the pages."`
}

// Run writes a manual page of the program and one of each command, as man(7) has them. Packages are built with it.
func (c manualCommand) Run(app *kong.Kong) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	for name, page := range clidoc.Manual(app.Model) {
		if err := os.WriteFile(filepath.Join(c.Dir, name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}
