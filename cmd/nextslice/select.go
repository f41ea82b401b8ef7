package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nextslice/nextslice/internal/cell"
	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/query/scores"
	"github.com/nextslice/nextslice/random"
)

type selectCommand struct {
	Scores            []string `required:"" sep:"none" placeholder:"FILE" help:"CSV or JSON file with one score per item, or - for standard input; higher = label sooner. May be repeated, or be a pattern such as 'scores-*.csv', unless a file is called so: the files are joined."`
	Size              int      `required:"" placeholder:"N" help:"Items to pick."`
	StochasticBatches bool     `help:"Pick by stochastic batches (Gaillochet et al. 2023): the best of many batches drawn at random."`
	Draw              string   `default:"resample" enum:"resample,partition" help:"Stochastic batches: how the batches are drawn, resample or partition."`
	Q                 int      `default:"0" placeholder:"Q" help:"Stochastic batches: number of batches; 0 is one per N items."`
	Strategy          string   `placeholder:"NAME" help:"Any other selector, see the strategies command; without it the highest scores win."`
	Seed              uint64   `default:"0" help:"Seed of all random draws. They depend on the ids too: other ids, other draws."`
	JSON              bool     `help:"Write JSON."`
}

func (selectCommand) Help() string {
	return `The scores are CSV with a heading that names the columns id and score among any others, CSV of two columns id,score
without a heading, or JSON: {"id": score, ...} or [{"id": "...", "score": ...}, ...]. Under a heading columns may be separated by semicolons or tabs, as
spreadsheets of some countries write them. The picks are written as CSV.

The files of nextslice query --shard say in the columns shard and query what they are of: they are joined where all are of one query and no shard is missing.

Examples:
  nextslice select --scores scores.csv --size 10
  nextslice select --scores scores.csv --size 10 --stochastic-batches
  nextslice select --scores 'scores-*.csv' --size 10 --stochastic-batches
  my-model --predict | nextslice select --scores - --size 10 --stochastic-batches --draw partition --json`
}

func (c selectCommand) Run(s streams) error {
	strategy, err := c.strategy()
	if err != nil {
		return usageError{err}
	}
	list, err := c.read(s.in)
	if err != nil {
		return err
	}
	if c.Size < 1 || c.Size > len(list.IDs) {
		return usagef("--size %d: want 1 to %d, the number of items", c.Size, len(list.IDs))
	}
	// The stream goes by what is offered, so that two selections of one seed with labels in between draw independently of each other.
	picks, err := list.Select(strategy, c.Size, random.Stream(c.Seed, "select", strings.Join(list.IDs, "\n")))
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, struct {
			Strategy string        `json:"strategy"`
			Seed     uint64        `json:"seed"`
			Of       int           `json:"of"`
			Items    []scores.Pick `json:"items"`
		}{fmt.Sprint(strategy), c.Seed, len(list.IDs), picks})
	}
	w := csv.NewWriter(s.out)
	w.Write([]string{"id", "score"})
	for _, p := range picks {
		w.Write([]string{cell.Text(p.ID), strconv.FormatFloat(p.Score, 'g', -1, 64)})
	}
	w.Flush()
	return w.Error()
}

func (c selectCommand) strategy() (query.Strategy, error) {
	switch {
	case c.StochasticBatches && c.Strategy != "":
		return nil, fmt.Errorf("--stochastic-batches and --strategy: give one of them")
	case !c.StochasticBatches && (c.Q != 0 || c.Draw != "resample"):
		return nil, fmt.Errorf("--draw and --q belong to --stochastic-batches")
	case c.StochasticBatches && c.Q < 0:
		return nil, fmt.Errorf("--q %d: want 0 or more", c.Q)
	case c.StochasticBatches:
		return query.StochasticBatches{Draw: query.Draw(c.Draw), Q: c.Q}, nil
	case c.Strategy != "":
		return query.ParseSelector(c.Strategy)
	}
	return query.Top{}, nil
}

// read reads the files and joins them.
func (c selectCommand) read(in io.Reader) (*scores.List, error) {
	var all []scores.File
	for _, pattern := range c.Scores {
		files := []string{pattern}
		if strings.ContainsAny(pattern, "*?[") && !exists(pattern) { // a file's own name may have these
			found, err := filepath.Glob(pattern)
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("--scores %s: no file of this name", pattern)
			}
			files = found
		}
		for _, file := range files {
			one, err := readScores(in, file)
			if err != nil {
				return nil, err
			}
			all = append(all, scores.File{Name: file, List: one})
		}
	}
	return scores.Join(all)
}

func readScores(in io.Reader, name string) (*scores.List, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	} else {
		name = "standard input"
	}
	list, err := scores.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}
