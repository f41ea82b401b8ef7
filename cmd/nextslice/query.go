package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/worklist"
)

type queryCommand struct {
	Data     string `required:"" placeholder:"DIR" help:"Folder of the data set, partly labelled: cases without a mask, or slices that are ignored throughout, are asked for."`
	Strategy string `default:"${recommended}" placeholder:"NAME" help:"Query strategy, ${recommended} by default; see the strategies command."`
	Size     int    `default:"10" placeholder:"N" help:"Slices to pick, 10 by default."`

	Model  string   `placeholder:"FILE" help:"Model to ask, or the ONNX file of a network of another program; without it one is trained on the labelled slices."`
	Preset *string  `placeholder:"NAME" help:"Training preset, workstation by default; see the presets command."`
	Set    []string `sep:"none" placeholder:"KEY=VALUE" help:"Other value of one hyper-parameter of the preset, such as steps=4000; may be repeated."`

	Labelled []string `sep:"none" placeholder:"FILE" help:"List of labelled slices: CSV with the columns case and slice, and axis if it says along which, such as picks of an earlier query or the labelled.csv of serve, in which labels that a reviewer has rejected do not count. Of a case in a list these slices alone are labelled. May be repeated."`
	Only     []string `placeholder:"PATTERNS" help:"Pick of cases, or slices as CASE/SLICE, that match one of these patterns alone; * stands for any letters."`
	Exclude  []string `placeholder:"PATTERNS" help:"Pick none that match one of these patterns."`
	PerCase  int      `default:"0" placeholder:"N" help:"Pick at most N slices of a case; others are chosen in their place."`
	Shard    string   `placeholder:"PART/OF" help:"Score a part of the cases, such as 3/10, and pick nothing: nextslice select joins the files of --scores."`

	Proposals string `placeholder:"DIR" help:"Write a predicted mask (.seg.nrrd) and an uncertainty map (.nii.gz) of each case with picks."`
	Scores    string `placeholder:"FILE" help:"Write the scores too: CSV, as the select command reads them."`
	Work      string `placeholder:"DIR" help:"Folder for the trained model and the scores, from which an interrupted query goes on; the default is the data's with -query at the end of its name."`
	Force     bool   `help:"Replace proposals and scores that are there."`

	channelsFlags
	Channel *int       `placeholder:"N" help:"Channel to read of images that hold several, from 0."`
	Ignore  labelValue `default:"0" placeholder:"VALUE" help:"Label value of what nobody has labelled; else the label ignore of dataset.json."`
	Axis    string     `default:"auto" enum:"auto,i,j,k" placeholder:"AXIS" help:"Index axis that slices are cut across: i, j, k or auto."`
	Seed    uint64     `default:"0" placeholder:"N" help:"Seed of everything random. What is drawn depends on the labels too: other labels, other draws."`
	engineFlag
	isaFlag
	Threads threadCount `default:"0" placeholder:"N" help:"Threads; 0 is all cores."`
	CSV     bool        `name:"csv" help:"Write the picks as CSV."`
	JSON    bool        `help:"Write the picks as JSON."`

	Slurm     int `placeholder:"N" help:"Divide the scoring into N parts, which SLURM runs. The same command, given again, says how far they are, and picks when all are there."`
	siteFlags `group:"On a cluster"`
}

func (queryCommand) Help() string {
	return `Says which slices of a data set to label next, for people who label in 3D Slicer, ITK-SNAP or by a script: case, index of the slice in
its file from 0, position along its normal in mm, which 3D Slicer's slice slider shows (of a tilted scan after Rotate to Volume Plane), and score.
Images may be of any format that is read.

Without any label the first slices are chosen by --strategy typiclust or strided, which need no network. Later the network learns from the labelled slices: those
of cases with a mask, but for slices that are ignored throughout (--ignore), or those in a list (--labelled).

Case after case is read and scored, so that a data set of any size goes through. Run again, an interrupted query goes on where it was: networks that were trained and
cases that were scored are kept, and a training that was interrupted begins again. Cases can be
divided among machines by --shard, with one --model for all. A model says itself which channels it sees and along which axis slices are cut: --channel, --channels
and --axis are for queries that train one, and so are --preset and --set, but for strategies that train something beside it.

Examples:
  nextslice query --data DIR --strategy typiclust --size 20 --csv > round1.csv
  nextslice query --data DIR --labelled round1.csv --strategy entropy+sb --size 10 --proposals proposals
  nextslice query --data DIR --model prostate.safetensors --per-case 2 --exclude 'Phantom*' --json
  nextslice query --data DIR --model other.onnx --strategy margin+sb --proposals proposals
  nextslice query --data DIR --model prostate.safetensors --shard 3/10 --scores scores-3.csv
  nextslice select --scores 'scores-*.csv' --size 10 --stochastic-batches
  nextslice query --data DIR --model prostate.safetensors --slurm 100 --partition NAME --time 1:00:00`
}

func (c queryCommand) Run(ctx context.Context, s streams) error {
	if c.CSV && c.JSON {
		return usagef("--csv and --json: give one of them")
	}
	if name := c.given(); name != "" && c.Slurm == 0 {
		return usagef("--%s belongs to --slurm", name)
	}
	if c.Slurm != 0 {
		if err := c.checkSlurm(s); err != nil {
			return err
		}
		data, err := filepath.Abs(c.Data)
		if err != nil {
			return err
		}
		if c.Work == "" {
			if c.Work, err = worklist.DefaultWork(c.Data); err != nil {
				return usageError{err}
			}
		}
		c.Data = data // as the parts have it
	}
	if c.Shard != "" && c.Scores == "" {
		return usagef("--shard: say with --scores which file the scores go to")
	}
	if c.Scores != "" {
		if err := checkFree(c.Scores, c.Force); err != nil {
			return err
		}
	}
	config, err := c.config()
	if err != nil {
		return usageError{err}
	}
	if err := c.checkModel(config); err != nil {
		return err
	}
	how := c.engine(s, int(c.Threads)).For(config.Experiment.Train)
	if c.Slurm == 0 { // else it is for the parts: this machine need not have it
		how.ISA = c.ISA
	}
	e, err := how.New(ctx, 0)
	if err != nil {
		return usageError{err}
	}
	defer e.Close()
	p := progress.New(s.err)
	defer p.End()
	phases := map[string]float64{"open": 0, "load": 0, "train": 0.1, "score": 0.6, "propose": 0.95} // where each begins, roughly
	loss := 0.0
	q, err := worklist.Open(ctx, e, config, func(w worklist.Progress) {
		text := fmt.Sprintf("%s %d/%d", map[string]string{"open": "open", "load": "case", "train": "training step", "score": "slice", "propose": "proposals of case"}[w.Phase], w.Done, w.Of)
		if w.Phase == "train" {
			loss += (w.Loss - loss) * max(0.02, 1/float64(w.Done))
			text += fmt.Sprintf(", loss %.3f", loss)
		}
		p.Show(phases[w.Phase]+0.3*float64(w.Done)/float64(max(1, w.Of)), text)
	}, func(text string) { p.Line("%s", text) })
	if err == nil && c.Scores != "" {
		if err := q.CheckOutput(c.Scores); err != nil {
			return usagef("--scores: %w", err)
		}
	}
	if err == nil && c.Slurm != 0 {
		p.End()
		if there, err := c.onSlurm(ctx, s, q); err != nil || !there {
			return err
		}
		p = progress.New(s.err)
	}
	var r *worklist.Result
	if err == nil {
		r, err = q.Run(ctx)
	}
	p.End()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; the same command goes on where it was")
	}
	if _, wrong := errors.AsType[*record.ConfigError](err); wrong {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if c.Scores != "" {
		if r.Scores == "" {
			return usagef("--scores: %s scores nothing", r.Strategy)
		}
		if err := r.WriteScores(c.Scores); err != nil {
			return err
		}
	}
	return c.write(s.out, r)
}

// checkModel refuses flags that have no effect beside --model, which says itself what they would.
func (c queryCommand) checkModel(config worklist.Config) error {
	if c.Model == "" {
		return nil
	}
	for _, flag := range []struct {
		name  string
		given bool
	}{{"--preset", c.Preset != nil}, {"--set", len(c.Set) > 0}} {
		if flag.given && !config.Trains() {
			return usagef("%s and --model: nothing is trained with --model, so leave one of them out", flag.name)
		}
	}
	for _, flag := range []struct {
		name  string
		given bool
	}{{"--axis", c.Axis != "auto"}, {"--channel", c.Channel != nil}, {"--channels", c.Channels != ""}} {
		if flag.given {
			return usagef("%s and --model: the model decides that: leave %s out", flag.name, flag.name)
		}
	}
	return nil
}

func (c queryCommand) config() (worklist.Config, error) {
	experiment, err := record.ReadConfig("", func(config *record.Config) {
		config.Data, config.Ignore, config.Axis, config.Seed, config.Preset = c.Data, int(c.Ignore), c.Axis, c.Seed, "workstation"
		if c.Preset != nil {
			config.Preset = *c.Preset
		}
		if c.Channel != nil {
			config.Channel = *c.Channel
		}
		c.apply(&config.Channels, &config.Resample)
	})
	if err != nil {
		return worklist.Config{}, err
	}
	if err := setTraining(&experiment.Train, c.Set); err != nil {
		return worklist.Config{}, err
	}
	shard, err := worklist.ParseShard(c.Shard)
	if err != nil {
		return worklist.Config{}, fmt.Errorf("--shard: %w", err)
	}
	w := worklist.Config{
		Experiment: experiment, Model: c.Model, Strategy: c.Strategy, Size: c.Size, Labelled: c.Labelled, Only: c.Only, Exclude: c.Exclude,
		PerCase: c.PerCase, Shard: shard, Work: c.Work, Proposals: c.Proposals, Replace: c.Force,
	}
	return w, w.Validate()
}

// write prints the picks.
func (c queryCommand) write(out io.Writer, r *worklist.Result) error {
	switch {
	case c.JSON:
		if r.Picks == nil {
			r.Picks = []worklist.Pick{}
		}
		return writeJSON(out, r)
	case c.Shard != "":
		_, err := fmt.Fprintf(out, "%d slices of shard %s are scored: %s\npick with nextslice select --scores FILE, once for each shard's file\n", r.Scored, c.Shard, c.Scores)
		return err
	case c.CSV:
		return r.WriteCSV(out)
	}
	if err := r.WriteText(out); err != nil {
		return err
	}
	if c.Proposals != "" {
		fmt.Fprintf(out, "\nproposals: %s\n", c.Proposals)
	}
	return nil
}
