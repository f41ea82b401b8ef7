package unettest

import (
	"testing"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
)

func TestRef(t *testing.T) {
	Run(t, func(threads int) tensor.Engine { return ref.New(threads) })
}
