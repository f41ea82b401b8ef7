package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
)

type statusCommand struct {
	Folder string `arg:"" name:"run" help:"Run folder."`
	Follow bool   `help:"Look again every 30 seconds until nothing is under way. Ctrl-C ends the looking, not the run."`
	Cancel bool   `help:"Take what waits or runs back from SLURM, by scancel. Records stay; simulate --slurm --resume goes on with them."`
}

func (statusCommand) Help() string {
	return `Says what has become of each run of an experiment that simulate --slurm submitted, or that nextslice unit runs: what is finished, runs and
waits, and the last lines of what failed or was lost. When all is finished it prints the learning curves and draws the figure, as simulate
does at its end. Ends with code 0 if all is finished, 3 while anything is under way, and else 1.

Examples:
  nextslice status runs/prostate
  nextslice status runs/prostate --follow
  nextslice status runs/prostate --cancel`
}

func (c statusCommand) Run(ctx context.Context, s streams) error {
	if c.Cancel {
		ids, err := cluster.Cancel(ctx, c.Folder)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			fmt.Fprintln(s.out, "nothing waits or runs")
			return nil
		}
		fmt.Fprintf(s.out, "scancel %s\n", strings.Join(ids, " "))
		return nil
	}
	l := &cluster.Looker{Run: c.Folder}
	view, err := l.Look(ctx)
	if c.Follow && err == nil {
		view, err = progress.Follow(ctx, s.err, l, view, "nextslice status "+quote(c.Folder))
	}
	if err != nil {
		return err
	}
	if err := view.WriteText(s.out); err != nil {
		return err
	}
	switch {
	case view.Count(cluster.Finished) == len(view.Units):
		fmt.Fprintln(s.out)
		return curves(s, c.Folder, false)
	case view.UnderWay():
		return exitError{underWay, ""}
	}
	return exitError{failed, "not finished: " + c.next(view)}
}

// next says what to do about a run that has ended unfinished.
func (c statusCommand) next(v cluster.View) string {
	return fmt.Sprintf("%d of %d runs; submit them again with nextslice simulate CONFIG --slurm --resume --out %s", len(v.Units)-v.Count(cluster.Finished), len(v.Units), quote(c.Folder))
}
