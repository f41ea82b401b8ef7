//go:build !cgo

package main

import "errors"

type benchCommand struct{}

func (benchCommand) Run() error {
	return errors.New("bench: this build has no fast engine to measure; install a C++ compiler and build with `make build`")
}
