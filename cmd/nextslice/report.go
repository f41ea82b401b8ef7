package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/nextslice/nextslice/report"
)

type reportCommand struct {
	Runs []string `arg:"" name:"run" placeholder:"RUN" help:"Run folders, or records made with --export. Those of one experiment are joined."`

	Out         string  `placeholder:"DIR" help:"Folder for the page, the tables and the figures; the default is reports/ and the name of the first run."`
	JSON        bool    `help:"Write all numbers as JSON to the terminal, and no files."`
	Export      string  `placeholder:"DIR" help:"Write the record of the runs, small enough to be committed, instead of a report."`
	Reach       float64 `default:"0" placeholder:"DICE" help:"3D Dice, 0 to 1, to count the labels for; the default is the final value of random."`
	Data        string  `placeholder:"DIR" help:"Where the data lie, to show slices of test cases; the default is where they were."`
	BesidePaper *bool   `negatable:"" help:"Show the paper's published figures under ours; the default is to do so for PROMISE12."`
}

func (reportCommand) Help() string {
	return `Compares the strategies of finished or unfinished runs: tables in the paper's layout, paired differences by initial set with
bootstrap intervals and exact tests, learning curves, and what was picked. Prints the main tables; DIR/index.html holds
everything and opens without a network.

Examples:
  nextslice report runs/phantom
  nextslice report runs/prostate runs/hippocampus --out reports/both
  nextslice report runs/prostate --export records/prostate
  nextslice report records/prostate`
}

func (c reportCommand) Run(ctx context.Context, s streams) error {
	if !(c.Reach >= 0 && c.Reach < 1) { // nor NaN
		return usagef("--reach %g: want a Dice between 0 and 1", c.Reach)
	}
	if c.Export != "" && (c.JSON || c.Out != "") {
		return usagef("--export writes no report: give it without --out and --json")
	}
	return interruptible(ctx, func() error { return c.report(ctx, s) })
}

// interruptible returns what do returns, or at once when ctx is done. It is for the end of the program: do may go on until then, and
// writes files as a whole.
func interruptible(ctx context.Context, do func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c reportCommand) report(ctx context.Context, s streams) error {
	sources, err := report.Read(c.Runs)
	if err != nil {
		return err
	}
	if c.Export != "" {
		if len(sources) > 1 {
			return usagef("--export: %s and %s are different experiments: export one at a time", sources[0].Dirs[0], sources[1].Dirs[0])
		}
		if err := sources[0].Export(c.Export); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "record: %s\n", c.Export)
		return nil
	}
	r, err := report.Analyse(sources, report.Options{Reach: c.Reach, BesidePaper: c.BesidePaper})
	if err != nil {
		return err
	}
	if c.JSON {
		return r.WriteJSON(s.out)
	}
	r.AddPictures(ctx, sources, c.Data)
	out := c.Out
	if out == "" {
		out = filepath.Join("reports", sources[0].Name)
	}
	if err := r.Write(out); err != nil {
		return err
	}
	if err := r.WriteText(s.out); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\npage, tables and figures: %s\n", filepath.Join(out, "index.html"))
	return nil
}
