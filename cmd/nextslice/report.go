package main

import (
	"fmt"

	"github.com/nextslice/nextslice/experiment"
)

type reportCommand struct {
	Dir  string `arg:"" placeholder:"DIR" help:"Run folder."`
	JSON bool   `help:"Write JSON."`
}

func (reportCommand) Help() string {
	return `Prints the learning curves of a run folder and draws its figure again, from the records alone. The run may still be going
on.

Examples:
  nextslice report runs/phantom
  nextslice report runs/phantom --json`
}

func (c reportCommand) Run(s streams) error {
	folder, config, err := experiment.OpenFolder(c.Dir)
	if err != nil {
		return err
	}
	report, err := folder.Report(config)
	if err != nil {
		return err
	}
	if err := folder.WriteFigures(report); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, report)
	}
	if report.Finished < report.Units {
		fmt.Fprintf(s.out, "%d of %d runs are finished\n\n", report.Finished, report.Units)
	}
	return report.WriteTable(s.out)
}
