//go:build !cgo

package onnxruntime

import "errors"

// Net is the network of an ONNX file; without cgo there is none.
type Net struct{ Input, Output Value }

// Load returns an error: this program was built without cgo, by which libraries are called.
func Load() error {
	return errors.New("this program was built without cgo (CGO_ENABLED=0) and cannot load ONNX Runtime, which runs networks of ONNX files: take one that was built with a C compiler")
}

// Open returns Load's error.
func Open(string, int) (*Net, error) { return nil, Load() }

// Metadata returns the value of a key of the file's metadata.
func (*Net) Metadata(string) (string, bool) { panic("onnxruntime: Net: built without cgo") }

// Run runs the network.
func (*Net) Run([]float32, [4]int) ([]float32, [4]int, error) {
	panic("onnxruntime: Net: built without cgo")
}

// Close frees the network.
func (*Net) Close() error { return nil }
