package preprocess

import (
	"fmt"
	"math"

	"github.com/nextslice/nextslice/volume"
)

// Image returns slice k of a normalised volume on the canvas, [Channels Height Width] row by row: resized with bilinear
// interpolation (edge pixels count on beyond the edge), or padded with the lowest value of the whole volume. That is
// what air and the zero fill of scanners look like; 0, the mean, would put a bright frame around the body.
//
// Resizing takes the two nearest pixels of each axis and does not blur first: fine up to a factor of about two, and
// noisier than it could be beyond. With Antialias it takes the mean over the area of a pixel of the canvas.
//
// The first channel is the slice itself; with Stack come the one before it, the one after it, and so on.
func (c Config) Image(data []float32, g volume.Grid, k int) []float32 {
	c.check("Image", len(data), g, k)
	s, pixels := g.Slices(c.Axis), c.Height*c.Width
	out := make([]float32, c.Channels()*pixels)
	if c.Fit == Pad && (c.Height > s.Height || c.Width > s.Width) {
		least := data[0]
		for _, x := range data {
			least = min(least, x)
		}
		for i := range out {
			out[i] = least
		}
	}
	for channel, k := range c.stack(k, s.Count) {
		c.slice(out[channel*pixels:(channel+1)*pixels], data[k*s.Step:], s)
	}
	return out
}

// slice writes one slice, the first of data, to the canvas.
func (c Config) slice(out, data []float32, s volume.Slices) {
	if c.Fit == Pad {
		pad(out, data, c, s)
		return
	}
	s, top, left := c.middle(s)
	data = data[top*s.Down+left*s.Right:]
	if c.Antialias {
		c.average(out, data, s)
		return
	}
	rows, columns := taps(c.Height, s.Height, s.Down), taps(c.Width, s.Width, s.Right)
	for y, row := range rows {
		upper, lower := data[row.a:], data[row.b:]
		line := out[y*c.Width : (y+1)*c.Width]
		for x, column := range columns {
			u := upper[column.a] + column.f*(upper[column.b]-upper[column.a])
			l := lower[column.a] + column.f*(lower[column.b]-lower[column.a])
			line[x] = u + row.f*(l-u)
		}
	}
}

// Labels returns slice k of a mask on the canvas, [Height Width] row by row: resized to the nearest pixel's class, or
// padded with 0, the background.
func (c Config) Labels(data []uint8, g volume.Grid, k int) []uint8 {
	c.check("Labels", len(data), g, k)
	s := g.Slices(c.Axis)
	out := make([]uint8, c.Height*c.Width)
	if c.Fit == Pad {
		pad(out, data[k*s.Step:], c, s)
		return out
	}
	s, top, left := c.middle(s)
	data = data[k*s.Step+top*s.Down+left*s.Right:]
	rows, columns := nearest(c.Height, s.Height, s.Down), nearest(c.Width, s.Width, s.Right)
	for y, row := range rows {
		for x, column := range columns {
			out[y*c.Width+x] = data[row+column]
		}
	}
	return out
}

// Back takes class probabilities on the canvas, [Height Width classes], to the pixels of a slice of g, [h w classes]
// with h and w of SliceSize, and writes them to out. Resized slices are interpolated bilinearly; padded ones are copied
// exactly. Pixels that were cut off get probability 1 for class 0. It needs memory for one row.
func (c Config) Back(probs []float32, classes int, g volume.Grid, k int, out []float32) {
	c.check("Back", g.Len(), g, k)
	s := g.Slices(c.Axis)
	if len(probs) != c.Height*c.Width*classes || len(out) != s.Height*s.Width*classes {
		panic(fmt.Sprintf("preprocess: Back: want [%d %d %d] and [%d %d %d], got %d and %d values",
			c.Height, c.Width, classes, s.Height, s.Width, classes, len(probs), len(out)))
	}
	if c.Fit == Pad {
		c.unpad(probs, classes, s, out)
		return
	}
	width := s.Width
	s, top, left := c.middle(s)
	if s.Height*s.Width*classes < len(out) {
		onlyBackground(out, classes)
	}
	rows, columns := taps(s.Height, c.Height, c.Width*classes), taps(s.Width, c.Width, classes)
	between := make([]float32, c.Width*classes) // the canvas at the height of one row of the slice
	for y, row := range rows {
		upper, lower := probs[row.a:row.a+len(between)], probs[row.b:row.b+len(between)]
		for i, u := range upper {
			between[i] = u + row.f*(lower[i]-u)
		}
		line := out[((top+y)*width+left)*classes:][:s.Width*classes]
		for x, column := range columns {
			a, b := between[column.a:column.a+classes], between[column.b:column.b+classes]
			pixel := line[x*classes : (x+1)*classes]
			for i := range pixel {
				pixel[i] = a[i] + column.f*(b[i]-a[i])
			}
		}
	}
}

// Argmax writes the most probable class of each pixel of [pixels classes] to dst. Of equal probabilities the lowest
// class wins; NaN never does.
func Argmax(dst []uint8, probs []float32, classes int) {
	if len(probs) != len(dst)*classes || classes > 256 {
		panic(fmt.Sprintf("preprocess: Argmax: want [%d %d], got %d values", len(dst), classes, len(probs)))
	}
	for i := range dst {
		best := uint8(0)
		highest := float32(math.Inf(-1))
		for class, p := range probs[i*classes : (i+1)*classes] {
			if p > highest {
				best, highest = uint8(class), p
			}
		}
		dst[i] = best
	}
}

// pad copies the part of a slice that fits, which begins at data[0], to the middle of the canvas.
func pad[T float32 | uint8](out, data []T, c Config, s volume.Slices) {
	top, left := offset(c.Height, s.Height), offset(c.Width, s.Width)
	for y := max(0, top); y < min(c.Height, top+s.Height); y++ {
		for x := max(0, left); x < min(c.Width, left+s.Width); x++ {
			out[y*c.Width+x] = data[(y-top)*s.Down+(x-left)*s.Right]
		}
	}
}

// unpad is the inverse of pad on probabilities.
func (c Config) unpad(probs []float32, classes int, s volume.Slices, out []float32) {
	top, left := offset(c.Height, s.Height), offset(c.Width, s.Width)
	if top < 0 || left < 0 {
		onlyBackground(out, classes)
	}
	first, last := max(0, left), min(c.Width, left+s.Width) // columns of the canvas that the slice has
	for y := max(0, top); y < min(c.Height, top+s.Height); y++ {
		to := ((y-top)*s.Width + first - left) * classes
		copy(out[to:], probs[(y*c.Width+first)*classes:(y*c.Width+last)*classes])
	}
}

// onlyBackground gives every pixel probability 1 for class 0.
func onlyBackground(probs []float32, classes int) {
	clear(probs)
	for i := 0; i < len(probs); i += classes {
		probs[i] = 1
	}
}

// tap says where one pixel of a resized axis gets its value from: (1-f) of the value at offset a and f of that at b.
type tap struct {
	a, b int
	f    float32
}

// taps returns the taps of an axis of n pixels that is made of one of from pixels, which lie stride apart in memory.
func taps(n, from, stride int) []tap {
	out := make([]tap, n)
	for x := range out {
		// Pixel centres: see the package's comment.
		at := (float64(x)+0.5)*float64(from)/float64(n) - 0.5
		a := math.Floor(at)
		out[x] = tap{
			a: min(max(int(a), 0), from-1) * stride,
			b: min(max(int(a)+1, 0), from-1) * stride,
			f: float32(at - a),
		}
	}
	return out
}

// nearest returns the offsets of the pixels nearest to those of a resized axis. A centre between two pixels takes the
// latter.
func nearest(n, from, stride int) []int {
	out := make([]int, n)
	for x := range out {
		out[x] = min((2*x+1)*from/(2*n), from-1) * stride
	}
	return out
}
