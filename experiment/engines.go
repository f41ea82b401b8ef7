package experiment

import (
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
)

// EnvironmentOf describes this program, the machine and the engine that computes.
func EnvironmentOf(e tensor.Engine) record.Env {
	env := record.Environment()
	setEngine(&env, engines.Describe(e))
	return env
}

func setEngine(env *record.Env, d engines.Description) {
	env.Engine, env.InstructionSet, env.Compiler, env.Threads = d.Engine, d.ISA, d.Compiler, d.Threads
}

// newEngines returns an engine per job.
func newEngines(name, isa string, threads, jobs int) (made []tensor.Engine, err error) {
	for range jobs {
		e, err := engines.NewWith(name, threads, isa)
		if err != nil {
			closeAll(made)
			return nil, err
		}
		made = append(made, e)
	}
	return made, nil
}

func closeAll(engines []tensor.Engine) {
	for _, e := range engines {
		e.Close()
	}
}

// free returns engines to take one from and put it back.
func free(engines []tensor.Engine) chan tensor.Engine {
	c := make(chan tensor.Engine, len(engines))
	for _, e := range engines {
		c <- e
	}
	return c
}
