package main

import (
	"fmt"

	"github.com/nextslice/nextslice/experiment"
)

// engineFlag are the flags that say what computes.
type engineFlag struct {
	Engine    string `default:"" placeholder:"NAME" help:"Engine: native (compiled kernels, the default), ref (plain Go, slow), or torch (your own PyTorch, for a GPU; torch:cuda:1 names the device). See docs/how-to/gpu.md."`
	Python    string `placeholder:"PATH" help:"Python with PyTorch, for --engine torch; without it NEXTSLICE_PYTHON, the active environment's, python3."`
	Precision string `default:"" enum:",exact,float32,tf32,bfloat16" placeholder:"NAME" help:"Arithmetic. Of the processor's engine: float32 (the default), or bfloat16 by the matrix unit of recent Intel processors (faster, less exact). Of --engine torch: tf32 (the default by CUDA), bfloat16 (fastest), float32, or exact (the same bits in every run, slow)."`
}

// name returns the engine's name, and tells who typed the former name of native what it is called now.
func (f engineFlag) name(s streams) string {
	if f.Engine != "onednn" {
		return f.Engine
	}
	fmt.Fprintln(s.err, "--engine onednn is now called native; the old name will go with the next release.")
	return "native"
}

// engine returns what computes, on so many threads; notices go to the error stream.
func (f engineFlag) engine(s streams, threads int) experiment.Engine {
	return experiment.Engine{
		Name: f.name(s), Threads: threads, Python: f.Python, Precision: f.Precision, Notice: func(text string) { fmt.Fprintln(s.err, text) },
	}
}
