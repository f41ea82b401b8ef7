package main

import (
	"github.com/alecthomas/kong"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/clidoc"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Shell: bash, zsh or fish."`
}

func (completionCommand) Help() string {
	return `Prints what makes a shell complete the names of commands and flags. The Debian package brings it along.

Examples:
  nextslice completion bash > ~/.local/share/bash-completion/completions/nextslice
  nextslice completion zsh > ~/.zfunc/_nextslice
  nextslice completion fish > ~/.config/fish/completions/nextslice.fish`
}

func (c completionCommand) Run(app *kong.Kong, s streams) error {
	clidoc.Completion(s.out, c.Shell, app.Model)
	return nil
}
