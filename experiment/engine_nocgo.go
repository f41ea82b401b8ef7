//go:build !cgo

package experiment

import (
	"fmt"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

// newEngine returns the engine of that name; this build has the plain-Go one only.
func newEngine(name string, threads int) (e tensor.Engine, detail string, err error) {
	switch name {
	case "", "ref":
		return ref.New(threads), "plain Go", nil
	case "onednn":
		return nil, "", fmt.Errorf("engine: this build has no onednn; install oneDNN and build with CGO_ENABLED=1, as `make` does")
	}
	return nil, "", fmt.Errorf("engine: want ref, got %q", name)
}
