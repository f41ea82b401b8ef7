//go:build cgo

package engines

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/native"
)

var newNative = func(threads int, isa string) (tensor.Engine, error) {
	set, ok := map[string]native.ISA{"": native.Best, "baseline": native.Baseline, "avx2": native.AVX2, "avx512": native.AVX512, "amx": native.AMX}[isa]
	if !ok {
		return nil, fmt.Errorf("instruction set %q: want amx, avx512, avx2 or baseline", isa)
	}
	e, err := native.NewWith(threads, native.Options{ISA: set})
	if err != nil && isa != "" {
		return nil, fmt.Errorf("instruction set %s: %w", isa, err)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}
