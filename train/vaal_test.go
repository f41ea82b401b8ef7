package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/tensor/ref"
)

// kinds returns slices with a disc on the left, or a striped one on the right.
func kinds(n, side int, odd bool, rng *rand.Rand) (images [][]float32) {
	for range n {
		image := make([]float32, side*side)
		s := float64(side)
		y, x, r := s*(0.4+0.2*rng.Float64()), s*(0.2+0.1*rng.Float64()), s*(0.1+0.05*rng.Float64())
		if odd {
			x = s - x
		}
		for i := range image {
			image[i] = float32(0.1 * rng.NormFloat64())
			if math.Hypot(float64(i/side)-y, float64(i%side)-x) < r && (!odd || i%side%4 < 2) {
				image[i] += 2
			}
		}
		images = append(images, image)
	}
	return images
}

func fast(t *testing.T) tensor.Engine {
	t.Helper()
	e, err := engines.New("", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// Of a pool in which one slice in ten is of a kind that nobody has labelled, the critic picks that kind: from the first seed on slices of
// 64×64 after 300 steps, from two more, which cost a tenth of it, on smaller ones.
func TestVAALFindsWhatIsNew(t *testing.T) {
	const usual, odd = 90, 10
	for seed := range uint64(3) {
		side, steps := 32, 120
		if seed == 0 {
			side, steps = 64, 300
		}
		rng := random.Stream(seed, "kinds")
		labelled := kinds(10, side, false, rng)
		unlabelled := append(kinds(usual, side, false, rng), kinds(odd, side, true, rng)...)
		k, err := RunVAAL(t.Context(), fast(t), VAAL{Steps: steps, Adversarial: 1}, labelled, unlabelled, side, side, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		scores, err := k.Scores(t.Context(), unlabelled)
		if err != nil {
			t.Fatal(err)
		}
		above := 0.0 // area under the ROC
		for _, s := range scores[usual:] {
			for _, u := range scores[:usual] {
				if s > u {
					above++
				}
			}
		}
		order := make([]int, len(scores))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			if scores[a] > scores[b] {
				return -1
			}
			return 1
		})
		found := 0
		for _, i := range order[:10] {
			if i >= usual {
				found++
			}
		}
		if auc := above / (usual * odd); auc < 0.95 || found < 9 {
			t.Errorf("seed %d: %d of 10 picks are new, area under the ROC %.3f; R %.3f, KL %.1f, D %.3f", seed, found, auc, k.R, k.KL, k.D)
		}
	}
}

// The same seed gives the same critic, whose scores of an item do not depend on those beside it; it ends when it is told to.
func TestVAALRepeats(t *testing.T) {
	rng := random.Stream(1)
	labelled, unlabelled := kinds(3, 16, false, rng), kinds(40, 16, true, rng)
	c := VAAL{Steps: 4, Adversarial: 1}
	c.Augment.Rotate, c.Augment.Noise, c.Augment.NoiseProbability = 10, 0.1, 0.5
	run := func(seed uint64) []float64 {
		k, err := RunVAAL(t.Context(), fast(t), c, labelled, unlabelled, 16, 16, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, err := k.Scores(t.Context(), unlabelled)
		if err != nil {
			t.Fatal(err)
		}
		one, err := k.Scores(t.Context(), unlabelled[35:36])
		if err != nil || one[0] != all[35] {
			t.Errorf("item 35 alone has the score %v, beside others %v; %v", one, all[35], err)
		}
		return all
	}
	if a, b, other := run(1), run(1), run(2); !slices.Equal(a, b) || slices.Equal(a, other) {
		t.Error("the same seed gives other scores, or another seed the same")
	}
	// Slices are changed on all threads, and are what one thread makes of them.
	var losses [2]float64
	for threads := range losses {
		e := ref.New(threads + 1)
		k, err := RunVAAL(t.Context(), e, c, labelled, unlabelled, 16, 16, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		losses[threads] = k.R + k.D
		e.Close()
	}
	if losses[0] != losses[1] {
		t.Errorf("on one thread and on two: %v", losses)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := RunVAAL(ctx, fast(t), VAAL{Steps: 1000}, labelled, unlabelled, 16, 16, 1, func(p Progress) {
		if p.Step == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := RunVAAL(t.Context(), fast(t), c, nil, unlabelled, 16, 16, 1, nil); err == nil {
		t.Error("without labelled slices a critic is trained")
	}
}

// The discriminator gets the rank behind μ, or what the rank is the sigmoid of; the decoder the rank in either case.
func TestWhatTheDiscriminatorGets(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	k := newCritic(e, func(context.Context, [][]float32) ([]float64, error) {
		return []float64{1 / (1 + math.Exp(-2)), 0.5, 1}, nil
	}, 1, 16, 16, 1)
	if err := k.rank(t.Context(), make([][]float32, 3)); err != nil {
		t.Fatal(err)
	}
	means := make([]float32, 3*vaalLatent)
	for i := range means {
		means[i] = float32(i)
	}
	for _, c := range []struct {
		raw  bool
		want []float64
	}{{false, []float64{0.880797, 0.5, 1}}, {true, []float64{2, 0, 16}}} {
		k.raw = c.raw
		k.judge(means)
		for i, want := range c.want {
			row := k.seen[i*(vaalLatent+1):][:vaalLatent+1]
			if math.Abs(float64(row[vaalLatent])-want) > 1e-5 || row[0] != means[i*vaalLatent] || k.more[1] != 0.5 {
				t.Errorf("raw %v, image %d: %v, want %v last", c.raw, i, row, want)
			}
		}
	}
}

// With the last layer of the discriminator at zero it is blind: its loss and what the autoencoder is told of it are 2 ln 2, and all scores 0. Its update leaves the autoencoder's gradients alone.
func TestBlindDiscriminator(t *testing.T) {
	const side, n = 16, 2 * vaalBatch
	e, rng := ref.New(2), random.Stream(1, "blind")
	defer e.Close()
	k := newCritic(e, nil, 1, side, side, 1)
	for _, p := range k.Discriminator.Params().List {
		if strings.HasPrefix(p.Name, "linear3") {
			clear(p.Data)
		}
	}
	k.resize(n)
	for i := range k.x.Data {
		k.x.Data[i] = float32(rng.NormFloat64())
	}
	weights, ones, sides := slices.Repeat([]float32{1. / vaalBatch}, n), slices.Repeat([]float32{1}, n), make([]float32, n)
	copy(sides, ones[:vaalBatch])
	const adversarial = 3
	loss := k.vaeGradient(adversarial, make([]float32, n*vaalLatent), weights, ones)
	if told := (loss - k.R - k.KL/(side*side)) / adversarial; math.Abs(told-2*math.Ln2) > 1e-6 {
		t.Errorf("the autoencoder is told %v, want 2 ln 2", told)
	}
	before := slices.Clone(k.Net.Params().Grad)
	k.judge(k.Net.Encode(k.x, true))
	if got := k.Discriminator.Loss(weights, sides); math.Abs(got-2*math.Ln2) > 1e-6 {
		t.Errorf("the discriminator's loss is %v, want 2 ln 2", got)
	}
	if !slices.Equal(k.Net.Params().Grad, before) {
		t.Error("the discriminator's loss changes gradients of the autoencoder")
	}
	if !slices.ContainsFunc(k.Discriminator.Params().Grad, func(g float32) bool { return g != 0 }) {
		t.Error("the discriminator has no gradient")
	}
	scores, err := k.Scores(t.Context(), kinds(3, side, false, rng))
	if err != nil || !slices.Equal(scores, []float64{0, 0, 0}) {
		t.Errorf("scores %v, %v", scores, err)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		spread float64
		blind  bool
	}{
		{[]float64{5, 5.0001, 5}, 1e-4 * math.Sqrt(2) / 3, true}, {[]float64{5, 5.01, 5}, 1e-2 * math.Sqrt(2) / 3, false}, {[]float64{-1, 1}, 1, false}, {[]float64{5}, 0, false}, {nil, math.NaN(), false},
	} {
		if got, blind := Spread(c.scores); math.Abs(got-c.spread) > 1e-8 || math.IsNaN(got) != math.IsNaN(c.spread) || blind != c.blind {
			t.Errorf("%v: %v, %v", c.scores, got, blind)
		}
	}
}

// Both sides are augmented alike, and the ranks are those of the images as they are augmented.
func TestCriticSeesAugmentedSlices(t *testing.T) {
	const side = 16
	rng := random.Stream(1, "augmented")
	labelled, unlabelled := kinds(5, side, false, rng), kinds(20, side, false, rng)
	of := func(image []float32) bool {
		return slices.ContainsFunc(slices.Concat(labelled, unlabelled), func(one []float32) bool { return slices.Equal(one, image) })
	}
	for _, augmented := range []bool{false, true} {
		c, seen, changed := VAAL{Steps: 2, Adversarial: 1}, 0, 0
		if augmented {
			c.Augment.Noise, c.Augment.NoiseProbability = 0.1, 1
		}
		c.Ranks = func(_ context.Context, images [][]float32) (ranks []float64, _ error) {
			for _, image := range images {
				ranks = append(ranks, 0.5)
				if seen++; !of(image) {
					changed++
				}
			}
			return ranks, nil
		}
		if _, err := RunVAAL(t.Context(), fast(t), c, labelled, unlabelled, side, side, 1, nil); err != nil {
			t.Fatal(err)
		}
		if seen != 2*2*vaalBatch || augmented && changed < seen*9/10 || !augmented && changed > 0 {
			t.Errorf("augmented %v: of %d ranked slices %d are changed", augmented, seen, changed)
		}
	}
}

// A critic that knows ranks asks for what is ranked unlike the labelled slices, where these look alike; with the ranks shuffled at the query it does not.
func TestRankedVAAL(t *testing.T) {
	const side, half = 16, 40
	rng := random.Stream(1, "ranks")
	labelled, unlabelled := kinds(10, side, false, rng), kinds(2*half, side, false, rng)
	for i := range unlabelled[:half] {
		unlabelled[i][0] = 1e-3 // by which the ranker below knows it, far below the noise
	}
	for _, image := range slices.Concat(labelled, unlabelled[half:]) {
		image[0] = 0
	}
	shuffled := false
	c := VAAL{Steps: 120, Adversarial: 1, Ranks: func(_ context.Context, images [][]float32) (ranks []float64, _ error) {
		for i, image := range images {
			r := -2.0
			if !shuffled && image[0] != 0 || shuffled && i%2 == 0 {
				r = 2
			}
			ranks = append(ranks, 1/(1+math.Exp(-r)))
		}
		return ranks, nil
	}}
	k, err := RunVAAL(t.Context(), fast(t), c, labelled, unlabelled, side, side, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, shuffled = range []bool{false, true} {
		scores, err := k.Scores(t.Context(), unlabelled)
		if err != nil {
			t.Fatal(err)
		}
		order := make([]int, len(scores))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			if scores[a] > scores[b] {
				return -1
			}
			return 1
		})
		hard := 0
		for _, i := range order[:20] {
			if i < half {
				hard++
			}
		}
		if !shuffled && hard != 20 || shuffled && (hard < 3 || hard > 17) {
			t.Errorf("shuffled %v: %d of 20 picks are hard", shuffled, hard)
		}
	}
}

// place returns where the weight from an input to an output of a linear layer, or of a convolution of 1×1, stands.
func place(p *nn.Param, out, in int) int {
	if p.Order == nn.ConvOIHW {
		return in*p.Shape[0] + out
	}
	return out*p.Shape[1] + in
}

// With the columns of the ranks at zero in decoder and discriminator, and their gradients off, what knows the ranks is bit for bit what does not.
func TestRanksThatCountNothing(t *testing.T) {
	const side, steps, n = 16, 3, 2 * vaalBatch
	e, rng := ref.New(2), random.Stream(1, "ranks that count nothing")
	defer e.Close()
	none := func(_ context.Context, images [][]float32) ([]float64, error) {
		ranks := make([]float64, len(images))
		for i := range ranks {
			ranks[i] = rng.Float64()
		}
		return ranks, nil
	}
	plain, ranked := newCritic(e, nil, 1, side, side, 1), newCritic(e, none, 1, side, side, 2)
	columns := func(begin bool) {
		for _, part := range []struct{ with, without *nn.Params }{{ranked.Net.Params(), plain.Net.Params()}, {ranked.Discriminator.Params(), plain.Discriminator.Params()}} {
			for i, p := range part.with.List {
				own := part.without.List[i]
				switch {
				case p.Len() == own.Len() && begin:
					copy(p.Data, own.Data)
				case p.Len() == own.Len():
					if !slices.Equal(p.Data, own.Data) {
						t.Fatalf("%s differs", p.Name)
					}
				default:
					for out := range p.Shape[0] {
						for in := range p.Shape[1] {
							at, of := place(p, out, in), place(own, out, in)
							switch {
							case in == p.Shape[1]-1:
								p.Data[at] = 0
							case begin:
								p.Data[at] = own.Data[of]
							case p.Data[at] != own.Data[of]:
								t.Fatalf("%s: %v from input %d to %d, want %v", p.Name, p.Data[at], in, out, own.Data[of])
							}
						}
					}
				}
			}
			part.with.Changed()
		}
	}
	columns(true)
	noise := make([]float32, n*vaalLatent)
	weights, ones, sides := make([]float32, n), slices.Repeat([]float32{1}, n), append(slices.Repeat([]float32{1}, n/2), make([]float32, n/2)...)
	for i := range weights {
		weights[i] = 1. / vaalBatch
	}
	type optimisers struct{ net, discriminator *nn.Adam }
	adams := map[*Critic]optimisers{}
	for _, k := range []*Critic{plain, ranked} {
		k.resize(n)
		adams[k] = optimisers{nn.NewAdam(k.Net.Params(), 0), nn.NewAdam(k.Discriminator.Params(), 0)}
	}
	for range steps {
		for i := range plain.x.Data {
			plain.x.Data[i] = float32(rng.NormFloat64())
		}
		for i := range noise {
			noise[i] = float32(rng.NormFloat64())
		}
		copy(ranked.x.Data, plain.x.Data)
		if err := ranked.rank(t.Context(), make([][]float32, n)); err != nil {
			t.Fatal(err)
		}
		var losses []float64
		for _, k := range []*Critic{plain, ranked} {
			losses = append(losses, k.step(e, adams[k].net, adams[k].discriminator, 1, noise, weights, ones, sides))
		}
		if losses[0] != losses[1] || plain.D != ranked.D || plain.R != ranked.R || plain.KL != ranked.KL {
			t.Errorf("losses %v, discriminators' %v and %v", losses, plain.D, ranked.D)
		}
		columns(false) // which Adam treats apart from the others
	}
	images := kinds(5, side, true, rng)
	want, err := plain.Scores(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ranked.Scores(t.Context(), images); err != nil || !slices.Equal(got, want) {
		t.Errorf("scores %v, %v; want %v", got, err, want)
	}
}
