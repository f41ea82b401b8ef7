package main

import (
	"context"
	"errors"

	"github.com/nextslice/nextslice/cluster"
)

type unitCommand struct {
	Dir    string `arg:"" help:"Run folder, whose last plan is taken, or the folder of a plan in it."`
	Task   int    `arg:"" help:"Number of the task, from 0."`
	Starts bool   `help:"A task of the trainings of cycle 0 that units share; else these are trained by the first unit that needs one."`
	Slurm  bool   `help:"In a job array of SLURM: have the task requeued before its time limit."`
}

func (unitCommand) Help() string {
	return `Runs one task of a plan that simulate --slurm or --prepare made: the program that the scripts of the job arrays start. Any number of
tasks may run at the same time on any machines that see the run folder. A task that is run again goes on where it was; of two attempts at
the same one the later goes on and the earlier stops. Ends with code 0 if all runs of the task are finished, 1 if one failed, 143 if it
was told to stop.

Examples:
  nextslice simulate experiment.yaml --prepare --out runs/prostate
  nextslice unit runs/prostate 0
  seq 0 17 | parallel -j 4 nextslice unit runs/prostate {}`
}

func (c unitCommand) Run(ctx context.Context, s streams) error {
	plan, err := cluster.Open(c.Dir)
	if err != nil {
		return err
	}
	limit, stop := timeLimit()
	defer stop()
	err = plan.Run(ctx, c.Task, cluster.RunOptions{Starts: c.Starts, Slurm: c.Slurm, Limit: limit, Log: s.err})
	if errors.Is(err, cluster.ErrStopped) {
		return exitError{143, "stopped; the next attempt goes on"}
	}
	return err
}
