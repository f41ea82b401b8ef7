//go:build cgo

package experiment

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/native"
	"github.com/nextslice/nextslice/tensor/ref"
)

// newEngine returns the engine of that name, the fast one for "", and what its results depend on.
func newEngine(name string, threads int) (e tensor.Engine, detail string, err error) {
	switch name {
	case "", "onednn":
		e, err := native.New(threads)
		if err != nil {
			return nil, "", err
		}
		return e, fmt.Sprintf("oneDNN %s, %s", native.Version(), e.ISA()), nil
	case "ref":
		return ref.New(threads), "plain Go", nil
	}
	return nil, "", fmt.Errorf("engine: want onednn or ref, got %q", name)
}
