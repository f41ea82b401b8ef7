package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/metrics"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/native"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

// The parts of the cases that can be measured.
const (
	heldBack   = "held-back"
	validation = "validation"
)

// trial is one training and what its masks are measured on.
type trial struct {
	dataset, part string
	labels        int // slices; more than there are is all
	seed          uint64
	preset        recipe.Preset
	variant       string

	each func(c model.Case, pred *volume.Mask, axis int) // gets the masks of each outcome, the best refined ones last; may be nil
}

// outcome is the measurement of a training's masks, made in one way.
type outcome struct {
	preprocess.Refinement
	loss    float64 // the mean of the last fifty steps
	seconds float64 // of the training
	canvas  string
	steps   int
	summary metrics.Summary
}

// parts returns how many cases are held back, and how many of the others are for validation.
func parts(cases int) (held float64, other int) {
	if cases < 100 {
		return 10, 10
	}
	return 50, 30
}

// split returns the cases that are measured and those of the pool.
func (t trial) split(set *dataset.Dataset) (measured, pool []int, err error) {
	held, other := parts(len(set.Cases))
	split, err := set.Split(dataset.SplitConfig{Test: held}, random.Stream(0, "split"))
	if err != nil {
		return nil, nil, err
	}
	switch t.part {
	case heldBack:
		return split.Test, split.Pool, nil
	case validation:
		for i, k := range random.Stream(0, "validation").Perm(len(split.Pool)) {
			if i < other {
				measured = append(measured, split.Pool[k])
			} else {
				pool = append(pool, split.Pool[k])
			}
		}
		slices.Sort(measured)
		slices.Sort(pool)
		return measured, pool, nil
	}
	return nil, nil, fmt.Errorf("part: want %s or %s, got %q", heldBack, validation, t.part)
}

// run trains a network and measures its masks: with and without the largest component, and where the training mirrors slices with and
// without mirrored predictions.
func (t trial) run(ctx context.Context, data string, threads int) ([]outcome, error) {
	p := t.preset
	for field := range strings.FieldsSeq(t.variant) {
		if err := change(&p, field); err != nil {
			return nil, err
		}
	}
	set, err := dataset.Open(filepath.Join(data, t.dataset))
	if err != nil {
		return nil, err
	}
	measured, poolCases, err := t.split(set)
	if err != nil {
		return nil, err
	}
	prep := set.PreprocessFor(2, p.Canvas, nil)
	prep.Input = p.Input
	if prep.Fit == preprocess.Pad {
		prep.Crop = 0
	}
	pool, err := dataset.Load(ctx, set, poolCases, prep, nil)
	if err != nil {
		return nil, err
	}
	tests, err := dataset.Load(ctx, set, measured, prep, nil)
	if err != nil {
		return nil, err
	}
	if left := append(pool.LeftOut, tests.LeftOut...); len(left) > 0 {
		return nil, fmt.Errorf("a comparison of recipes needs all its cases: %v", left)
	}
	pool = pool.Labelled()
	var cases []model.Case
	for _, index := range measured {
		ref, err := set.Reference(index)
		if err != nil {
			return nil, err
		}
		first, n := tests.Range(index)
		cases = append(cases, model.Case{ID: set.Cases[index].ID, Grid: set.Cases[index].Grid, Images: tests.Images[first : first+n], Ref: ref})
	}
	s := train.Set{H: prep.Height, W: prep.Width, Classes: len(set.Classes)}
	for _, i := range random.Stream(t.seed, "labelled").Perm(len(pool.Items))[:min(t.labels, len(pool.Items))] {
		s.Images, s.Labels = append(s.Images, pool.Images[i]), append(s.Labels, pool.Labels[i])
	}
	e, err := native.New(threads)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	begin := time.Now()
	r, err := train.Run(ctx, e, p.Train, s, t.seed, nil)
	if err != nil {
		return nil, err
	}
	o := outcome{loss: last(r.Losses), seconds: time.Since(begin).Seconds(), canvas: fmt.Sprintf("%dx%d", prep.Height, prep.Width), steps: p.Train.Steps}
	var out []outcome
	for _, o.Mirror = range []bool{false, true} {
		for _, o.Largest = range []bool{false, true} {
			if o.Mirror && p.Train.Augment.Flip == 0 {
				continue
			}
			n := model.Network{Net: r.Net, Preprocess: prep, Refinement: o.Refinement}
			how := model.Evaluation{Classes: set.Classes, Case: func(c model.Case, pred *volume.Mask) error {
				if t.each != nil {
					t.each(c, pred, prep.Axis)
				}
				return nil
			}}
			if o.summary, err = n.Evaluate(ctx, cases, how); err != nil {
				return nil, err
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// last returns the mean loss of the last fifty steps.
func last(losses []float64) float64 {
	tail, sum := losses[max(0, len(losses)-50):], 0.0
	for _, l := range tail {
		sum += l
	}
	return sum / float64(len(tail))
}

// change changes one value of a preset.
func change(p *recipe.Preset, field string) error {
	key, text, _ := strings.Cut(field, "=")
	t, a := &p.Train, &p.Train.Augment
	if key == "base" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q: want KEY=NUMBER", field)
	}
	switch key {
	case "canvas":
		p.Canvas = [2]int{int(v), int(v)}
	case "width":
		t.Width = int(v)
	case "steps":
		t.Steps = int(v)
	case "batch":
		t.Batch = int(v)
	case "lr":
		t.LearningRate.First, t.LearningRate.Peak = v/25, v
	case "antialias":
		p.Input.Antialias = v > 0
	case "slices":
		p.Input.Stack = int(v)
	case "deep":
		t.Deep = v > 0
	default:
		to := map[string]*float64{
			"crop": &p.Input.Crop, "dropout": &t.Dropout, "warmup": &t.LearningRate.WarmUp, "smooth": &t.Loss.Smooth, "decay": &t.WeightDecay,
			"rotate": &a.Rotate, "scale": &a.Scale, "zoom": &a.Zoom, "shift": &a.Shift, "contrast": &a.Contrast,
			"brightness": &a.Brightness, "gamma": &a.Gamma, "flip": &a.Flip, "noise": &a.Noise,
		}[key]
		if to == nil {
			return fmt.Errorf("unknown key %q", key)
		}
		*to = v
	}
	return t.Validate()
}
