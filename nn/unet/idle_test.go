package unet

import (
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
)

// idle is an engine that does nothing, so that what a pass allocates is the network's own.
type idle struct{ tensor.Engine }

type (
	tt = tensor.Tensor
	ff = []float32
)

func (idle) Conv(tensor.Conv, tt, tt, ff, ff)                  {}
func (idle) ConvBackwardData(tensor.Conv, tt, tt, ff)          {}
func (idle) ConvBackwardWeights(tensor.Conv, ff, ff, tt, tt)   {}
func (idle) Up(tt, tt, ff, ff)                                 {}
func (idle) UpBackwardData(tt, tt, ff)                         {}
func (idle) UpBackwardWeights(ff, ff, tt, tt)                  {}
func (idle) Norm(tensor.Norm, tt, tt)                          {}
func (idle) NormBackward(tensor.Norm, tt, tt, tt)              {}
func (idle) MaxPool(tensor.Pool, tt, []uint8, tt)              {}
func (idle) MaxPoolBackward(tensor.Pool, tt, tt, []uint8, tt)  {}
func (idle) NormPool(tensor.Norm, tt, []uint8, tt)             {}
func (idle) NormPoolBackward(tensor.Norm, tt, tt, []uint8, tt) {}
func (idle) Mean(ff, tt)                                       {}

func TestPassesAllocateNothing(t *testing.T) {
	n := New(idle{}, Config{Classes: 2, Width: 4, Dropout: 0.5}, random.Stream(1))
	x, d := images(2, 16, 16), tensor.New(tensor.Shape{N: 2, H: 16, W: 16, C: 2})
	for _, p := range []Pass{{Train: true, Dropout: true, Features: true}, {}, {Dropout: true}} {
		step := func() {
			n.Forward(x, p)
			if p.Train {
				n.Backward(d)
			}
		}
		step()
		if allocs := testing.AllocsPerRun(5, step); allocs != 0 {
			t.Errorf("%+v: %v allocations per pass", p, allocs)
		}
	}
}
