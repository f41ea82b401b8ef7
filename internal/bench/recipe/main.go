// Recipe trains variants of a preset on a fixed number of labelled slices and measures their masks: the measurements behind
// train/recipe/presets.yaml. See docs/decisions/recipe-protocol.md.
//
//	go run ./internal/bench/recipe -data DIR -labels 100 -seeds 2 'base' 'lr=3e-3 steps=1000' 'canvas=96 width=16 dropout=0.2'
//
// A variant is a list of KEY=VALUE that change the preset: see change. The same cases and the same random slices serve all variants of
// a seed: 10 held-back cases, or with -part validation 10 others, which are then not in the pool.
//
// With -cases it prints a table of the measured cases instead: the Dice in each third of the reference's slices, and slices missed.
//
// With -queue FILE it carries out the trainings of a file one after the other, a line "DATASET PART LABELS SEED PRESET [KEY=VALUE …]"
// each, and appends what it measures to -table; those that the table has are left out, so it can be stopped and started. DATASET is a
// folder in -data.
//
// With -figure FILE it draws studies/recipes/recipes.csv: the Dice against the steps.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/nextslice/nextslice/train/recipe"
)

func main() {
	data := flag.String("data", "", "data set `folder`; with -queue the one above")
	preset := flag.String("preset", "quick", "preset to change")
	labels := flag.Int("labels", 100, "labelled slices")
	part := flag.String("part", heldBack, "cases that are measured: held-back, or validation")
	seeds := flag.Int("seeds", 1, "trainings per variant")
	threads := flag.Int("threads", 1, "engine threads")
	cases := flag.Bool("cases", false, "print each case")
	queue := flag.String("queue", "", "carry out the trainings of this `file`")
	table := flag.String("table", "studies/recipes/candidates.csv", "what -queue measures is appended to this `file`")
	figure := flag.String("figure", "", "draw the curves of studies/recipes/recipes.csv to this `file` instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *figure != "":
		err = drawCurves("studies/recipes/recipes.csv", *figure)
	case *queue != "":
		err = runQueue(ctx, *data, *queue, *table, *threads)
	default:
		print := trial.print
		if *cases {
			print = trial.printCases
		} else {
			fmt.Println("seed labels loss mirror largest dice_3d dice_2d hd95 train_s variant")
		}
		for seed := range *seeds {
			for _, variant := range flag.Args() {
				t := trial{dataset: filepath.Base(*data), part: *part, labels: *labels, seed: uint64(seed), variant: variant}
				if t.preset, err = recipe.FindPreset(*preset); err == nil {
					err = print(t, ctx, filepath.Dir(*data), *threads)
				}
				if err != nil {
					break
				}
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recipe:", err)
		os.Exit(1)
	}
}

func (t trial) print(ctx context.Context, data string, threads int) error {
	outcomes, err := t.run(ctx, data, threads)
	for _, o := range outcomes {
		m := o.summary.Mean
		fmt.Printf("%4d %6d %.3f %6v %7v %7.3f %7.3f %5.1f %7.1f %s\n", t.seed, t.labels, o.loss, o.Mirror, o.Largest,
			m.Dice3D.Value, m.Dice2D.Value, m.HD95.Value, o.seconds, t.variant)
	}
	return err
}
