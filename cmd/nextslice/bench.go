//go:build cgo

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nextslice/nextslice/internal/bench"
	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/tensor/native"
)

type benchCommand struct {
	Width   int         `help:"Width of the network." default:"16"`
	Size    int         `help:"Height and width of the slices." default:"128"`
	Batch   int         `help:"Slices per training step." default:"4"`
	Items   int         `help:"Slices that the strategies query." default:"64"`
	Threads threadCount `help:"Threads; 0 is all cores." default:"0"`
	Rounds  int         `help:"Repetitions; figures are medians." default:"10"`
	Queries bool        `help:"Only the queries: what each strategy costs, and its peak memory."`
	Library bool        `help:"Convolutions by oneDNN, in a build with -tags onednn, to compare the engine's own with."`
	JSON    bool        `help:"Write JSON."`
}

func (benchCommand) Help() string {
	return `Measures the machine's ceilings (multiply-adds per second, memory bandwidth) on one thread and on all, where the time of
a training step and of an inference pass goes, layer by layer, and how long a query by each strategy takes. The time of a
convolution includes packing its weights and its input. Run it on a machine that does nothing else.

Examples:
  nextslice bench
  nextslice bench --width 64 --size 128 --threads 1
  nextslice bench --queries --items 1000 --size 64 --rounds 1
  nextslice bench --library --json`
}

func (c benchCommand) Run(ctx context.Context, s streams) error {
	if c.Size < 1<<unet.Levels || c.Batch < 1 || c.Items < 1 || c.Rounds < 1 {
		return usagef("bench: want positive numbers and a size of at least %d", 1<<unet.Levels)
	}
	if err := (unet.Config{Classes: 2, Width: c.Width}).Validate(); err != nil {
		return usagef("bench: --%v", err)
	}
	kernels := native.Winograd
	if c.Library {
		kernels = native.Library
	}
	e, err := native.NewWith(int(c.Threads), native.Options{Kernels: kernels})
	if err != nil {
		return err
	}
	defer e.Close()
	var ceilings []native.Ceilings
	for _, threads := range []int{1, int(c.Threads)} {
		e, err := native.New(threads)
		if err != nil {
			return err
		}
		ceilings = append(ceilings, e.Ceilings(300*time.Millisecond))
		e.Close()
	}
	report, err := bench.Run(ctx, e, bench.Options{
		NetWidth: c.Width, Height: c.Size, Width: c.Size, Batch: c.Batch, Items: c.Items, Rounds: c.Rounds, QueriesOnly: c.Queries,
		Progress: func(what string) { fmt.Fprintln(s.err, "measuring:", what) },
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, struct {
			ISA      string            `json:"isa"`
			Compiler string            `json:"compiler"`
			Library  string            `json:"library,omitempty"`
			Ceilings []native.Ceilings `json:"ceilings"`
			bench.Report
		}{e.ISA(), e.Compiler(), e.Library(), ceilings, report})
	}
	for _, l := range ceilings {
		fmt.Fprintf(s.out, "ceiling of %d threads: %.0f GFLOP/s, %.1f GB/s (%s)\n", l.Threads, l.FLOP/1e9, l.Bandwidth/1e9, e.ISA())
	}
	fmt.Fprintln(s.out)
	return report.WriteText(s.out, ceilings[1].FLOP)
}
