package tensortest

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/tensor"
)

// dropoutAlike checks that with a period a pass is one network for all items: eight of one image have the same bits, whether it lies
// alone, first or last in a mini-batch. Without it they differ.
func dropoutAlike(s *suite) {
	for _, c := range []struct{ k, h, w, in, out int }{ // small and large enough for each of an engine's ways
		{3, 8, 8, 1, 16}, {3, 16, 16, 16, 16}, {3, 33, 31, 24, 16}, {3, 4, 4, 192, 64}, {1, 8, 8, 16, 3}, {3, 5, 7, 3, 2},
	} {
		one := s.random(tensor.Shape{N: 1, H: c.h, W: c.w, C: c.in}, false)
		eight := tensor.New(tensor.Shape{N: 8, H: c.h, W: c.w, C: c.in})
		for i := range 8 {
			copy(eight.Items(i, i+1).Data, one.Data)
		}
		w, b := s.randomSlice(c.k*c.k*c.in*c.out), s.randomSlice(c.out)
		conv := func(x tensor.Tensor, d tensor.Dropout) tensor.Tensor {
			y := tensor.New(tensor.Shape{N: x.N, H: c.h, W: c.w, C: c.out})
			s.e.Conv(tensor.Conv{K: c.k, Dropout: d}, y, x, w, b)
			return y
		}
		backward := func(dy tensor.Tensor, d tensor.Dropout) tensor.Tensor { // w is large enough for both directions
			dx := tensor.New(tensor.Shape{N: dy.N, H: c.h, W: c.w, C: c.out})
			s.e.ConvBackwardData(tensor.Conv{K: c.k, Dropout: d}, dx, dy, w)
			return dx
		}
		pool := func(x tensor.Tensor, d tensor.Dropout) tensor.Tensor {
			y := tensor.New(tensor.Shape{N: x.N, H: c.h / 2, W: c.w / 2, C: c.in})
			s.e.MaxPool(tensor.Pool{Dropout: d}, y, make([]uint8, y.Len()), x)
			return y
		}
		for _, op := range []struct {
			name    string
			run     func(tensor.Tensor, tensor.Dropout) tensor.Tensor
			dropped int // elements of an item
		}{
			{"Conv", conv, c.h * c.w * c.in},
			{"ConvBackwardData", backward, c.h * c.w * c.out},
			{"MaxPool", pool, (c.h / 2) * (c.w / 2) * c.in},
		} {
			name := fmt.Sprintf("%s %+v", op.name, c)
			alone := op.run(one, tensor.Dropout{P: 0.5, Seed: 7, Period: op.dropped})
			alike, apart := op.run(eight, tensor.Dropout{P: 0.5, Seed: 7, Period: op.dropped}), op.run(eight, tensor.Dropout{P: 0.5, Seed: 7})
			for i := range 8 {
				if !slices.EqualFunc(alike.Items(i, i+1).Data, alone.Data, sameBits) {
					s.Errorf("%s: item %d of eight equal ones has other bits than the image alone", name, i)
				}
			}
			if slices.Equal(apart.Items(0, 1).Data, apart.Items(7, 8).Data) {
				s.Errorf("%s: without a period two items have one mask", name)
			}
		}
	}
}
