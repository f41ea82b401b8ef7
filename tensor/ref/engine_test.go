package ref_test

import (
	"testing"

	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/tensor/tensortest"
)

func TestEngine(t *testing.T) {
	tensortest.Run(t, func(threads int) tensor.Engine { return ref.New(threads) })
}
