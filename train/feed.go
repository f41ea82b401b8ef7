package train

import (
	"fmt"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
)

// feed makes the mini-batches of a training: an endless chain of permutations of the items, each changed at random.
// The mini-batches are reused: one is valid until the next.
type feed struct {
	augment *augmenter
	data    Set
	order   order
	items   []int
	x       tensor.Tensor // [batch H W 1]
	target  []uint8       // [batch H W]
}

func newFeed(c Config, data Set, seed uint64) *feed {
	return &feed{
		augment: newAugmenter(c.Augment, data.H, data.W, random.Stream(seed, "augment")),
		data:    data,
		order:   order{rng: random.Stream(seed, "order"), n: len(data.Images)},
		items:   make([]int, c.Batch),
		x:       tensor.New(tensor.Shape{N: c.Batch, H: data.H, W: data.W, C: 1}),
		target:  make([]uint8, c.Batch*data.H*data.W),
	}
}

// next returns a mini-batch.
func (f *feed) next() (x tensor.Tensor, target []uint8) {
	f.order.take(f.items)
	pixels := f.data.H * f.data.W
	for i, item := range f.items {
		begin, end := i*pixels, (i+1)*pixels
		f.augment.apply(slice{f.x.Data[begin:end], f.target[begin:end]}, slice{f.data.Images[item], f.data.Labels[item]})
	}
	return f.x, f.target
}

// demandShape panics unless s has slices, all of one size.
func (s Set) demandShape(function string) {
	if len(s.Images) == 0 || len(s.Images) != len(s.Labels) {
		panic(fmt.Sprintf("train: %s: %d images and %d masks", function, len(s.Images), len(s.Labels)))
	}
	for i := range s.Images {
		if len(s.Images[i]) != s.H*s.W || len(s.Labels[i]) != s.H*s.W {
			panic(fmt.Sprintf("train: %s: slice %d: want %d pixels, got %d and a mask of %d", function, i, s.H*s.W, len(s.Images[i]), len(s.Labels[i])))
		}
	}
}
