package model

import (
	"math"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/nn/unet"
	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/tensor/ref"
	"github.com/nextslice/nextslice/uncertainty"
)

// There and back is exact on a plane, wherever a pixel is said to be valid; and no pixel is said to be that mixes with
// the outside, which a plane far above zero would show.
func TestRotationThereAndBack(t *testing.T) {
	const h, w = 20, 31
	plane := make([]float32, h*w)
	for i := range plane {
		plane[i] = 1000 + float32(i%w) + 5*float32(i/w)
	}
	for _, degrees := range []float64{-10, -3.7, 0, 0.01, 10, 90, 180} {
		var r rotation
		turned, back, valid := make([]float32, h*w), make([]float32, h*w), make([]bool, h*w)
		r.turn(turned, plane, h, w, degrees*math.Pi/180)
		r.back(back, valid, turned, 1)

		// The same by another way to turn: a pixel is valid if nothing of it came from outside, on either way.
		share := make([]float32, h*w)
		for i := range share {
			share[i] = 1
		}
		share = turnedBy(share, h, w, degrees)
		shareBack := turnedBy(share, h, w, -degrees)

		count := 0
		for i, v := range valid {
			if v {
				count++
				if math.Abs(float64(back[i]-plane[i])) > 2e-3 {
					t.Fatalf("%v°: pixel %d: %v after there and back, want %v", degrees, i, back[i], plane[i])
				}
			} else if back[i] != 0 {
				t.Fatalf("%v°: pixel %d is not valid and %v, want 0", degrees, i, back[i])
			}
			if outside := 1 - shareBack[i]; v && outside > 1e-5 || !v && outside < -1e-5 {
				t.Fatalf("%v°: pixel %d: valid %v, with a part of %v from outside", degrees, i, v, outside)
			}
		}
		whole := 0
		for _, s := range shareBack {
			if s > 1-1e-6 {
				whole++
			}
		}
		// Places on the very edge may go either way by rounding.
		if math.Abs(float64(count-whole)) > 4 && degrees != 180 {
			t.Errorf("%v°: %d pixels are valid, %d are made of inner pixels alone", degrees, count, whole)
		}
		if degrees == 0 && count != h*w {
			t.Errorf("no turn: %d of %d pixels are valid", count, h*w)
		}
		if math.Abs(degrees) == 10 && (count < h*w/2 || count > h*w*9/10) {
			t.Errorf("%v°: %d of %d pixels are valid", degrees, count, h*w)
		}
	}
}

// turnedBy returns an image turned about its middle.
func turnedBy(image []float32, h, w int, degrees float64) []float32 {
	out := make([]float32, h*w)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i := range out {
		dy, dx := float64(i/w)-float64(h-1)/2, float64(i%w)-float64(w-1)/2
		out[i] = preprocess.Bilinear(image, h, w, float64(h-1)/2-sin*dx+cos*dy, float64(w-1)/2+cos*dx+sin*dy)
	}
	return out
}

// oneTap makes a network one whose output at a pixel depends on one pixel of its input: with tap 4, the middle of each
// kernel, on the same one, so that rotating the input rotates the output. With tap 0 it is one up and left of it.
func oneTap(n *unet.Net, tap int) {
	for _, p := range n.Params().List {
		switch {
		case strings.HasPrefix(p.Name, "up3."): // what comes from the coarser levels
			clear(p.Data)
		case len(p.Shape) == 4 && p.Shape[2] == 3:
			taps := len(p.Data) / 9
			for i := range p.Data {
				if i/taps != tap { // [3 3 I O]
					p.Data[i] = 0
				} else {
					p.Data[i] *= 9
				}
			}
		}
	}
	n.Params().Changed()
}

// A network that is rotation-equivariant by construction agrees with itself: its score of test-time augmentation is 0
// up to interpolation, on a smooth image. One that shifts its input, be it by four pixels, does not.
func TestTTAOfEquivariantNetwork(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	const h, w = 32, 40
	var images [][]float32
	for k := range 3 {
		image := make([]float32, h*w)
		for i := range image { // two bumps off the middle, on a slope
			y, x := float64(i/w), float64(i%w)
			bump := func(cy, cx, size float64) float64 {
				return math.Exp(-((y-cy)*(y-cy) + (x-cx)*(x-cx)) / (2 * size * size))
			}
			image[i] = float32(2*bump(10, 12+3*float64(k), 5) - 2*bump(22, 28, 6) + 0.02*x)
		}
		images = append(images, image)
	}
	for _, what := range []uncertainty.Map{uncertainty.JSD, uncertainty.Variance} {
		tta := uncertainty.Score{Map: what, Passes: 8, Augment: true}
		net := func(tap int) Network {
			n := unet.New(e, unet.Config{Classes: 2, Width: 8}, random.Stream(1))
			oneTap(n, tap)
			return Network{Net: n, Preprocess: preprocess.Config{Height: h, Width: w}}
		}
		n := net(4)
		same, different := scoresBy(t, n, images, tta, augmentation{rotate: 10}), scoresBy(t, net(0), images, tta, augmentation{rotate: 10})

		var spread float64 // of the predictions over the image: what a wrong way back would mix up
		err := n.Predict(t.Context(), images[:1], func(_ int, probs []float32) error {
			low, high := probs[0], probs[0]
			for i := 0; i < len(probs); i += 2 {
				low, high = min(low, probs[i]), max(high, probs[i])
			}
			spread = float64(high - low)
			return nil
		})
		if err != nil || spread < 0.1 {
			t.Fatalf("the probabilities of the pixelwise network span %v: the test would say nothing", spread)
		}
		for i, s := range same {
			t.Logf("%s, item %d: equivariant %.2g, other %.2g", what, i, s, different[i])
			if s > 1e-6 || s > different[i]/20 {
				t.Errorf("%s, item %d: an equivariant network has score %v, want 0 up to interpolation; another one has %v", what, i, s, different[i])
			}
		}
	}
}

// Noise counts in every pass but the first, and the legacy aggregation divides by all pixels.
func TestTTAScores(t *testing.T) {
	e := ref.New(1)
	defer e.Close()
	n := network(unet.New(e, unet.Config{Classes: 2, Width: 4, Dropout: 0.5}, random.Stream(1)))
	images := noise(predictBatch + 2)
	score := uncertainty.Score{Map: uncertainty.JSD, Passes: 3, Augment: true}
	little, more := scoresBy(t, n, images, score, augmentation{noise: 0.1}), scoresBy(t, n, images, score, augmentation{noise: 0.5})
	for i := range little {
		if !(little[i] > 0 && more[i] > little[i]) {
			t.Errorf("item %d: noise of 0.1 gives %v, of 0.5 %v", i, little[i], more[i])
		}
	}
	score.Map = uncertainty.EntropyMap
	mean := scoresOf(t, n, images, score, 2)
	score.Aggregation = uncertainty.Legacy
	legacy, again := scoresOf(t, n, images, score, 2), scoresOf(t, n, images, score, 2)
	for i := range mean {
		if share := legacy[i] / mean[i]; !(share > 0.5 && share < 1) {
			t.Errorf("item %d: legacy %v, mean %v", i, legacy[i], mean[i])
		}
		if again[i] != legacy[i] {
			t.Errorf("item %d: the same stream gave another score", i)
		}
	}
}

// scoresBy returns the scores by another augmentation than the standard one.
func scoresBy(t *testing.T, n Network, images [][]float32, s uncertainty.Score, change augmentation) []float64 {
	t.Helper()
	p := n.newScorer(s, random.Stream(1))
	p.change = change
	scores, err := collect(t.Context(), p, images, (*uncertainty.Scorer).Score, nil, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return scores
}
