package main

import (
	"context"
	"fmt"

	"github.com/nextslice/nextslice/cmd/nextslice/internal/progress"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/record"
)

type phantomCommand struct {
	Dir      string `arg:"" placeholder:"DIR" help:"New folder for the data set."`
	Cases    int    `default:"${cases}" placeholder:"N" help:"Number of cases."`
	Channels int    `default:"1" placeholder:"N" help:"Sequences of each case: 1 (T2), or 2 (T2 and proton density, in nnU-Net's layout)."`
	Seed     uint64 `default:"${phantomSeed}" placeholder:"N" help:"Seed of the cases."`
}

func (phantomCommand) Help() string {
	return `Writes synthetic prostate-like T2 volumes with exact masks, in the layout of the Medical Segmentation Decathlon: the data
that "nextslice simulate" uses by itself.

Examples:
  nextslice phantom phantom
  nextslice inspect phantom
  nextslice phantom two --channels 2`
}

func (c phantomCommand) Run(ctx context.Context, s streams) error {
	if c.Cases < 1 {
		return usagef("--cases %d: want at least 1", c.Cases)
	}
	if c.Channels < 1 || c.Channels > 2 {
		return usagef("--channels %d: want 1 or 2", c.Channels)
	}
	p := progress.New(s.err)
	err := phantom.WriteChannels(ctx, c.Dir, c.Cases, c.Channels, c.Seed, func(done, total int) {
		p.Show(float64(done)/float64(total), fmt.Sprintf("case %d/%d", done, total))
	})
	p.End()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "wrote %d cases to %s\n", c.Cases, c.Dir)
	return nil
}

// phantomDefaults are the defaults of the flags above: the data set of a simulation.
func phantomDefaults() map[string]string {
	return map[string]string{"cases": fmt.Sprint(record.PhantomCases), "phantomSeed": fmt.Sprint(record.PhantomSeed)}
}
