package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/nextslice/nextslice/experiment"
)

type versionCommand struct {
	JSON bool `help:"Write JSON."`
}

func (versionCommand) Help() string {
	return `Examples:
  nextslice version
  nextslice version --json`
}

func (c versionCommand) Run(s streams) error {
	e, err := experiment.BuiltEngine()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, e)
	}
	fmt.Fprintf(s.out, "nextslice %s\n", e.Version)
	if e.Commit != "" {
		fmt.Fprintf(s.out, "commit    %s\n", e.Commit)
	}
	fmt.Fprintf(s.out, "engine    %s (%s)\nbuilt     %s %s/%s\n", e.Engine, e.Detail, e.Go, e.OS, e.Arch)
	return nil
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
