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
	pseudo  order // of the slices with pseudo-labels
	items   []int
	x       tensor.Tensor // [batch H W C]
	target  []uint8       // [batch H W]
	changed []float32     // an image, [C H W]
}

func newFeed(c Config, data Set, seed uint64) *feed {
	return &feed{
		augment: newAugmenter(c.Augment, data.H, data.W, random.Stream(seed, "augment")),
		data:    data,
		order:   order{rng: random.Stream(seed, "order"), n: len(data.Images) - data.Pseudo},
		pseudo:  order{rng: random.Stream(seed, "pseudo-order"), n: data.Pseudo},
		items:   make([]int, c.Batch),
		x:       tensor.New(tensor.Shape{N: c.Batch, H: data.H, W: data.W, C: data.channels()}),
		changed: make([]float32, len(data.Images[0])),
		target:  make([]uint8, c.Batch*data.H*data.W),
	}
}

// next returns a mini-batch.
func (f *feed) next() (x tensor.Tensor, target []uint8) {
	labelled := len(f.items)
	if f.data.Pseudo > 0 {
		labelled -= labelled / 2
		f.pseudo.take(f.items[labelled:])
		for i := labelled; i < len(f.items); i++ {
			f.items[i] += f.order.n
		}
	}
	f.order.take(f.items[:labelled])
	pixels := f.data.H * f.data.W
	for i, item := range f.items {
		f.augment.apply(slice{f.changed, f.target[i*pixels : (i+1)*pixels]}, slice{f.data.Images[item], f.data.Labels[item]})
		tensor.Interleave(f.x.Items(i, i+1).Data, f.changed, f.x.C)
	}
	return f.x, f.target
}

// merged returns the classes that nobody has looked for in the items of the mini-batch, [batch Classes]; nil where there are none.
func (f *feed) merged() (m []bool) {
	for i, item := range f.items {
		if f.data.Unannotated == nil || f.data.Unannotated[item] == nil {
			continue
		}
		if m == nil {
			m = make([]bool, len(f.items)*f.data.Classes)
		}
		copy(m[i*f.data.Classes:(i+1)*f.data.Classes], f.data.Unannotated[item])
	}
	return m
}

// demandShape panics unless s has slices, all of one size.
func (s Set) demandShape(function string) {
	if len(s.Images) == 0 || len(s.Images) != len(s.Labels) {
		panic(fmt.Sprintf("train: %s: %d images and %d masks", function, len(s.Images), len(s.Labels)))
	}
	if s.Unannotated != nil && len(s.Unannotated) != len(s.Images) {
		panic(fmt.Sprintf("train: %s: %d slices, and what is not annotated of %d", function, len(s.Images), len(s.Unannotated)))
	}
	if s.Pseudo < 0 || s.Pseudo >= len(s.Images) {
		panic(fmt.Sprintf("train: %s: pseudo-labels of %d of %d slices", function, s.Pseudo, len(s.Images)))
	}
	want := max(1, s.channels()) * s.H * s.W
	for i := range s.Images {
		if len(s.Images[i]) != want || len(s.Labels[i]) != s.H*s.W {
			panic(fmt.Sprintf("train: %s: slice %d: want %d values and a mask of %d, got %d and %d", function, i, want, s.H*s.W, len(s.Images[i]), len(s.Labels[i])))
		}
	}
}

// channels returns the number of channels of the images.
func (s Set) channels() int { return len(s.Images[0]) / (s.H * s.W) }
