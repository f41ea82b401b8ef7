package onnxruntime

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/nextslice/nextslice/internal/python"
)

//go:embed worker.py
var program []byte

var module = python.Module{Name: "onnxruntime", Title: "ONNX Runtime"}

// process is a network in a Python of the user's.
type process struct {
	worker  *python.Worker
	version string
	output  string
	meta    map[string]string
}

// described is an input or output as the worker tells it.
type described struct {
	Name, Kind string
	Shape      []int64
}

// findPython returns the Python that runs networks. Its error says how to get one.
func findPython() (string, error) { return python.Find(context.Background(), module, "") }

// openProcess opens an ONNX file in a worker process.
func openProcess(path string, threads int) (*Net, error) {
	interpreter, err := findPython()
	if err != nil {
		return nil, err
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Version         string
		Inputs, Outputs []described
		Metadata        map[string]string
	}
	hello := map[string]any{"path": whole, "threads": threads}
	w, err := python.Start(context.Background(), interpreter, program, hello, &answer, python.Options{Late: "Python did not load it in time"})
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened by ONNX Runtime: %s", path, reason(err))
	}
	n := &Net{}
	if err := describe(n, path, answer.Inputs, answer.Outputs, described.value); err != nil {
		w.End()
		return nil, err
	}
	n.runner = &process{worker: w, version: answer.Version, output: n.Output.Name, meta: answer.Metadata}
	return n, nil
}

func (d described) value(what string) (Value, error) {
	if d.Kind == "" {
		return Value{}, fmt.Errorf("its %s %q is no tensor: want [N C H W]", what, d.Name)
	}
	return value(what, d.Name, d.Kind == "float", d.Kind, d.Shape)
}

func (p *process) metadata(key string) (string, bool) {
	value, ok := p.meta[key]
	return value, ok
}

func (p *process) run(x []float32, shape [4]int) (y []float32, out [4]int, err error) {
	if err := p.worker.Send(map[string]any{"shape": shape}, python.Bytes(x)); err != nil {
		return nil, out, err
	}
	var answer struct {
		Shape   [4]int
		Refused string
	}
	if err := p.worker.Receive(&answer); err != nil {
		return nil, out, err
	}
	if answer.Refused != "" {
		return nil, out, refused(p.version, shape, answer.Refused)
	}
	n := 1
	for _, side := range answer.Shape {
		if side < 0 || side > maxValues/max(1, n) {
			return nil, out, fmt.Errorf("the output %q is of shape %v", p.output, answer.Shape)
		}
		n *= side
	}
	y = make([]float32, n)
	return y, answer.Shape, p.worker.Read(python.Bytes(y))
}

// maxValues bounds an output.
const maxValues = 1 << 31

func (p *process) close() error {
	p.worker.End()
	return nil
}
