//go:build !cgo

package onnxruntime

// loadable reports that this program, built without cgo, cannot load a library.
func loadable() bool { return false }

func load() error { panic("onnxruntime: built without cgo") }

func openLibrary(string, int) (*Net, error) { panic("onnxruntime: built without cgo") }
