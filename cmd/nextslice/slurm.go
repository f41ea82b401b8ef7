package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
)

// slurmFlags are the flags of simulate that hand an experiment to a cluster.
type slurmFlags struct {
	Slurm   bool `help:"Run on SLURM, as two job arrays: see docs/how-to/run-on-a-cluster.md. This command ends when they are submitted."`
	Prepare bool `help:"Only write the run folder and a plan of tasks, which any program can start by the unit command."`
	DryRun  bool `help:"With --slurm or --prepare: print what would be submitted, and write nothing."`
	Follow  bool `help:"With --slurm: show how far the run is until it is finished. Ctrl-C leaves it to SLURM."`

	siteFlags
	UnitsPerTask int `placeholder:"N" help:"With --slurm or --prepare: runs of a task; as many as --jobs by default. More where tasks would be shorter than a quarter of an hour."`
}

// siteFlags are what SLURM is told of a job.
type siteFlags struct {
	Time       string   `placeholder:"LIMIT" help:"With --slurm: time limit of a task, such as 4:00:00. What is not done by then goes on in another."`
	Partition  string   `placeholder:"NAME" help:"With --slurm: partition."`
	Account    string   `placeholder:"NAME" help:"With --slurm: account."`
	QOS        string   `name:"qos" placeholder:"NAME" help:"With --slurm: quality of service."`
	Mem        string   `placeholder:"SIZE" help:"With --slurm: memory of a task, such as 4G."`
	Gres       string   `placeholder:"LIST" help:"With --slurm: generic resources, such as gpu:1."`
	Constraint string   `placeholder:"LIST" help:"With --slurm: features of nodes, such as avx512."`
	Sbatch     []string `sep:"none" placeholder:"ARG" help:"With --slurm: another argument of sbatch, such as --sbatch=--exclude=n7. May be repeated."`
	Setup      string   `placeholder:"FILE" help:"With --slurm: shell lines that stand before the program in the scripts, such as module load."`
	AtOnce     int      `placeholder:"N" help:"With --slurm: tasks that run at the same time."`
}

// given returns the name of a flag that was given, "" for none.
func (f siteFlags) given() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"time", f.Time != ""}, {"partition", f.Partition != ""}, {"account", f.Account != ""}, {"qos", f.QOS != ""}, {"mem", f.Mem != ""},
		{"gres", f.Gres != ""}, {"constraint", f.Constraint != ""}, {"sbatch", len(f.Sbatch) > 0}, {"setup", f.Setup != ""}, {"at-once", f.AtOnce != 0},
	} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}

// options returns what SLURM is told.
func (f siteFlags) options() (cluster.SlurmOptions, error) {
	o := cluster.SlurmOptions{
		Time: f.Time, Partition: f.Partition, Account: f.Account, QOS: f.QOS, Mem: f.Mem, Gres: f.Gres, Constraint: f.Constraint, AtOnce: f.AtOnce, Sbatch: f.Sbatch,
	}
	if f.Setup != "" {
		text, err := os.ReadFile(f.Setup)
		if err != nil {
			return o, fmt.Errorf("--setup: %w", err)
		}
		o.Setup = string(text)
	}
	return o, nil
}

// planned tells whether the experiment is divided into tasks instead of being run here.
func (f slurmFlags) planned() bool { return f.Slurm || f.Prepare }

func (f slurmFlags) validate() error {
	switch {
	case f.Slurm && f.Prepare:
		return errors.New("--slurm and --prepare: give one of them")
	case f.UnitsPerTask < 0 || f.AtOnce < 0:
		return errors.New("--units-per-task and --at-once must not be negative")
	case f.DryRun && !f.planned():
		return errors.New("--dry-run belongs to --slurm or --prepare")
	case f.UnitsPerTask > 0 && !f.planned():
		return errors.New("--units-per-task belongs to --slurm or --prepare")
	case f.Slurm:
		return nil
	}
	if f.Follow {
		return errors.New("--follow belongs to --slurm")
	}
	if name := f.given(); name != "" {
		return fmt.Errorf("--%s belongs to --slurm", name)
	}
	return nil
}

// plan divides the experiment into tasks, and submits them.
func (c simulateCommand) plan(ctx context.Context, s streams, config record.Config, out string) error {
	o := cluster.Options{
		Out: out, Resume: c.Resume, Records: c.From, SaveModels: c.SaveModels, Threads: int(c.Threads), Jobs: c.Jobs, Engine: c.name(s), ISA: c.ISA,
		UnitsPerTask: c.UnitsPerTask, Slurm: c.Slurm,
	}
	var err error
	if o.SlurmOptions, err = c.options(); err != nil {
		return err
	}
	if c.DryRun {
		o.Notice = func(text string) { fmt.Fprintln(s.err, text) }
		text, err := cluster.DryRun(ctx, config, o)
		if err != nil {
			return asUsage(err)
		}
		_, err = fmt.Fprint(s.out, text)
		return err
	}
	p := progress.New(s.err)
	o.Notice = func(text string) { p.Line("%s", text) }
	o.Progress = func(e experiment.Event) { p.Show(float64(e.Done)/float64(max(1, e.Of)), e.String()) }
	plan, err := cluster.Prepare(ctx, config, o)
	p.End()
	if err != nil {
		return asUsage(err)
	}
	if plan == nil {
		fmt.Fprintln(s.out, "nothing is left to submit")
		return c.afterwards(ctx, s, out)
	}
	fmt.Fprintln(s.out, plan.Summary())
	if c.Prepare {
		fmt.Fprintf(s.out, "planned in %s; run each task, in any order and anywhere, with\n  nextslice unit %s N      for N from 0 to %d\n", plan.Dir, quote(out), len(plan.Units.Tasks)-1)
		return nil
	}
	text, err := plan.Submit(ctx, o.SlurmOptions)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, text)
	return c.afterwards(ctx, s, out)
}

// afterwards follows a run, or says how to.
func (c simulateCommand) afterwards(ctx context.Context, s streams, out string) error {
	if c.Follow {
		return statusCommand{Folder: out, Follow: true}.Run(ctx, s)
	}
	fmt.Fprintf(s.out, "how far it is, from any machine that sees the folder:\n  nextslice status %s\n", quote(out))
	return nil
}

// asUsage marks errors of whoever wrote the configuration.
func asUsage(err error) error {
	if _, wrong := errors.AsType[*record.ConfigError](err); wrong {
		return usageError{err}
	}
	return err
}

// isaFlag is the flag --isa.
type isaFlag struct {
	ISA string `name:"isa" default:"" enum:",amx,avx512,avx2,baseline" placeholder:"NAME" help:"Instruction set of the native engine: avx512, avx2, baseline, or amx, which is --precision bfloat16; the widest of the processor by default, and avx2 with --slurm. Results of different sets differ in the last bits."`
}
