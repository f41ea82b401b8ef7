package train

import (
	"math/rand/v2"

	"github.com/nextslice/nextslice/internal/parallel"
	"github.com/nextslice/nextslice/nn/vae"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train/recipe"
)

// reducer makes mini-batches for an autoencoder: slices, augmented and then reduced to its size.
type reducer struct {
	augment          *augmenter
	from             [][]float32 // [C h w] each
	changes          []change
	changed, between [][]float32
}

// newReducer returns one for mini-batches of n slices of size numbers each.
func newReducer(n int, a recipe.Augment, size, h, w int, rng *rand.Rand) *reducer {
	r := &reducer{augment: newAugmenter(a, h, w, rng), from: make([][]float32, n), changes: make([]change, n)}
	for range n {
		r.changed, r.between = append(r.changed, make([]float32, size)), append(r.between, make([]float32, size))
	}
	return r
}

// draw makes an image slice i of the mini-batch and draws its change.
func (r *reducer) draw(i int, image []float32) {
	r.from[i] = image
	r.augment.draw(&r.changes[i], image)
}

// write writes the mini-batch to x [N H W C] and, as large as the slices are, to r.changed, on so many threads.
func (r *reducer) write(x tensor.Tensor, threads int) {
	h, w := r.augment.h, r.augment.w
	parallel.For(len(r.from), threads, func(n int) {
		r.changes[n].apply(slice{image: r.changed[n]}, slice{image: r.from[n]}, r.between[n], h, w)
		vae.Reduce(x.Items(n, n+1).Data, r.changed[n], x.C, h, w)
	})
}
