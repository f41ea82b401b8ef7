package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/worklist"
)

// checkSlurm refuses what cannot be divided, and flags that --slurm leaves without effect.
func (c queryCommand) checkSlurm(s streams) error {
	switch {
	case c.Slurm < 1:
		return usagef("--slurm %d: want 1 part or more", c.Slurm)
	case c.Shard != "":
		return usagef("--shard and --slurm: give one of them")
	case c.Precision != "":
		return usagef("--precision with --slurm: say --isa amx for bfloat16, and --constraint for the nodes that have it")
	case c.engine(s, 0).IsTorch():
		return usagef("--engine torch and --slurm: tasks of a cluster compute on processors only; run the command without --slurm inside a job that has a GPU")
	}
	config, err := c.config()
	if err != nil {
		return usageError{err}
	}
	config.Shard = worklist.Shard{Part: 1, Of: c.Slurm}
	if err := config.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

// onSlurm submits the parts of a query, or says how far they are. It returns whether all are there, so that the query can pick. Those that were scored with
// other labels, images or options, or by another model, count for nothing, and are submitted again.
func (c queryCommand) onSlurm(ctx context.Context, s streams, q *worklist.Query) (there bool, err error) {
	options, err := c.options()
	if err != nil {
		return false, err
	}
	parts, work, err := c.parts(s)
	if err != nil {
		return false, err
	}
	finished, err := q.Finished()
	if err != nil {
		return false, err
	}
	parts.Current = func(part int, file string) bool { return finished(worklist.Shard{Part: part, Of: parts.Of}, file) }
	view := parts.Look(ctx)
	if view.Finished == parts.Of {
		return true, balance(s.err, parts, work)
	}
	if view.Trouble != nil {
		return false, fmt.Errorf("SLURM does not answer: %w", view.Trouble)
	}
	if view.Running+view.Waiting == 0 {
		for _, text := range view.Ended {
			if len(parts.Jobs) > 0 {
				fmt.Fprintln(s.err, "not finished:", text)
			}
		}
		if view.Outdated > 0 {
			fmt.Fprintf(s.err, "%d of %d parts were scored with other labels, images or options, or by another model: they are scored again\n", view.Outdated, parts.Of)
		}
		text, err := parts.Submit(ctx, options)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(s.out, "%s; give the same command again to see how far they are, and to pick\n", text)
		return false, nil
	}
	fmt.Fprintf(s.out, "%d of %d parts are finished, %d run, %d wait, %d have ended without scores", view.Finished, parts.Of, view.Running, view.Waiting, len(view.Ended))
	if view.Outdated > 0 {
		fmt.Fprintf(s.out, ", %d are to be scored again", view.Outdated)
	}
	fmt.Fprintln(s.out)
	for _, text := range view.Ended {
		fmt.Fprintln(s.out, " ", text)
	}
	return false, exitError{underWay, ""}
}

// parts returns the parts of the query, those that were submitted or new ones, and the work folder.
func (c queryCommand) parts(s streams) (*cluster.Shards, string, error) {
	work, err := filepath.Abs(c.Work)
	if err != nil {
		return nil, "", err
	}
	args, err := c.partArgs(s, work)
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(work, fmt.Sprintf("shard-parts-of-%d", c.Slurm))
	parts := &cluster.Shards{
		Dir: dir, Name: "query", Of: c.Slurm, CPUs: max(1, int(c.Threads)), File: "scores-" + cluster.Part + ".csv",
		Args: append(args, "--scores", filepath.Join(dir, "scores-"+cluster.Part+".csv"), "--force"),
	}
	before, err := cluster.OpenShards(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return parts, work, nil
	case err != nil:
		return nil, "", err
	case !slices.Equal(before.Args, parts.Args):
		return nil, "", fmt.Errorf("%s holds the parts of another query: take another folder with --work, or remove it when nothing of it runs", dir)
	}
	return before, work, nil
}

// partArgs returns the command line of a part: this one's, with paths that every node finds. It has every flag that the scores depend on, as the state of a query
// does: parts of another state are scored again.
func (c queryCommand) partArgs(s streams, work string) ([]string, error) {
	args := []string{"query", "--shard", fmt.Sprintf("%s/%d", cluster.Part, c.Slurm), "--work", work, "--threads", strconv.Itoa(max(1, int(c.Threads))),
		"--strategy", c.Strategy, "--size", strconv.Itoa(c.Size), "--seed", strconv.FormatUint(c.Seed, 10)}
	paths := []struct{ flag, path string }{{"--data", c.Data}, {"--model", c.Model}}
	for _, file := range c.Labelled {
		paths = append(paths, struct{ flag, path string }{"--labelled", file})
	}
	for _, p := range paths {
		path, err := filepath.Abs(p.path)
		if err != nil {
			return nil, err
		}
		args = append(args, p.flag, path)
	}
	for _, p := range c.Only {
		args = append(args, "--only", p)
	}
	for _, p := range c.Exclude {
		args = append(args, "--exclude", p)
	}
	for _, o := range []struct{ flag, value, none string }{
		{"--ignore", strconv.Itoa(int(c.Ignore)), "0"}, {"--engine", c.name(s), ""}, {"--isa", cluster.ISA(c.name(s), c.ISA, recipe.Config{}), ""},
	} {
		if o.value != o.none {
			args = append(args, o.flag, o.value)
		}
	}
	if c.Resample {
		args = append(args, "--resample")
	}
	return args, nil
}

// balance says what the parts have cost, and how evenly.
func balance(out io.Writer, parts *cluster.Shards, work string) error {
	var most, all time.Duration
	slicesOf := make([]int, 0, parts.Of)
	for n, file := range parts.Files() {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		slicesOf = append(slicesOf, max(0, bytes.Count(text, []byte("\n"))-1)) // without the heading
		begun, err := os.Stat(filepath.Join(work, fmt.Sprintf("shard-%d-of-%d", n+1, parts.Of), "query.json"))
		ended, err2 := os.Stat(file)
		if errors.Join(err, err2) == nil {
			took := ended.ModTime().Sub(begun.ModTime())
			all += took
			most = max(most, took)
		}
	}
	fmt.Fprintf(out, "%d parts of %d to %d slices; %v of scoring together, the longest %v, the mean %v\n", parts.Of, slices.Min(slicesOf), slices.Max(slicesOf),
		all.Round(time.Second/10), most.Round(time.Second/10), (all / time.Duration(parts.Of)).Round(time.Second/10))
	return nil
}
