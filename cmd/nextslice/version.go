package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/tensor/engines"
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
	e, err := engines.New("", 1)
	if err != nil {
		return err
	}
	defer e.Close()
	env := experiment.EnvironmentOf(e)
	env.Threads = 0 // the caller's choice
	if c.JSON {
		return writeJSON(s.out, env)
	}
	fmt.Fprintf(s.out, "nextslice %s\n", env.Version)
	if env.Commit != "" {
		fmt.Fprintf(s.out, "commit    %s\n", env.Commit)
	}
	fmt.Fprintf(s.out, "engine    %s\nbuilt     %s %s/%s\nlicence   Apache-2.0; of what it is made of: nextslice licences\n",
		env.EngineText(), env.Go, env.OS, env.Arch)
	return nil
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
