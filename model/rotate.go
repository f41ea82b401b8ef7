package model

import (
	"math"

	"github.com/nextslice/nextslice/preprocess"
)

// rotation is a turn of a canvas about its middle, and the way back.
type rotation struct {
	sin, cos float64
	h, w     int
	kept     []bool // of the turned canvas: pixels that were made of pixels of the canvas alone
}

// turn writes the turned image: the content at (row, column) counted from the middle moves by angle, in radians.
// Values are bilinear, and 0 where they come from outside.
func (r *rotation) turn(dst, image []float32, h, w int, angle float64) {
	r.sin, r.cos = math.Sincos(angle)
	r.h, r.w = h, w
	if len(r.kept) != h*w {
		r.kept = make([]bool, h*w)
	}
	for row := range h {
		for column := range w {
			y, x := r.source(row, column, 1)
			dst[row*w+column] = preprocess.Bilinear(image, h, w, y, x)
			r.kept[row*w+column] = r.inside(y, x)
		}
	}
}

// back writes class probabilities of the turned canvas [h w K] as they lie on the canvas itself, bilinear. valid tells
// which pixels they are known of: those that did not leave the canvas, and whose values are not mixed with what was
// outside of it. The others are 0.
func (r *rotation) back(dst []float32, valid []bool, probs []float32, classes int) {
	for row := range r.h {
		for column := range r.w {
			at := row*r.w + column
			out := dst[at*classes : (at+1)*classes]
			y, x := r.source(row, column, -1)
			valid[at] = false
			clear(out)
			if !r.inside(y, x) {
				continue
			}
			top, left := int(y), int(x)
			fy, fx := float32(y-float64(top)), float32(x-float64(left))
			below, right := min(top+1, r.h-1)*r.w, min(left+1, r.w-1)
			top *= r.w
			if !r.kept[top+left] || !r.kept[top+right] || !r.kept[below+left] || !r.kept[below+right] {
				continue
			}
			valid[at] = true
			a, b := probs[(top+left)*classes:][:classes], probs[(top+right)*classes:][:classes]
			c, d := probs[(below+left)*classes:][:classes], probs[(below+right)*classes:][:classes]
			for k := range out {
				upper, lower := a[k]+fx*(b[k]-a[k]), c[k]+fx*(d[k]-c[k])
				out[k] = upper + fy*(lower-upper)
			}
		}
	}
}

// source returns where the value of a pixel comes from, when turning (direction 1) or turning back (-1).
func (r *rotation) source(row, column int, direction float64) (y, x float64) {
	midX, midY := float64(r.w-1)/2, float64(r.h-1)/2
	dx, dy := float64(column)-midX, float64(row)-midY
	sin := direction * r.sin
	return midY - sin*dx + r.cos*dy, midX + r.cos*dx + sin*dy
}

// inside tells whether a place lies between the middles of the canvas' outermost pixels.
func (r *rotation) inside(y, x float64) bool {
	return y >= 0 && x >= 0 && y <= float64(r.h-1) && x <= float64(r.w-1)
}
