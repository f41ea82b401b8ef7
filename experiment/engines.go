package experiment

import (
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
)

// BuiltEngine returns the environment with the engine that this program uses by itself, on one thread.
func BuiltEngine() (record.Env, error) {
	engines, env, err := newEngines("", 1, 1)
	for _, e := range engines {
		e.Close()
	}
	env.Threads = 0
	return env, err
}

// newEngines returns an engine per job, and the environment with the engines' part filled in.
func newEngines(name string, threads, jobs int) ([]tensor.Engine, record.Env, error) {
	var engines []tensor.Engine
	env := record.Environment()
	for range jobs {
		e, detail, err := newEngine(name, threads)
		if err != nil {
			for _, e := range engines {
				e.Close()
			}
			return nil, record.Env{}, err
		}
		engines = append(engines, e)
		env.Engine, env.Detail, env.Threads = e.Name(), detail, e.Threads()
	}
	return engines, env, nil
}
