package train

import (
	"math"
	"slices"
	"testing"

	"github.com/nextslice/nextslice/random"
	"github.com/nextslice/nextslice/train/recipe"
)

// board returns an image and a mask whose values tell where they come from.
func board(h, w int) (image []float32, mask []uint8) {
	image, mask = make([]float32, h*w), make([]uint8, h*w)
	for i := range image {
		image[i] = float32(i%w) + 100*float32(i/w)
		mask[i] = uint8(i % 7)
	}
	return image, mask
}

func TestWarpQuarterTurn(t *testing.T) {
	const n = 9
	image, mask := board(n, n)
	gotImage, gotMask := make([]float32, n*n), make([]uint8, n*n)
	affine{xy: 1, yx: -1}.warp(slice{gotImage, gotMask}, slice{image, mask}, n, n)
	for row := range n {
		for column := range n {
			from := (n-1-column)*n + row // counted from the middle: source (column, row) = (row, -column)
			if got := gotImage[row*n+column]; got != image[from] {
				t.Fatalf("image (%d, %d): got %v, want %v", row, column, got, image[from])
			}
			if got := gotMask[row*n+column]; got != mask[from] {
				t.Fatalf("mask (%d, %d): got %v, want %v", row, column, got, mask[from])
			}
		}
	}
}

func TestWarpFillsWithZero(t *testing.T) {
	const h, w = 4, 6
	image, mask := slices.Repeat([]float32{8}, h*w), slices.Repeat([]uint8{3}, h*w)
	gotImage, gotMask := make([]float32, h*w), make([]uint8, h*w)
	affine{xx: 1, yy: 1, x: 2.25}.warp(slice{gotImage, gotMask}, slice{image, mask}, h, w)
	// Column 3 reads column 5.25: a quarter of it comes from outside. Its nearest pixel is still the last one.
	for row := range h {
		if got, want := gotImage[row*w:row*w+w], []float32{8, 8, 8, 6, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("image row %d: got %v, want %v", row, got, want)
		}
		if got, want := gotMask[row*w:row*w+w], []uint8{3, 3, 3, 3, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("mask row %d: got %v, want %v", row, got, want)
		}
	}
}

// Bilinear interpolation is exact on a plane, so a rotated plane is known everywhere inside.
func TestWarpRotatesPlane(t *testing.T) {
	const h, w = 20, 31
	image, mask := board(h, w)
	gotImage, gotMask := make([]float32, h*w), make([]uint8, h*w)
	sin, cos := math.Sincos(0.15)
	affine{xx: cos, xy: sin, yx: -sin, yy: cos}.warp(slice{gotImage, gotMask}, slice{image, mask}, h, w)
	inside := 0
	for row := range h {
		for column := range w {
			dx, dy := float64(column)-15, float64(row)-9.5
			x, y := 15+cos*dx+sin*dy, 9.5-sin*dx+cos*dy
			if x < 0 || x > w-1 || y < 0 || y > h-1 {
				continue
			}
			inside++
			if got, want := float64(gotImage[row*w+column]), x+100*y; math.Abs(got-want) > 1e-3 {
				t.Fatalf("(%d, %d): got %v, want %v", row, column, got, want)
			}
			if got, want := gotMask[row*w+column], mask[int(y+0.5)*w+int(x+0.5)]; got != want {
				t.Fatalf("mask (%d, %d): got %v, want %v", row, column, got, want)
			}
		}
	}
	if inside < h*w/2 {
		t.Fatalf("only %d pixels were compared", inside)
	}
}

func TestAugmentApply(t *testing.T) {
	const h, w = 32, 32
	image, mask := board(h, w)
	keptImage, keptMask := slices.Clone(image), slices.Clone(mask)
	gotImage, gotMask := make([]float32, h*w), make([]uint8, h*w)
	src, got := slice{image, mask}, slice{gotImage, gotMask}

	t.Run("off", func(t *testing.T) {
		newAugmenter(recipe.Augment{}, h, w, random.Stream(1)).apply(got, src)
		if !slices.Equal(gotImage, image) || !slices.Equal(gotMask, mask) {
			t.Error("an augmentation without parameters changed something")
		}
	})
	t.Run("noise", func(t *testing.T) {
		a := newAugmenter(recipe.Augment{Noise: 0.5, NoiseProbability: 0.5}, h, w, random.Stream(2))
		var noisy int
		var squares float64
		const rounds = 200
		for range rounds {
			a.apply(got, src)
			if slices.Equal(gotImage, image) {
				continue
			}
			noisy++
			for i := range image {
				d := float64(gotImage[i] - image[i])
				squares += d * d
			}
		}
		if noisy < 75 || noisy > 125 { // 100 ± 7 expected
			t.Errorf("%d of %d slices got noise at probability 0.5", noisy, rounds)
		}
		if std := math.Sqrt(squares / float64(noisy*h*w)); math.Abs(std-0.5) > 0.01 {
			t.Errorf("noise of standard deviation %v, want 0.5", std)
		}
	})
	t.Run("everything", func(t *testing.T) {
		a := recipe.Augment{Noise: 0.01, NoiseProbability: 1, Rotate: 10, Scale: 0.1, Shift: 0.1, Flip: 0.5, Contrast: 0.2, Brightness: 0.1, Gamma: 0.3}
		newAugmenter(a, h, w, random.Stream(3)).apply(got, src)
		first := slices.Clone(gotImage)
		newAugmenter(a, h, w, random.Stream(3)).apply(got, src)
		if !slices.Equal(first, gotImage) {
			t.Error("the same random stream gave another image")
		}
		newAugmenter(a, h, w, random.Stream(4)).apply(got, src)
		if slices.Equal(first, gotImage) {
			t.Error("another random stream gave the same image")
		}
	})
	if !slices.Equal(image, keptImage) || !slices.Equal(mask, keptMask) {
		t.Error("the sources were changed")
	}
}

func TestAugmentFlipIsMirror(t *testing.T) {
	const h, w = 3, 5
	image, mask := board(h, w)
	gotImage, gotMask := make([]float32, h*w), make([]uint8, h*w)
	newAugmenter(recipe.Augment{Flip: 1}, h, w, random.Stream(1)).apply(slice{gotImage, gotMask}, slice{image, mask})
	for row := range h {
		for column := range w {
			if got, want := gotImage[row*w+column], image[row*w+w-1-column]; got != want {
				t.Fatalf("(%d, %d): got %v, want %v", row, column, got, want)
			}
		}
	}
}

func TestGammaKeepsRange(t *testing.T) {
	image := []float32{-1, 0, 1, 3}
	gamma(image, 2)
	if want := []float32{-1, -0.75, 0, 3}; !slices.Equal(image, want) { // -1 + 4·((v+1)/4)²
		t.Errorf("got %v, want %v", image, want)
	}
	flat := []float32{5, 5}
	gamma(flat, 2)
	if flat[0] != 5 {
		t.Errorf("a constant image became %v", flat)
	}
}

func BenchmarkAugment(b *testing.B) {
	const h, w = 128, 128
	image, mask := board(h, w)
	gotImage, gotMask := make([]float32, h*w), make([]uint8, h*w)
	src, got := slice{image, mask}, slice{gotImage, gotMask}
	a := newAugmenter(recipe.Augment{Noise: 0.01, NoiseProbability: 0.5, Rotate: 10}, h, w, random.Stream(1))
	for b.Loop() {
		a.apply(got, src)
	}
}

// All channels of an image are moved and darkened alike.
func TestAugmentChangesChannelsAlike(t *testing.T) {
	const h, w = 16, 16
	image, mask := board(h, w)
	three := slices.Concat(image, image, image)
	got := slice{make([]float32, 3*h*w), make([]uint8, h*w)}
	a := newAugmenter(recipe.Augment{Rotate: 10, Zoom: 0.35, Shift: 0.1, Flip: 0.5, Contrast: 0.2, Gamma: 0.3}, h, w, random.Stream(1))
	a.apply(got, slice{three, mask})
	for channel := 1; channel < 3; channel++ {
		if !slices.Equal(got.image[:h*w], got.image[channel*h*w:(channel+1)*h*w]) {
			t.Errorf("channel %d is changed otherwise than channel 0", channel)
		}
	}
	if slices.Equal(got.image[:h*w], image) {
		t.Error("nothing has changed")
	}
}

func TestZoomIsUniformInItsLogarithm(t *testing.T) {
	rng := random.Stream(1)
	a := newAugmenter(recipe.Augment{Zoom: 0.35}, 8, 8, rng)
	sum, least, most := 0.0, 1.0, 1.0
	const n = 2000
	for range n {
		size := 1 / a.transform(8, 8, rng).xx
		sum += math.Log(size)
		least, most = min(least, size), max(most, size)
	}
	if mean := sum / n; math.Abs(mean) > 0.02 || least < math.Exp(-0.35) || least > 0.71 || most > math.Exp(0.35) || most < 1.41 {
		t.Errorf("mean logarithm %.3f, sizes of %.3f to %.3f, want 0, 0.705 and 1.419", mean, least, most)
	}
}

// The power is that of package math to the last bit.
func TestPower(t *testing.T) {
	rng := random.Stream(1, "power")
	check := func(x float32, y float64) {
		if got, want := power(x, y), float32(math.Pow(float64(x), y)); got != want && !(got != got && want != want) {
			t.Fatalf("%v to the power of %v: %v, want %v", x, y, got, want)
		}
	}
	for _, x := range []float32{0, 1, math.SmallestNonzeroFloat32, 1 - 1./(1<<24), float32(math.Inf(1)), float32(math.NaN())} {
		for _, y := range []float64{0.1, 1, 0.74, 1.35, 20} {
			check(x, y)
		}
	}
	for range 3_000_000 {
		check(rng.Float32(), math.Exp(uniform(rng, 0.5)))
		check(float32(math.Exp(-80*rng.Float64())), math.Exp(uniform(rng, 3)))
	}
}

func BenchmarkPower(b *testing.B) {
	x, rng := make([]float32, 4096), random.Stream(1, "power")
	for i := range x {
		x[i] = rng.Float32()
	}
	for _, c := range []struct {
		name string
		of   func(float32, float64) float32
	}{{"power", power}, {"math.Pow", func(x float32, y float64) float32 { return float32(math.Pow(float64(x), y)) }}} {
		b.Run(c.name, func(b *testing.B) {
			sum := float32(0)
			for b.Loop() {
				for _, v := range x {
					sum += c.of(v, 1.2)
				}
			}
			_ = sum
		})
	}
}

// apply draws a change and writes a changed copy of src to dst.
func (a *augmenter) apply(dst, src slice) {
	var c change
	a.draw(&c, src.image)
	c.apply(dst, src, slices.Clone(src.image), a.h, a.w)
}
