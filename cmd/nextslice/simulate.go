package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/nextslice/nextslice/cluster"
	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/report"
)

type simulateCommand struct {
	Config string `arg:"" optional:"" name:"config" placeholder:"CONFIG.yaml" help:"Configuration file. The flags go over it."`

	Data *string `placeholder:"DIR" help:"Folder of the labelled data set, or phantom (synthetic volumes, the default)."`
	channelsFlags
	Channel *int        `placeholder:"N" help:"Channel to read of images that hold several (4-D files, nnU-Net's X_0001), from 0."`
	Patient *string     `placeholder:"PATTERN" help:"Regular expression that finds the patient in a case's name, for slices in files of their own: cases of a patient are not divided."`
	Ignore  *labelValue `placeholder:"VALUE" help:"Label value that carries no loss and counts in no measure; else the label ignore of dataset.json."`
	nanFlag
	Axis        *string `placeholder:"AXIS" help:"Index axis that slices are cut across: i, j, k or auto."`
	Strategies  *string `placeholder:"LIST" help:"Query strategies, separated by commas; see the strategies command."`
	InitialSets *int    `placeholder:"N" help:"Runs per strategy, each from another initial set."`
	Initial     *string `placeholder:"RULE" help:"How an initial set is chosen: random (the default), strided, typiclust or typiclust(features=vae), which trains an autoencoder first."`
	InitialSize *int    `placeholder:"N" help:"Slices labelled from the start."`
	QuerySize   *int    `placeholder:"N" help:"Slices labelled per query."`
	Cycles      *int    `placeholder:"N" help:"Queries; there is one training more."`
	Ceiling     bool    `help:"Train on all slices of the pool too, once per initial set: the ceiling that the report reads learning curves by."`
	Preset      *string `placeholder:"NAME" help:"Training preset: paper, workstation, quick (the default) or demo (that of the phantom); see the presets command."`
	Seed        *uint64 `placeholder:"N" help:"Seed of everything random."`

	Out        string      `placeholder:"DIR" help:"Run folder; the default is runs/ and the name of the data."`
	Resume     bool        `help:"Go on with the run in the run folder."`
	SaveModels bool        `help:"Keep the last model of each run, for the predict command: units/RUN/last/model.safetensors."`
	From       []string    `placeholder:"DIR" help:"Record folder, made by report --export, whose finished runs are taken over instead of being run again."`
	Jobs       int         `default:"0" placeholder:"N" help:"Runs at the same time, one thread each; a single one uses all cores."`
	Threads    threadCount `default:"0" placeholder:"N" help:"Threads of each run; 0 is all cores for one job, else 1."`
	engineFlag
	isaFlag
	JSON       bool `help:"Write the learning curves as JSON."`
	slurmFlags `group:"On a cluster"`
}

func (simulateCommand) Help() string {
	return `Runs active learning with the data set's own masks as the oracle: train on the labelled slices, evaluate on the test
cases, query, reveal the masks of the query, and so on, for each strategy from each initial set. Prints the learning
curves; the run folder gets all records and a figure.

An interrupted run goes on with --resume and ends with the same records. With --resume further strategies, initial sets and
recipes of the grid are added to a run: only what is missing is run.

A configuration file can vary the training: "grid:" lists values of any key of "train:", or recipes by name; see
studies/figure2-promise12/experiment.yaml.

With --slurm the same command submits the experiment to SLURM, which runs its parts at the same time and to the same records;
nextslice status shows how far it is. See docs/how-to/run-on-a-cluster.md.

Examples:
  nextslice simulate
  nextslice simulate --data DIR --strategies random,entropy,entropy+sb --initial-sets 3 --cycles 5
  nextslice simulate experiment.yaml --jobs 4 --out runs/prostate
  nextslice simulate experiment.yaml --jobs 4 --out runs/prostate --resume
  nextslice simulate experiment.yaml --jobs 4 --out runs/prostate --resume --ceiling
  nextslice simulate experiment.yaml --slurm --partition NAME --time 4:00:00 --out runs/prostate`
}

func (c simulateCommand) Run(ctx context.Context, s streams) error {
	tempdir.Sweep()
	config, err := c.config()
	if err != nil {
		return usageError{err}
	}
	if c.Jobs < 0 {
		return usagef("--jobs must not be negative")
	}
	if err := c.validate(); err != nil {
		return usageError{err}
	}
	out := cmp.Or(c.Out, config.Out, ownFolder(config.Data))
	if c.planned() && c.Precision != "" {
		return usagef("--precision with --slurm or --prepare: say --isa amx for bfloat16, and --constraint for the nodes that have it")
	}
	if c.planned() {
		return c.plan(ctx, s, config, out)
	}
	if err := cluster.Alone(ctx, out); err != nil {
		return err
	}
	w := progress.NewWatcher(s.err, config)
	defer w.End()
	err = experiment.Run(ctx, config, experiment.Options{
		Out: out, Resume: c.Resume, Jobs: c.Jobs, Threads: int(c.Threads), Engine: c.name(s), ISA: c.ISA, Python: c.Python, Precision: c.Precision, Records: c.From, SaveModels: c.SaveModels,
		Notice: w.Notice, Progress: w.Event,
	})
	w.End()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted; go on with:\n  %s", c.again(s.args, out))
	}
	if err != nil {
		return asUsage(err)
	}
	return curves(s, out, c.JSON)
}

// ownFolder is the run folder of data where none is given: runs/ and the name of their folder, also where that is called "." or "..".
func ownFolder(data string) string {
	if path, err := filepath.Abs(data); err == nil {
		data = path
	}
	return filepath.Join("runs", filepath.Base(data))
}

// curves prints the learning curves of a run folder and draws its figure.
func curves(s streams, out string, json bool) error {
	sources, err := report.Read([]string{out})
	if err != nil {
		return err
	}
	learning := sources[0].Learning()
	if err := learning.Write(out); err != nil {
		return err
	}
	if json {
		return writeJSON(s.out, learning)
	}
	if err := learning.WriteText(s.out); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nrecords and figure: %s\n", out)
	return nil
}

// config reads the configuration file and puts the flags over it. Its strategies have their shortest names, as their runs have.
func (c simulateCommand) config() (record.Config, error) {
	config, err := record.ReadConfig(c.Config, func(config *record.Config) {
		set(&config.Data, c.Data)
		set(&config.Channel, c.Channel)
		c.apply(&config.Channels, &config.Resample)
		set(&config.Patient, c.Patient)
		set(&config.Ignore, (*int)(c.Ignore))
		c.set(&config.NaN)
		set(&config.Axis, c.Axis)
		set(&config.InitialSets, c.InitialSets)
		set(&config.Initial, c.Initial)
		set(&config.InitialSize, c.InitialSize)
		set(&config.QuerySize, c.QuerySize)
		set(&config.Cycles, c.Cycles)
		set(&config.Preset, c.Preset)
		set(&config.Seed, c.Seed)
		config.Ceiling = config.Ceiling || c.Ceiling
		if c.Strategies != nil {
			config.Strategies = splitList(*c.Strategies)
		}
	})
	if err == nil {
		err = config.Validate()
	}
	if err != nil {
		return record.Config{}, err
	}
	config.Strategies = record.Canonical(config.Strategies)
	return config, nil
}

func set[T any](field *T, flag *T) {
	if flag != nil {
		*field = *flag
	}
}

// splitList splits at commas, but not at those inside parentheses, which separate a strategy's options.
func splitList(list string) []string {
	var names []string
	depth, begin := 0, 0
	for i, c := range list + "," {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0:
			if name := strings.TrimSpace(list[begin:i]); name != "" {
				names = append(names, name)
			}
			begin = i + 1
		}
	}
	return names
}

// again is the command that resumes this one.
func (c simulateCommand) again(line []string, out string) string {
	args := []string{"nextslice"}
	for _, a := range line {
		if a != "--resume" {
			args = append(args, quote(a))
		}
	}
	if c.Out == "" {
		args = append(args, "--out", quote(out))
	}
	return strings.Join(append(args, "--resume"), " ")
}

// quote returns an argument as a shell reads it back.
func quote(arg string) string {
	if runtime.GOOS == "windows" {
		if arg != "" && !strings.ContainsAny(arg, " \t&|<>^()%!,;=") { // a quote is in no name there
			return arg
		}
		return `"` + arg + `"`
	}
	if arg != "" && !strings.ContainsAny(arg, " \t\n'\"\\()[]{}*?$&|;<>`#~!") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
