package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/nn/vae"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/train/recipe"
)

// VAAL is how a critic is trained that tells labelled slices from unlabelled ones.
type VAAL struct {
	Steps       int
	Adversarial float64 // λ, the weight of deceiving the discriminator beside reconstruction
	Augment     recipe.Augment

	// Ranks, if not nil, returns a number in (0, 1) of each image [C H W], augmented as it is: how hard it is for the network. Decoder and discriminator get it
	// (Kim, Park, Kim, Chun 2021, "Task-aware variational adversarial active learning", CVPR, arXiv 2002.04709).
	Ranks func(ctx context.Context, images [][]float32) ([]float64, error)
	// RawRank: the discriminator gets ln(r/(1 - r)) of each number r, which is the module's output where r is its sigmoid.
	RawRank bool
}

// Numbers of VAAL. Of the published code, for colour images of 32×32 pixels, are the rate, β and the latent numbers; ours are the mini-batch, there 128 of either, and the width, there 128. In each
// step there is one update of the autoencoder, there two.
const (
	vaalBatch  = 16 // labelled slices, and as many unlabelled ones
	vaalRate   = 5e-4
	vaalBeta   = 1
	vaalWidth  = 16
	vaalLatent = 32
)

// Critic is what RunVAAL trains. It is used by one goroutine at a time.
type Critic struct {
	Net           *vae.Net
	Discriminator *vae.Discriminator

	// Of the last step: reconstruction error and divergence, each the mean over the labelled slices plus that over the unlabelled ones, and the discriminator's
	// loss, 2 ln 2 where it tells nothing.
	R, KL, D float64

	h, w, channels int
	x              tensor.Tensor
	ranks          func(ctx context.Context, images [][]float32) ([]float64, error)
	more           []float32 // [N], the ranks of the mini-batch; nil without
	seen           []float32 // [N d+More], what the discriminator gets
	raw            bool      // the ranks that it gets are not brought to (0, 1)
}

// RunVAAL trains an autoencoder of slices and, against it, a discriminator that tells labelled from unlabelled ones by the latent mean. In each step the
// autoencoder is updated, by reconstruction and by the discriminator's being deceived, then the discriminator on the same slices. Labelled and unlabelled
// ones make one mini-batch, lest their statistics tell them apart, and are augmented alike.
//
// images are [C H W] each, those labelled first. Everything random comes from the streams "vaal-init", "vaal-order", "vaal-noise" and "vaal-augment" under
// seed. It ends with ctx's error; a loss that is not finite is an error.
//
// Source: Sinha, Ebrahimi, Darrell 2019, ICCV, arXiv 1904.00370.
func RunVAAL(ctx context.Context, e tensor.Engine, c VAAL, labelled, unlabelled [][]float32, h, w int, seed uint64, progress func(Progress)) (_ *Critic, err error) {
	defer tensor.Catch(&err)
	if len(labelled) == 0 || len(unlabelled) == 0 {
		return nil, fmt.Errorf("vaal tells labelled slices from unlabelled ones, and there are %d and %d", len(labelled), len(unlabelled))
	}
	k := newCritic(e, c.Ranks, len(labelled[0])/(h*w), h, w, seed)
	k.raw = c.RawRank
	vaeAdam, adam := nn.NewAdam(k.Net.Params(), 0), nn.NewAdam(k.Discriminator.Params(), 0)
	orders := [2]order{{rng: random.Stream(seed, "vaal-order", "labelled"), n: len(labelled)}, {rng: random.Stream(seed, "vaal-order", "unlabelled"), n: len(unlabelled)}}
	feed := newReducer(2*vaalBatch, c.Augment, len(labelled[0]), h, w, random.Stream(seed, "vaal-augment"))
	noise := random.Stream(seed, "vaal-noise")
	items := make([]int, vaalBatch)
	normal := make([]float32, 2*vaalBatch*k.Net.Config().Latent)
	weights, ones, sides := make([]float32, 2*vaalBatch), make([]float32, 2*vaalBatch), make([]float32, 2*vaalBatch)
	for i := range weights {
		weights[i], ones[i] = 1./vaalBatch, 1
		if i < vaalBatch {
			sides[i] = 1
		}
	}
	begin := time.Now()
	for step := range c.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k.resize(2 * vaalBatch)
		for side, images := range [][][]float32{labelled, unlabelled} {
			orders[side].take(items)
			for i, item := range items { // what is drawn is drawn in order
				feed.draw(side*vaalBatch+i, images[item])
			}
		}
		feed.write(k.x, e.Threads())
		if err := k.rank(ctx, feed.changed); err != nil {
			return nil, err
		}
		for i := range normal {
			normal[i] = float32(noise.NormFloat64())
		}
		loss := k.step(e, vaeAdam, adam, c.Adversarial, normal, weights, ones, sides)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("vaal: the loss of the autoencoder became %v in step %d of %d", loss, step+1, c.Steps)
		}
		if progress != nil {
			perStep := time.Since(begin) / time.Duration(step+1)
			progress(Progress{Step: step + 1, Of: c.Steps, Loss: loss, Left: perStep * time.Duration(c.Steps-step-1)})
		}
	}
	return k, nil
}

func newCritic(e tensor.Engine, ranks func(context.Context, [][]float32) ([]float64, error), channels, h, w int, seed uint64) *Critic {
	rows, columns := vae.ReducedSize(h, w)
	rng := random.Stream(seed, "vaal-init")
	more := 0
	if ranks != nil {
		more = 1
	}
	return &Critic{
		Net:           vae.New(e, vae.Config{H: rows, W: columns, Channels: channels, Width: vaalWidth, Latent: vaalLatent, More: more}, rng),
		Discriminator: vae.NewDiscriminator(vaalLatent+more, rng), h: h, w: w, channels: channels, ranks: ranks,
	}
}

// rank computes the ranks of the images of a mini-batch.
func (k *Critic) rank(ctx context.Context, images [][]float32) error {
	if k.ranks == nil {
		return nil
	}
	ranks, err := k.ranks(ctx, images)
	if err != nil {
		return err
	}
	k.more = k.more[:0]
	for _, r := range ranks {
		k.more = append(k.more, float32(r))
	}
	return nil
}

// judge returns the discriminator's logits of means [N d], with their ranks.
func (k *Critic) judge(means []float32) []float32 {
	if k.ranks == nil {
		return k.Discriminator.Forward(means)
	}
	d := k.Net.Config().Latent
	k.seen = k.seen[:0]
	for i, r := range k.more {
		if k.raw {
			r = logit(r)
		}
		k.seen = append(append(k.seen, means[i*d:(i+1)*d]...), r)
	}
	return k.Discriminator.Forward(k.seen)
}

// logit returns ln(p/(1 - p)), of a p from 0 to 1 within ±16: nearer to these float32 has next to no numbers.
func logit(p float32) float32 {
	x := math.Log(float64(p) / (1 - float64(p)))
	return float32(max(-16, min(16, x)))
}

func (k *Critic) resize(n int) {
	c := k.Net.Config()
	k.x.Resize(tensor.Shape{N: n, H: c.H, W: c.W, C: c.Channels})
}

// step updates the autoencoder and then the discriminator on k.x, and returns the autoencoder's loss.
func (k *Critic) step(e tensor.Engine, vaeAdam, adam *nn.Adam, adversarial float64, noise, weights, ones, sides []float32) float64 {
	deceived := k.vaeGradient(adversarial, noise, weights, ones)
	vaeAdam.Step(e, vaalRate)
	k.judge(k.Net.Encode(k.x, true))
	k.D = k.Discriminator.Loss(weights, sides)
	adam.Step(e, vaalRate)
	return deceived
}

// vaeGradient computes the gradient of the autoencoder's loss, which it returns: R + β·KL/P + λ·BCE(D(μ), 1).
func (k *Critic) vaeGradient(adversarial float64, noise, weights, ones []float32) float64 {
	c := k.Net.Config()
	k.Net.Forward(k.x, noise, k.more)
	k.judge(k.Net.Mean())
	fooled, dseen := k.Discriminator.LossOfInput(weights, ones)
	dmean, width := dseen, c.Latent+c.More
	if c.More > 0 { // no gradient flows into the ranks
		dmean = make([]float32, 0, len(weights)*c.Latent)
		for i := range weights {
			dmean = append(dmean, dseen[i*width:][:c.Latent]...)
		}
	}
	for i := range dmean {
		dmean[i] *= float32(adversarial)
	}
	k.R, k.KL = k.Net.Loss(weights, vaalBeta, dmean)
	return k.R + vaalBeta*k.KL/float64(c.H*c.W*c.Channels) + adversarial*fooled
}

// Scores returns minus the discriminator's logit of each image [C H W]: higher, the less it looks like the labelled ones. The logit, for its
// probability is 0 in float32 where the discriminator is sure. An image's score does not depend on the others.
func (k *Critic) Scores(ctx context.Context, images [][]float32) (_ []float64, err error) {
	defer tensor.Catch(&err)
	scores := make([]float64, 0, len(images))
	for begin := 0; begin < len(images); begin += 2 * vaalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some := images[begin:min(begin+2*vaalBatch, len(images))]
		k.resize(len(some))
		for i, image := range some {
			vae.Reduce(k.x.Items(i, i+1).Data, image, k.channels, k.h, k.w)
		}
		if err := k.rank(ctx, some); err != nil {
			return nil, err
		}
		for _, logit := range k.judge(k.Net.Encode(k.x, false)) {
			scores = append(scores, -float64(logit))
		}
	}
	return scores, nil
}

// Blind says of a critic that it is blind, see Spread.
const Blind = "the discriminator cannot tell labelled slices from unlabelled ones: this query is no better than random"

// Spread returns the standard deviation of a critic's scores, NaN of none, and whether the critic is blind: that of several scores is below 1e-3, a bound of ours.
func Spread(scores []float64) (spread float64, blind bool) {
	sum, squares, n := 0.0, 0.0, float64(len(scores))
	for _, v := range scores {
		sum, squares = sum+v, squares+v*v
	}
	spread = math.Sqrt(max(0, squares/n-sum*sum/n/n))
	return spread, len(scores) > 1 && spread < 1e-3
}
