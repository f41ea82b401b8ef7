package experiment

import (
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
)

// EnvironmentOf describes this program, the machine and the engine that computes.
func EnvironmentOf(e tensor.Engine) record.Env {
	env, d := record.Environment(), engines.Describe(e)
	env.Engine, env.InstructionSet, env.Compiler, env.Threads = d.Engine, d.ISA, d.Compiler, d.Threads
	return env
}

// newEngines returns an engine per job.
func newEngines(name string, threads, jobs int) (made []tensor.Engine, err error) {
	for range jobs {
		e, err := engines.New(name, threads)
		if err != nil {
			for _, e := range made {
				e.Close()
			}
			return nil, err
		}
		made = append(made, e)
	}
	return made, nil
}
