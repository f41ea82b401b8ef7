package experiment

import "github.com/nextslice/nextslice/tensor"

// NewEngine returns an engine for work outside of an experiment: ref or onednn, "" for the fastest that this program
// has, with 0 threads for all cores.
func NewEngine(name string, threads int) (tensor.Engine, error) {
	e, _, err := newEngine(name, threads)
	return e, err
}
