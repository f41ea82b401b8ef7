package train

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/query"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
)

// Of three kinds of slices, which noise alone makes differ within a kind, the nearest means are of one kind, and TypiClust picks one of each, the most frequent first.
func TestMeansTellKindsApart(t *testing.T) {
	const side = 32
	for seed := range uint64(3) {
		rng := random.Stream(seed, "kinds")
		var images [][]float32
		var kind []int
		for k, count := range []int{30, 20, 10} {
			for range count {
				image := make([]float32, side*side)
				for i := range image {
					image[i] = float32(0.3 * rng.NormFloat64())
					if i/side/8 == k || i%side/8 == k+1 {
						image[i] += 2
					}
				}
				images, kind = append(images, image), append(kind, k)
			}
		}
		var losses []float64
		k, err := RunAutoencoder(t.Context(), fast(t), 120, VAAL{}.Augment, images, side, side, seed, func(p Progress) { losses = append(losses, p.Loss) })
		if err != nil {
			t.Fatal(err)
		}
		if len(losses) != 120 || !(losses[119] < losses[0]/3) { // 0.09 of it is noise
			t.Errorf("seed %d: %d losses, from %.3f to %.3f", seed, len(losses), losses[0], losses[len(losses)-1])
		}
		means, err := k.Means(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		for i := range means {
			best, nearest := -1, 0.0
			for j := range means {
				d := 0.0
				for x := range means[i] {
					d += float64(means[i][x]-means[j][x]) * float64(means[i][x]-means[j][x])
				}
				if i != j && (best < 0 || d < nearest) {
					best, nearest = j, d
				}
			}
			if kind[best] != kind[i] {
				t.Errorf("seed %d: slice %d, of kind %d, is nearest to one of kind %d; R %.3f, KL %.1f", seed, i, kind[i], kind[best], k.R, k.KL)
			}
		}
		pool := query.Pool{
			N: len(images), Features: func() ([][]float32, error) { return means, nil }, LabelledFeatures: func() ([][]float32, error) { return nil, nil },
		}
		got, err := query.TypiClust{Steps: 120}.Select(pool, 3, random.Stream(seed))
		if err != nil || !slices.Equal([]int{kind[got.Items[0]], kind[got.Items[1]], kind[got.Items[2]]}, []int{0, 1, 2}) {
			t.Errorf("seed %d: picks %v, %v: want one of each kind, in the order of their number", seed, got.Items, err)
		}
	}
}

// The same seed gives the same means on any number of threads, and that of a slice does not depend on those beside it; training ends when it is told to.
func TestAutoencoderRepeats(t *testing.T) {
	images := kinds(40, 16, true, random.Stream(1))
	var c VAAL
	c.Augment.Rotate, c.Augment.Noise, c.Augment.NoiseProbability = 10, 0.1, 0.5
	run := func(seed uint64, threads int) [][]float32 {
		k, err := RunAutoencoder(t.Context(), ref.New(threads), 3, c.Augment, images, 16, 16, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, err := k.Means(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		if one, err := k.Means(t.Context(), images[35:36]); err != nil || !slices.Equal(one[0], all[35]) {
			t.Errorf("slice 35 alone has the mean %v, beside others %v; %v", one, all[35], err)
		}
		return all
	}
	equal := func(a, b [][]float32) bool { return slices.EqualFunc(a, b, slices.Equal) }
	if a := run(1, 1); !equal(a, run(1, 2)) || equal(a, run(2, 1)) {
		t.Error("the same seed gives other means, or another seed the same")
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := Progress{}
	_, err := RunAutoencoder(ctx, ref.New(1), 1000, c.Augment, images, 16, 16, 1, func(p Progress) {
		if last = p; p.Step == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last.Step != 2 || last.Of != 1000 {
		t.Errorf("cancelled: %v, after %+v", err, last)
	}
	if _, err := RunAutoencoder(t.Context(), ref.New(1), 1, c.Augment, nil, 16, 16, 1, nil); err == nil {
		t.Error("of no slices an autoencoder is trained")
	}
}
