package train

import (
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/train/recipe"
)

// slice is a slice on the canvas, with its mask.
type slice struct {
	image []float32 // [C h w]; the channels are changed alike
	mask  []uint8   // [h w]; nil: none
}

// augmenter changes slices of one size.
type augmenter struct {
	recipe.Augment
	h, w int
	rng  *rand.Rand
}

func newAugmenter(a recipe.Augment, h, w int, rng *rand.Rand) *augmenter {
	return &augmenter{Augment: a, h: h, w: w, rng: rng}
}

// change is what is done to one slice. It is drawn in the order of the slices; applying it needs no random numbers, so that slices can be
// changed at the same time.
type change struct {
	scales      bool
	factor, add float32   // if scales
	exponent    float64   // 0: none
	std         float32   // of the noise
	noise       []float32 // normal numbers, [C h w]; empty: none
	geometry    affine
}

// draw draws the change of an image [C h w], of which only the size matters.
func (a *augmenter) draw(c *change, image []float32) {
	*c = change{noise: c.noise[:0]}
	if a.Contrast > 0 || a.Brightness > 0 {
		c.scales, c.factor, c.add = true, float32(1+uniform(a.rng, a.Contrast)), float32(uniform(a.rng, a.Brightness))
	}
	if a.Gamma > 0 {
		c.exponent = math.Exp(uniform(a.rng, a.Gamma))
	}
	if a.Noise > 0 && a.rng.Float64() < a.NoiseProbability {
		c.std = float32(a.Noise)
		for range image {
			c.noise = append(c.noise, float32(a.rng.NormFloat64()))
		}
	}
	c.geometry = a.transform(a.h, a.w, a.rng)
}

// apply writes a changed copy of src to dst. Image values between pixels are bilinear, mask values nearest; what comes from outside is 0
// in both. between is memory for the image between the two kinds of change, [C h w].
func (c *change) apply(dst, src slice, between []float32, h, w int) {
	copy(between, src.image)
	c.intensities(between)
	for from := 0; from < len(between); from += h * w {
		to := from + h*w
		c.geometry.warp(slice{dst.image[from:to], dst.mask}, slice{between[from:to], src.mask}, h, w)
	}
}

// intensities changes the values of an image in place.
func (c *change) intensities(image []float32) {
	if c.scales {
		for i, v := range image {
			image[i] = v*c.factor + c.add
		}
	}
	if c.exponent != 0 {
		gamma(image, c.exponent)
	}
	for i, v := range c.noise {
		image[i] += c.std * v
	}
}

// gamma raises the values of an image, taken from its own range to 0 … 1, to an exponent, and puts them back.
func gamma(image []float32, exponent float64) {
	low, high := image[0], image[0]
	for _, v := range image {
		low, high = min(low, v), max(high, v)
	}
	span := high - low
	if span == 0 {
		return
	}
	for i, v := range image {
		image[i] = low + span*power((v-low)/span, exponent)
	}
}

// power returns float32(math.Pow(x, y)) of an x of 0 or more, in half of the time: both e^(y·ln x) and math.Pow are right to 1e-14, so that where 1e-13 more or less makes the
// same float32 it is that of math.Pow.
func power(x float32, y float64) float32 {
	p := math.Exp(y * math.Log(float64(x)))
	if low, high := float32(p*(1-1e-13)), float32(p*(1+1e-13)); low == high {
		return low
	}
	return float32(math.Pow(float64(x), y))
}

// transform draws a geometric transform about the middle of an h × w canvas.
func (a augmenter) transform(h, w int, rng *rand.Rand) affine {
	angle := uniform(rng, a.Rotate) * math.Pi / 180
	zoom := math.Exp(uniform(rng, a.Zoom)) / (1 + uniform(rng, a.Scale))
	sin, cos := math.Sincos(angle)
	t := affine{xx: cos * zoom, xy: sin * zoom, yx: -sin * zoom, yy: cos * zoom}
	if a.Flip > 0 && rng.Float64() < a.Flip {
		t.xx, t.yx = -t.xx, -t.yx
	}
	t.x = uniform(rng, a.Shift) * float64(w)
	t.y = uniform(rng, a.Shift) * float64(h)
	return t
}

// uniform draws a number between -limit and limit; it draws nothing when limit is 0.
func uniform(rng *rand.Rand, limit float64) float64 {
	if limit == 0 {
		return 0
	}
	return limit * (2*rng.Float64() - 1)
}

// affine maps a pixel of the result, counted from the middle of the canvas, to the source:
//
//	source = [xx xy; yx yy] · (column, row) + (x, y)
type affine struct{ xx, xy, yx, yy, x, y float64 }

func (t affine) identity() bool { return t == affine{xx: 1, yy: 1} }

// warp writes the transformed h × w slice.
func (t affine) warp(dst, src slice, h, w int) {
	if t.identity() {
		copy(dst.image, src.image)
		copy(dst.mask, src.mask)
		return
	}
	midX, midY := float64(w-1)/2, float64(h-1)/2
	for row := range h {
		dy := float64(row) - midY
		for column := range w {
			dx := float64(column) - midX
			x := midX + t.x + t.xx*dx + t.xy*dy
			y := midY + t.y + t.yx*dx + t.yy*dy
			at := row*w + column
			dst.image[at] = preprocess.Bilinear(src.image, h, w, y, x)
			if dst.mask == nil {
				continue
			}
			dst.mask[at] = 0
			if r, c := int(math.Floor(y+0.5)), int(math.Floor(x+0.5)); uint(r) < uint(h) && uint(c) < uint(w) {
				dst.mask[at] = src.mask[r*w+c]
			}
		}
	}
}
