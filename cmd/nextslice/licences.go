package main

import "github.com/nextslice/nextslice/internal/notices"

type licencesCommand struct{}

func (licencesCommand) Help() string {
	return `Prints the licences of nextslice and of everything that is compiled into it. Those of the annotation page's packages are on the
page itself, under assets/licenses.txt.

Examples:
  nextslice licences
  nextslice licences | less`
}

func (licencesCommand) Run(s streams) error { return notices.Write(s.out) }
