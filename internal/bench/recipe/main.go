// Recipe trains variants of a preset on a fixed number of labelled slices and prints the test Dice of each: the
// measurements behind train/recipe/presets.yaml.
//
//	go run ./internal/bench/recipe -data DIR -labels 100 -seeds 2 'base' 'lr=3e-3 steps=1000' 'canvas=96 width=16 dropout=0.2'
//
// A variant is a list of KEY=VALUE that change the preset: canvas, lr (the peak of the learning rate, which begins at a
// twenty-fifth of it), or a hyper-parameter as a configuration file calls it, such as steps or augment.rotate; seed is that of
// the training alone. The same held-back cases and the same random slices serve all variants of a seed.
//
// With -figure FILE it draws what was measured, studies/recipes/recipes.csv: the Dice against the steps.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor/native"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
)

func main() {
	data := flag.String("data", "", "data set `folder`")
	preset := flag.String("preset", "quick", "preset to change")
	labels := flag.Int("labels", 100, "labelled slices")
	test := flag.Int("test", 10, "held-back cases")
	seeds := flag.Int("seeds", 1, "trainings per variant")
	threads := flag.Int("threads", 1, "engine threads")
	figure := flag.String("figure", "", "draw the curves of studies/recipes/recipes.csv to this `file` instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *figure != "" {
		if err := drawCurves("studies/recipes/recipes.csv", *figure); err != nil {
			fmt.Fprintln(os.Stderr, "recipe:", err)
			os.Exit(1)
		}
		return
	}
	fmt.Println("seed labels loss dice_3d dice_2d hd95 train_s eval_s variant")
	for seed := range *seeds {
		for _, variant := range flag.Args() {
			if err := run(ctx, *data, *preset, variant, *labels, *test, *threads, uint64(seed)); err != nil {
				fmt.Fprintln(os.Stderr, "recipe:", err)
				os.Exit(1)
			}
		}
	}
}

func run(ctx context.Context, dir, preset, variant string, labels, test, threads int, seed uint64) error {
	p, err := recipe.FindPreset(preset)
	if err != nil {
		return err
	}
	training := seed
	for field := range strings.FieldsSeq(variant) {
		if text, ok := strings.CutPrefix(field, "seed="); ok {
			if training, err = strconv.ParseUint(text, 10, 64); err != nil {
				return err
			}
			continue
		}
		if err := change(&p, field); err != nil {
			return err
		}
	}
	set, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	split, err := set.Split(dataset.SplitConfig{Test: float64(test)}, random.Stream(0, "split"))
	if err != nil {
		return err
	}
	prep := set.Preprocess(2)
	if prep.Fit == "resize" {
		prep.Height, prep.Width = p.Canvas[0], p.Canvas[1]
	}
	pool, err := dataset.Load(ctx, set, split.Pool, prep, nil)
	if err != nil {
		return err
	}
	tests, err := dataset.Load(ctx, set, split.Test, prep, nil)
	if err != nil {
		return err
	}
	var cases []model.Case
	for _, index := range split.Test {
		ref, err := set.Reference(index)
		if err != nil {
			return err
		}
		first, n := tests.Range(index)
		cases = append(cases, model.Case{ID: set.Cases[index].ID, Grid: set.Cases[index].Grid, Images: tests.Images[first : first+n], Ref: ref})
	}
	s := train.Set{H: prep.Height, W: prep.Width, Classes: len(set.Classes)}
	for _, i := range random.Stream(seed, "labelled").Perm(len(pool.Items))[:labels] {
		s.Images, s.Labels = append(s.Images, pool.Images[i]), append(s.Labels, pool.Labels[i])
	}
	e, err := native.New(threads)
	if err != nil {
		return err
	}
	defer e.Close()
	begin := time.Now()
	r, err := train.Run(ctx, e, p.Train, s, training, nil)
	if err != nil {
		return err
	}
	trained := time.Since(begin)
	begin = time.Now()
	m, err := model.Network{Net: r.Net, Preprocess: prep}.Evaluate(ctx, cases, model.Evaluation{Classes: set.Classes})
	if err != nil {
		return err
	}
	fmt.Printf("%4d %6d %.3f %7.3f %7.3f %5.1f %7.1f %6.1f %s\n", seed, labels, last(r.Losses), m.Mean.Dice3D.Value, m.Mean.Dice2D.Value, m.Mean.HD95.Value, trained.Seconds(), time.Since(begin).Seconds(), variant)
	return nil
}

// last returns the mean loss of the last fifty steps.
func last(losses []float64) float64 {
	tail, sum := losses[max(0, len(losses)-50):], 0.0
	for _, l := range tail {
		sum += l
	}
	return sum / float64(len(tail))
}

func change(p *recipe.Preset, field string) error {
	key, text, _ := strings.Cut(field, "=")
	if key == "base" {
		return nil
	}
	switch key {
	case "canvas", "lr":
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q: want KEY=NUMBER", field)
		}
		if key == "canvas" {
			p.Canvas = [2]int{int(v), int(v)}
		} else {
			p.Train.LearningRate.First, p.Train.LearningRate.Peak = v/25, v
		}
		return nil
	}
	return record.Set(&p.Train, key, text)
}
