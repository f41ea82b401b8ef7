package experiment

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/dataset"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train"
	"github.com/nextslice/nextslice/volume"
)

// TrainModel trains a network on all slices of the cases of c.Data that have a mask, with the hyper-parameters and the
// canvas of a unit of c. progress, which may be nil, gets the phase and how far it is; notice what is wrong with cases.
func TrainModel(ctx context.Context, e tensor.Engine, c record.Config, progress func(Event), notice func(string)) (*model.Model, error) {
	if err := c.Validate(); err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	track := newTracker(progress)
	set, closeData, err := openData(ctx, c, track, notice)
	if err != nil {
		return nil, err
	}
	defer closeData()
	if err := c.CheckClasses(len(set.Classes)); err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	axis, err := volume.ParseAxis(c.Axis)
	if err != nil {
		return nil, &record.ConfigError{Err: err}
	}
	cases := set.Labelled()
	p := c.Preprocess(set, axis)
	slices, err := dataset.Load(ctx, set, cases, p, track.load)
	if err != nil {
		return nil, err
	}
	cases = used(set, cases, slices, notice)
	left := slices.LeftOut
	if slices = slices.Labelled(); len(slices.Items) == 0 {
		return nil, errors.New("no slice is labelled: there is nothing to learn")
	}
	info := model.Describe(set, cases, p)
	info.Refinement = c.Predict
	info.Preset, info.Slices, info.Channel = c.Preset, len(slices.Items), c.Channel
	for _, p := range append(set.LeftOut(), left...) {
		info.LeftOut = append(info.LeftOut, p.Case)
	}
	if n := len(info.LeftOut); n > 0 {
		notice(fmt.Sprintf("warning: left out: %d of %d cases (%s)", n, n+len(cases), strings.Join(info.LeftOut, ", ")))
	}
	data := train.Set{H: p.Height, W: p.Width, Classes: len(set.Classes), Images: slices.Images, Labels: slices.Labels, Unannotated: slices.Unannotated}
	what := fmt.Sprintf("%d slices of %d cases", info.Slices, info.Cases)
	r, err := train.Run(ctx, e, c.Train, data, random.Stream(c.Seed, "model").Uint64(), func(p train.Progress) {
		track.send(Event{Fraction: float64(p.Step) / float64(p.Of), Unit: what, Phase: phases[phaseTrain], Done: p.Step, Of: p.Of, Loss: p.Loss})
	})
	if err != nil {
		return nil, err
	}
	return &model.Model{Net: r.Net, Info: info}, nil
}

// model returns the learner's network with what a prediction needs.
func (l *learner) model() *model.Model {
	info := l.data.info
	info.Refinement = l.config.Predict
	info.Preset, info.Slices, info.Channel = l.config.Preset, len(l.labelled), l.config.Channel
	return &model.Model{Net: l.net.Net, Info: info}
}
