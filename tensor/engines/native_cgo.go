//go:build cgo

package engines

import (
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/native"
)

var newNative = func(threads int) (tensor.Engine, error) { return native.New(threads) }
