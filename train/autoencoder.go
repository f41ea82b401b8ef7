package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/vae"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train/recipe"
)

// Autoencoder is what RunAutoencoder trains. It is used by one goroutine at a time.
type Autoencoder struct {
	Net   *vae.Net
	R, KL float64 // reconstruction error and divergence, means over the slices of the last step

	h, w int
	x    tensor.Tensor
}

// RunAutoencoder trains the autoencoder of RunVAAL, without a discriminator and so without labels: as many slices a step, its optimiser, its loss
// R + KL/P as the mean over the slices.
//
// images are [C H W] each. Everything random comes from the streams "autoencoder-init", "autoencoder-order", "autoencoder-noise" and
// "autoencoder-augment" under seed. It ends with ctx's error; a loss that is not finite is an error.
func RunAutoencoder(ctx context.Context, e tensor.Engine, steps int, a recipe.Augment, images [][]float32, h, w int, seed uint64, progress func(Progress)) (_ *Autoencoder, err error) {
	defer tensor.Catch(&err)
	if len(images) == 0 {
		return nil, errors.New("an autoencoder learns from slices, and there are none")
	}
	const batch = 2 * vaalBatch
	rows, columns := vae.ReducedSize(h, w)
	c := vae.Config{H: rows, W: columns, Channels: len(images[0]) / (h * w), Width: vaalWidth, Latent: vaalLatent}
	k := &Autoencoder{Net: vae.New(e, c, random.Stream(seed, "autoencoder-init")), h: h, w: w}
	adam := nn.NewAdam(k.Net.Params(), 0)
	next := order{rng: random.Stream(seed, "autoencoder-order"), n: len(images)}
	feed := newReducer(batch, a, len(images[0]), h, w, random.Stream(seed, "autoencoder-augment"))
	noise := random.Stream(seed, "autoencoder-noise")
	items, normal, weights := make([]int, batch), make([]float32, batch*vaalLatent), make([]float32, batch)
	for i := range weights {
		weights[i] = 1. / batch
	}
	unmoved := make([]float32, len(normal)) // nothing else than the loss of the autoencoder moves the means
	begin := time.Now()
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k.resize(batch)
		next.take(items)
		for i, item := range items {
			feed.draw(i, images[item])
		}
		feed.write(k.x, e.Threads())
		for i := range normal {
			normal[i] = float32(noise.NormFloat64())
		}
		k.Net.Forward(k.x, normal, nil)
		k.R, k.KL = k.Net.Loss(weights, vaalBeta, unmoved)
		adam.Step(e, vaalRate)
		loss := k.R + vaalBeta*k.KL/float64(c.H*c.W*c.Channels)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("the loss of the autoencoder became %v in step %d of %d", loss, step+1, steps)
		}
		if progress != nil {
			perStep := time.Since(begin) / time.Duration(step+1)
			progress(Progress{Step: step + 1, Of: steps, Loss: loss, Left: perStep * time.Duration(steps-step-1)})
		}
	}
	return k, nil
}

func (k *Autoencoder) resize(n int) {
	c := k.Net.Config()
	k.x.Resize(tensor.Shape{N: n, H: c.H, W: c.W, C: c.Channels})
}

// Means returns the latent mean of each image [C H W], without augmentation. That of an image does not depend on the others.
func (k *Autoencoder) Means(ctx context.Context, images [][]float32) (means [][]float32, err error) {
	defer tensor.Catch(&err)
	const batch = 2 * vaalBatch
	for begin := 0; begin < len(images); begin += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some := images[begin:min(begin+batch, len(images))]
		k.resize(len(some))
		for i, image := range some {
			vae.Reduce(k.x.Items(i, i+1).Data, image, k.x.C, k.h, k.w)
		}
		flat := k.Net.Encode(k.x, false)
		for i := range some {
			means = append(means, append([]float32(nil), flat[i*vaalLatent:][:vaalLatent]...))
		}
	}
	return means, nil
}
