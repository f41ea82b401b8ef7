package main

import "fmt"

// engineFlag is the flag --engine.
type engineFlag struct {
	Engine string `default:"" enum:",native,ref,onednn" placeholder:"NAME" help:"Engine: native (compiled kernels, the default), or ref (plain Go, slow)."`
}

// name returns the engine's name, and tells who typed the former name of native what it is called now.
func (f engineFlag) name(s streams) string {
	if f.Engine != "onednn" {
		return f.Engine
	}
	fmt.Fprintln(s.err, "--engine onednn is now called native; the old name will go with the next release.")
	return "native"
}
