package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/script"
	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/dataset"
)

type annotateScriptCommand struct {
	Server  string     `default:"http://127.0.0.1:8470" placeholder:"URL" help:"Address of the annotation server."`
	Data    string     `required:"" placeholder:"DIR" help:"The same data set with masks."`
	Ignore  labelValue `default:"0" placeholder:"VALUE" help:"Label value of the masks that means unsure; else the label ignore of dataset.json."`
	Cycles  int        `default:"5" placeholder:"N" help:"Queries to answer; one training more."`
	Name    string     `default:"script" placeholder:"NAME" help:"Name to log in under."`
	Token   string     `env:"NEXTSLICE_TOKEN" placeholder:"SECRET" help:"The server's secret."`
	Seconds float64    `default:"0" placeholder:"S" help:"What one label is said to take."`
	JSON    bool       `help:"Write the learning curve and the picks as JSON."`
}

func (annotateScriptCommand) Help() string {
	return `Labels what an annotation server asks for with the masks of a labelled data set, through the same API as the page. With
a server in lockstep the learning curve and the picks are those of a simulation with the same seed and cases.

Examples:
  nextslice serve --data DIR --masks ignore --lockstep --open=false &
  nextslice annotate-script --data DIR --cycles 5`
}

func (c annotateScriptCommand) Run(ctx context.Context, s streams) error {
	set, err := dataset.OpenWith(ctx, c.Data, dataset.OpenOptions{Ignore: int(c.Ignore)})
	if err != nil {
		return err
	}
	client, err := script.LogIn(ctx, script.HTTP(), c.Server, c.Name, c.Token)
	if err != nil {
		return fmt.Errorf("log in at %s: %w", c.Server, err)
	}
	project, err := client.Project(ctx)
	if err != nil {
		return err
	}
	unsure := func(c annotate.Class) bool { return c.Value == annotate.Unsure }
	if set.Ignore > 0 && !slices.ContainsFunc(project.Classes, unsure) {
		return errors.New("the masks hold a value to ignore, and the project has no class unsure: start the server with --unsure, or with --ignore in a new project")
	}
	p := progress.New(s.err)
	defer p.End()
	labelled := 0
	a := script.Annotator{Client: client, Mask: script.MasksOf(set, project.Axis), Seconds: c.Seconds, Labelled: func(item string) {
		labelled++
		p.Show(0, fmt.Sprintf("%d labels, the last %s", labelled, item))
	}}
	begin := time.Now()
	if err := a.Run(ctx, c.Cycles+1); err != nil {
		return err
	}
	p.End()
	curves, err := client.Curves(ctx)
	if err != nil {
		return err
	}
	picks, err := a.Picks(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, struct {
			Cycles  []annotate.CyclePoint `json:"cycles"`
			Picks   map[int][]string      `json:"picks"`
			Seconds float64               `json:"seconds"`
		}{curves.Cycles, picks, time.Since(begin).Seconds()})
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "cycle\tlabelled\tvalidation Dice\tDice of proposals and labels\t")
	for _, cycle := range curves.Cycles {
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t\n", cycle.Cycle, cycle.Labelled, orNone(cycle.ValidationDice), orNone(cycle.ProposalDice))
	}
	return w.Flush()
}

func orNone(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *v)
}
