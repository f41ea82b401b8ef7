package onnxruntime

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Net is the network of an ONNX file. It is used by one goroutine at a time.
type Net struct {
	Input, Output Value

	runner runner
}

// runner is a network where it is run: by the library in this process, or in another one.
type runner interface {
	metadata(key string) (string, bool)
	run(x []float32, shape [4]int) (y []float32, out [4]int, err error)
	close() error
}

// Load makes ready what runs networks. Its error says how to get it.
func Load() error {
	if loadable() {
		return load()
	}
	_, err := findPython()
	return err
}

// Open opens an ONNX file, to be run on so many threads; 0 is all cores. A network with other inputs and outputs than those of the package is an error, and
// so is a missing ONNX Runtime.
func Open(path string, threads int) (*Net, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	if loadable() {
		return openLibrary(path, threads)
	}
	return openProcess(path, threads)
}

// Metadata returns the value of a key of the file's metadata.
func (n *Net) Metadata(key string) (value string, ok bool) { return n.runner.metadata(key) }

// Run returns the output for x of a shape [N C H W], and the output's shape. What ONNX Runtime refuses, such as a size that the
// network cannot take, is an error.
func (n *Net) Run(x []float32, shape [4]int) (y []float32, out [4]int, err error) {
	return n.runner.run(x, shape)
}

// Close frees the network.
func (n *Net) Close() error { return n.runner.close() }

// describe takes over the input and the first output; further ones are those of deep supervision.
func describe[T any](n *Net, path string, inputs, outputs []T, valueOf func(T, string) (Value, error)) (err error) {
	switch {
	case len(inputs) != 1:
		return fmt.Errorf("%s: its network has %d inputs: want one, of images", path, len(inputs))
	case len(outputs) == 0:
		return fmt.Errorf("%s: its network has no output", path)
	}
	if n.Input, err = valueOf(inputs[0], "input"); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n.Output, err = valueOf(outputs[0], "output"); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// refused is the error of a run.
func refused(version string, shape [4]int, said string) error {
	return fmt.Errorf("ONNX Runtime %s cannot run the network on images of %d x %d: %s", version, shape[2], shape[3], reason(errors.New(said)))
}

// source is where in ONNX Runtime's source an error arose.
var source = regexp.MustCompile(`\S*/\S+\.(cc|h):\d+ \S.*?\) ?`)

// code is how its Python package begins an error.
var code = regexp.MustCompile(`^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : `)

// reason returns what ONNX Runtime says, as one line.
func reason(err error) string {
	text := err.Error()
	for _, prefix := range []string{"Error running network: ", "Error creating C session from file: ", "Error loading temporary session: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	text = code.ReplaceAllString(text, "")
	return strings.Join(strings.Fields(source.ReplaceAllString(text, "")), " ")
}
