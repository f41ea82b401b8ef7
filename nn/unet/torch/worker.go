package torch

import (
	"context"
	_ "embed"

	"github.com/nextslice/nextslice/internal/python"
	"github.com/nextslice/nextslice/tensor"
)

//go:embed worker.py
var program []byte

// hello is the first frame, and what the worker answers.
type hello struct {
	Device    string `json:"device"`
	Job       int    `json:"job"`
	Precision string `json:"precision"`
	Eager     bool   `json:"eager"`
	Threads   int    `json:"threads"`

	Torch string `json:"torch,omitempty"`
	Name  string `json:"name,omitempty"`
	Graph bool   `json:"graph,omitempty"`
}

// worker is a running process. send and receive panic with a *tensor.EngineError, after which it has ended.
type worker struct {
	*python.Worker
	hello hello
}

// start starts a worker, tells started of it, and waits until it has its device.
func start(ctx context.Context, path string, h hello, started func(*worker)) (*worker, error) {
	w := &worker{}
	_, err := python.Start(ctx, path, program, h, &w.hello, python.Options{
		Env:  []string{"CUBLAS_WORKSPACE_CONFIG=:4096:8"},
		Late: "PyTorch was not loaded in time",
		Started: func(process *python.Worker) {
			w.Worker = process
			started(w)
		},
	})
	return w, err
}

func (w *worker) send(header any, arrays ...[]byte) { check(w.Send(header, arrays...)) }

func (w *worker) receive(header any, arrays ...[]byte) { check(w.Receive(header, arrays...)) }

// alive reports whether the process can be asked; a nil worker cannot.
func (w *worker) alive() bool { return w != nil && w.Alive() }

func check(err error) {
	if err != nil {
		panic(&tensor.EngineError{Op: "PyTorch", Status: err.Error()})
	}
}
