//go:build cgo

package unettest

import (
	"testing"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/native"
)

func TestNative(t *testing.T) {
	for name, o := range map[string]native.Options{
		"winograd": {}, "direct": {Kernels: native.Direct}, "library": {Kernels: native.Library},
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := native.NewWith(1, o); err == nil {
				e.Close()
			} else if o.Kernels == native.Library {
				t.Skip("this build has no oneDNN")
			}
			Run(t, func(threads int) tensor.Engine {
				e, err := native.NewWith(threads, o)
				if err != nil {
					t.Fatal(err)
				}
				return e
			})
		})
	}
}
