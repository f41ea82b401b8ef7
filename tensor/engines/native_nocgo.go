//go:build !cgo

package engines

import "github.com/nextslice/nextslice/tensor"

var newNative func(threads int, isa string) (tensor.Engine, error)
