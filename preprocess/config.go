package preprocess

import (
	"errors"
	"fmt"
	"math"

	"github.com/nextslice/nextslice/volume"
)

// The two ways to put a slice on a canvas of another size.
const (
	// Resize stretches each slice to the whole canvas, height and width independently.
	Resize = "resize"
	// Pad puts each slice in the middle of the canvas, pixel for pixel, and cuts off what does not fit.
	Pad = "pad"
)

// Largest is the largest canvas, in pixels a side, to which Derive pads; larger slices are resized to it.
const Largest = 128

// Config says how slices are made. It may be copied and shared.
type Config struct {
	Axis   int    `json:"axis" yaml:"axis"`     // index axis that slices are cut across: 0, 1 or 2
	Height int    `json:"height" yaml:"height"` // of the canvas, pixels
	Width  int    `json:"width" yaml:"width"`   // of the canvas, pixels
	Fit    string `json:"fit" yaml:"fit"`       // Resize or Pad
	Input  `yaml:",inline"`

	ClipLow  float64 `json:"clip-low" yaml:"clip-low"`   // percentile of the volume's intensities, 0 … 100
	ClipHigh float64 `json:"clip-high" yaml:"clip-high"` // likewise, above ClipLow

	// Scaling, and Window where it is Fixed, are of networks that other programs trained.
	Scaling Scaling `json:"scaling,omitempty" yaml:"scaling,omitempty"`
	Window  *Window `json:"window,omitempty" yaml:"window,omitempty"`

	// NaN is the intensity that NaN and infinite voxels are read as, before anything else; nil takes them as background, see Normalise.
	NaN *float64 `json:"nan,omitempty" yaml:"nan,omitempty"`
}

// Input says what of a volume an image shows, beyond one whole slice of it.
type Input struct {
	// Crop is the middle part of each slice's height and width that is resized to the canvas, above 0 to 1; 0 is all. What is
	// outside is background. It needs slices that are resized, and cases whose structures lie in the middle.
	Crop float64 `json:"crop,omitempty" yaml:"crop,omitempty"`
	// Antialias resizes to the mean over the area of a pixel of the canvas, where slices become smaller.
	Antialias bool `json:"antialias,omitempty" yaml:"antialias,omitempty"`
	// Stack is the number of slices that make one image, as its channels: a slice and those beside it. 1, 3 or 5; 0 is 1.
	Stack int `json:"slices,omitempty" yaml:"slices,omitempty"`
}

// Derive returns the configuration for volumes of these sizes, with intensities clipped to the 1st and 99th percentile.
// The rule: if the slices of all volumes fit in 128 × 128, they are padded, to the next multiples of 8 of the
// largest height and the largest width (the network halves its input three times), but at least 16 × 16; otherwise all
// are resized to 128 × 128. It panics without sizes.
func Derive(sizes [][3]int, axis int) Config {
	if len(sizes) == 0 {
		panic("preprocess: Derive: no sizes")
	}
	c := Config{Axis: axis, Height: 16, Width: 16, Fit: Pad, ClipLow: 1, ClipHigh: 99}
	for _, size := range sizes {
		h, w := c.SliceSize(volume.Grid{Size: size})
		c.Height, c.Width = max(c.Height, (h+7)/8*8), max(c.Width, (w+7)/8*8)
	}
	if c.Height > Largest || c.Width > Largest {
		c.Height, c.Width, c.Fit = Largest, Largest, Resize
	}
	return c
}

// CoarsestAxis returns the index axis across which most of the grids have their largest spacing: the one that slices
// were acquired along. An axis counts only where its spacing is more than 10 % above the next; where none does, it is 2.
func CoarsestAxis(grids []volume.Grid) int {
	var votes [3]int
	for _, g := range grids {
		s := g.Spacing()
		axis := 2
		for a := range 2 {
			if s[a] > 1.1*s[(a+1)%3] && s[a] > 1.1*s[(a+2)%3] {
				axis = a
			}
		}
		votes[axis]++
	}
	best := 2
	for a, n := range votes {
		if n > votes[best] {
			best = a
		}
	}
	return best
}

// Validate returns all faults of i at once, or nil.
func (i Input) Validate() error {
	var faults []error
	if !(i.Crop >= 0 && i.Crop <= 1) {
		faults = append(faults, fmt.Errorf("crop: want a part above 0 to 1, or 0 for all of a slice, got %v", i.Crop))
	}
	if i.Stack != 0 && i.Stack != 1 && i.Stack != 3 && i.Stack != 5 {
		faults = append(faults, fmt.Errorf("slices: want 1, 3 or 5, got %d", i.Stack))
	}
	return errors.Join(faults...)
}

// Validate returns all faults of c at once, or nil.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(c.Axis >= 0 && c.Axis <= 2, "axis: want 0, 1 or 2, got %d", c.Axis)
	check(c.Height > 0 && c.Width > 0, "canvas: want at least 1 x 1 pixels, got %d x %d", c.Height, c.Width)
	check(c.Fit == Resize || c.Fit == Pad, "fit: want %s or %s, got %q", Resize, Pad, c.Fit)
	check(c.Crop == 0 || c.Crop == 1 || c.Fit == Resize, "crop: want fit %s, got %s: padded slices are not cropped", Resize, c.Fit)
	if err := c.Input.Validate(); err != nil {
		faults = append(faults, err)
	}
	check(c.NaN == nil || !math.IsNaN(*c.NaN) && math.Abs(*c.NaN) <= math.MaxFloat32, "nan: want a number, got %v", value(c.NaN))
	if err := c.Scaling.validate(c.Window); err != nil {
		faults = append(faults, err)
	}
	check(c.ClipLow >= 0 && c.ClipLow < c.ClipHigh && c.ClipHigh <= 100,
		"clip: want percentiles 0 <= low < high <= 100, got %v and %v", c.ClipLow, c.ClipHigh)
	return errors.Join(faults...)
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// NonFiniteText says what is made of NaN and infinite voxels, as the end of a sentence.
func (c Config) NonFiniteText() string {
	if c.NaN == nil {
		return "they count as background"
	}
	return fmt.Sprintf("they are read as %g", *c.NaN)
}

// Slices returns the number of slices of a grid.
func (c Config) Slices(g volume.Grid) int { return g.Size[c.Axis] }

// SliceSize returns the number of rows and columns of the grid's own slices.
func (c Config) SliceSize(g volume.Grid) (h, w int) {
	s := g.Slices(c.Axis)
	return s.Height, s.Width
}

// check panics where a caller's numbers do not belong together.
func (c Config) check(function string, voxels int, g volume.Grid, k int) {
	if voxels != g.Len() {
		panic(fmt.Sprintf("preprocess: %s: %d values for a grid of %v", function, voxels, g.Size))
	}
	if k < 0 || k >= c.Slices(g) {
		panic(fmt.Sprintf("preprocess: %s: slice %d of %d", function, k, c.Slices(g)))
	}
	if c.Fit != Resize && c.Fit != Pad {
		panic(fmt.Sprintf("preprocess: %s: want fit %s or %s, got %q", function, Resize, Pad, c.Fit))
	}
}

// offset returns the row or column of the canvas at which a padded slice begins; negative where the slice is cut.
func offset(canvas, slice int) int { return int(math.Floor(float64(canvas-slice) / 2)) }
