package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/train/recipe"
)

type trainCommand struct {
	Data string `required:"" placeholder:"DIR" help:"Folder of the labelled data set, or phantom (synthetic volumes)."`
	Out  string `required:"" placeholder:"FILE" help:"Model to write: NAME.safetensors."`

	Preset string   `default:"workstation" placeholder:"NAME" help:"Training preset: paper, workstation (the default), quick or demo; see the presets command."`
	Set    []string `sep:"none" placeholder:"KEY=VALUE" help:"Other value of one hyper-parameter of the preset, such as steps=4000; may be repeated."`
	channelsFlags
	Channel int        `default:"0" placeholder:"N" help:"Channel to read of images that hold several (4-D files, nnU-Net's X_0001), from 0."`
	Ignore  labelValue `default:"0" placeholder:"VALUE" help:"Label value that carries no loss; else the label ignore of dataset.json."`
	nanFlag
	Axis string `default:"auto" enum:"auto,i,j,k" placeholder:"AXIS" help:"Index axis that slices are cut across: i, j, k or auto."`
	Seed uint64 `default:"0" placeholder:"N" help:"Seed of everything random."`
	engineFlag
	Threads threadCount `default:"0" placeholder:"N" help:"Threads; 0 is all cores."`
	Force   bool        `help:"Replace the model if it is there."`
}

func (trainCommand) Help() string {
	return `Trains one network on all slices of the cases that have a mask. The model is one file: weights, how slices are made, and what
the classes are called; the predict command needs nothing else. Ctrl-C ends the training without a model.

To learn how good such a model is, hold cases back: compare its masks of cases that it has not seen with the evaluate command,
or use simulate.

Examples:
  nextslice train --data DIR --out prostate.safetensors
  nextslice train --data DIR --out prostate.safetensors --preset quick --set steps=4000 --set learning-rate.peak=1e-3`
}

func (c trainCommand) Run(ctx context.Context, s streams) error {
	if !strings.HasSuffix(c.Out, ".safetensors") {
		return usagef("--out %s: want a name that ends in .safetensors", c.Out)
	}
	if err := checkFree(c.Out, c.Force); err != nil {
		return err
	}
	config, err := c.config()
	if err != nil {
		return usageError{err}
	}
	e, err := c.engine(s, int(c.Threads)).For(config.Train).New(ctx, 0)
	if err != nil {
		return usageError{err}
	}
	defer e.Close()
	p := progress.New(s.err)
	defer p.End()
	loss := 0.0
	m, err := experiment.TrainModel(ctx, e, config, func(event experiment.Event) {
		if event.Loss != 0 {
			loss += (event.Loss - loss) * max(0.02, 1/float64(event.Done)) // a mean that forgets the beginning
			p.Show(event.Fraction, fmt.Sprintf("step %d/%d, loss %.3f", event.Done, event.Of, loss))
			return
		}
		p.Show(0, event.String())
	}, func(text string) { p.Line("%s", text) })
	p.End()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted: no model was written")
	}
	if _, wrong := errors.AsType[*record.ConfigError](err); wrong {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if err := m.Save(c.Out); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s, trained on %d slices of %d cases, loss %.3f\n", c.Out, strings.Join(m.Classes[1:], ", "), m.Slices, m.Cases, loss)
	return nil
}

func (c trainCommand) config() (record.Config, error) {
	config, err := record.ReadConfig("", func(config *record.Config) {
		config.Data, config.Channel, config.Ignore, config.Axis, config.Preset, config.Seed = c.Data, c.Channel, int(c.Ignore), c.Axis, c.Preset, c.Seed
		c.apply(&config.Channels, &config.Resample)
		c.set(&config.NaN)
	})
	if err != nil {
		return config, err
	}
	if err := setTraining(&config.Train, c.Set); err != nil {
		return config, err
	}
	return config, config.Validate()
}

// setTraining changes hyper-parameters by settings KEY=VALUE.
func setTraining(config *recipe.Config, settings []string) error {
	for _, setting := range settings {
		key, value, ok := strings.Cut(setting, "=")
		if !ok {
			return fmt.Errorf("--set %s: want KEY=VALUE", setting)
		}
		if err := record.Set(config, key, value); err != nil {
			return fmt.Errorf("--set %s: %w", setting, err)
		}
	}
	return nil
}
