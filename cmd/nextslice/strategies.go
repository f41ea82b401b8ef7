package main

import (
	"fmt"

	"github.com/nextslice/nextslice/query"
)

type strategiesCommand struct {
	JSON bool `help:"Write JSON."`
}

func (strategiesCommand) Help() string {
	return `A strategy is a name of its own (random), a score (entropy: the highest scores win), or a score and a
selector (entropy+sb: stochastic batches around the entropy). Options go in parentheses.

Examples:
  nextslice strategies
  nextslice simulate --strategies 'random,entropy+sb(draw=partition)'`
}

func (c strategiesCommand) Run(s streams) error {
	list := query.List()
	if c.JSON {
		return writeJSON(s.out, list)
	}
	fmt.Fprintf(s.out, "Which one? %s, if you have no reason for another: on one data set of ours 29 slices gave what 51 random ones\n"+
		"did, on another it was not shown to be better or worse than random, and it costs one pass a slice. docs/results.md tells what each one brought.\n\n", query.Recommended)
	width := 0
	for _, info := range list {
		width = max(width, len(info.Name))
	}
	for _, kind := range []struct {
		kind  query.Kind
		title string
	}{
		{query.KindStrategy, "Strategies"},
		{query.KindScore, "Scores (SCORE alone, or SCORE+SELECTOR)"},
		{query.KindSelector, "Selectors"},
	} {
		fmt.Fprintln(s.out, kind.title)
		for _, info := range list {
			if info.Kind != kind.kind {
				continue
			}
			fmt.Fprintf(s.out, "  %-*s  %s\n", width, info.Name, info.Does)
			if info.Options != "" {
				fmt.Fprintf(s.out, "  %-*s    options: %s\n", width, "", info.Options)
			}
			fmt.Fprintf(s.out, "  %-*s    cost: %s; source: %s\n", width, "", info.Cost, info.Source)
		}
		fmt.Fprintln(s.out)
	}
	return nil
}
