package train

import (
	"fmt"
	"sync"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/nn/unet"
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
	batch   unet.Batch
	threads int
	changes []change    // of the items
	scratch [][]float32 // of each item: an image [C H W] before and after its geometric change
}

func newFeed(c Config, data Set, seed uint64, threads int) *feed {
	f := &feed{
		augment: newAugmenter(c.Augment, data.H, data.W, random.Stream(seed, "augment")),
		data:    data,
		order:   order{rng: random.Stream(seed, "order"), n: len(data.Images) - data.Pseudo},
		pseudo:  order{rng: random.Stream(seed, "pseudo-order"), n: data.Pseudo},
		items:   make([]int, c.Batch),
		batch:   newBatch(c, data),
		threads: threads,
		changes: make([]change, c.Batch),
		scratch: make([][]float32, 2*c.Batch),
	}
	for i := range f.scratch {
		f.scratch[i] = make([]float32, len(data.Images[0]))
	}
	return f
}

func newBatch(c Config, data Set) unet.Batch {
	return unet.Batch{
		X:      tensor.New(tensor.Shape{N: c.Batch, H: data.H, W: data.W, C: data.channels()}),
		Target: make([]uint8, c.Batch*data.H*data.W),
	}
}

// next returns a mini-batch.
func (f *feed) next() unet.Batch {
	labelled := len(f.items)
	if f.data.Pseudo > 0 {
		labelled -= labelled / 2
		f.pseudo.take(f.items[labelled:])
		for i := labelled; i < len(f.items); i++ {
			f.items[i] += f.order.n
		}
	}
	f.order.take(f.items[:labelled])
	for i, item := range f.items { // what is drawn is drawn in order
		f.augment.draw(&f.changes[i], f.data.Images[item])
	}
	pixels := f.data.H * f.data.W
	parallel.For(len(f.items), f.threads, func(i int) {
		item, before, after := f.items[i], f.scratch[2*i], f.scratch[2*i+1]
		f.changes[i].apply(slice{after, f.batch.Target[i*pixels : (i+1)*pixels]}, slice{f.data.Images[item], f.data.Labels[item]}, before, f.data.H, f.data.W)
		tensor.Interleave(f.batch.X.Items(i, i+1).Data, after, f.batch.X.C)
	})
	f.batch.Merged = f.merged()
	return f.batch
}

// ahead returns a function that gives the same mini-batches as next, n of them, each prepared on another goroutine while the one before
// is in use. stop ends that goroutine.
func (f *feed) ahead(n int) (next func() unet.Batch, stop func()) {
	ready, free, ended := make(chan unet.Batch), make(chan unet.Batch, 2), make(chan struct{})
	for range 2 {
		free <- unet.Batch{X: tensor.New(f.batch.X.Shape), Target: make([]uint8, len(f.batch.Target))}
	}
	var end sync.WaitGroup
	end.Go(func() {
		for range n {
			select {
			case f.batch = <-free:
			case <-ended:
				return
			}
			select {
			case ready <- f.next():
			case <-ended:
				return
			}
		}
	})
	var used *unet.Batch
	next = func() unet.Batch {
		if used != nil {
			free <- *used
		}
		b := <-ready
		used = &b
		return b
	}
	return next, func() { close(ended); end.Wait() }
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
