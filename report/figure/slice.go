package figure

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"

	"github.com/nextslice/nextslice/preprocess"
	"github.com/nextslice/nextslice/volume"
)

// Picture is a slice of a test case with the contours of its reference and of predictions.
type Picture struct {
	Title       string
	png         []byte
	size        [2]int     // columns and rows of the cut-out
	pixel       [2]float64 // width and height of a pixel, in mm or voxels
	letters     [4]string  // of the left, right, upper and lower edge; "" where the file does not tell
	reference   string     // path along the edges of pixels
	Predictions []Prediction
}

// Prediction is one contour.
type Prediction struct {
	Strategy string
	Dice     float64 // 3D, of the whole case, mean over classes, 0 to 1; NaN is not shown
	path     string
}

// LargestSlice returns the slice with the most foreground.
func LargestSlice(p preprocess.Config, m *volume.Mask) int {
	best, most := 0, -1
	for k := range p.Slices(m.Grid) {
		n := 0
		for _, class := range m.Slice(p.Axis, k) {
			if class != 0 {
				n++
			}
		}
		if n > most {
			best, most = k, n
		}
	}
	return best
}

// NewPicture cuts a slice out around all foreground of the masks, with a margin. preds are named like the predictions.
func NewPicture(title string, p preprocess.Config, v *volume.Volume, k int, ref *volume.Mask, preds []*volume.Mask, named []Prediction) Picture {
	cut := v.Slices(p.Axis)
	view := cut.View()
	masks := append([]*volume.Mask{ref}, preds...)
	labels := make([][]uint8, len(masks))
	var newH, newW int
	for i, m := range masks {
		labels[i], newH, newW = volume.Turn(view, m.Slice(p.Axis, k), cut.Height, cut.Width)
	}
	pixels, h, w := volume.Turn(view, v.Slice(p.Axis, k), cut.Height, cut.Width)
	if h != newH || w != newW {
		panic("figure: NewPicture: masks and image differ in size")
	}
	row, column := cut.PixelSize()
	if view.Transpose {
		row, column = column, row
	}
	x0, y0, x1, y1 := cutOut(labels, h, w)
	out := Picture{Title: title, size: [2]int{x1 - x0, y1 - y0}, pixel: [2]float64{column, row}, letters: [4]string{view.Left, view.Right, view.Top, view.Bottom}}
	out.png = grayPNG(pixels, w, x0, y0, x1, y1)
	out.reference = edges(labels[0], w, x0, y0, x1, y1)
	for i, one := range named {
		one.path = edges(labels[i+1], w, x0, y0, x1, y1)
		out.Predictions = append(out.Predictions, one)
	}
	return out
}

// cutOut returns the box around the foreground of all masks with a margin of a quarter of its side, 12 pixels at least.
func cutOut(labels [][]uint8, h, w int) (x0, y0, x1, y1 int) {
	x0, y0 = w, h
	for _, mask := range labels {
		for i, class := range mask {
			if class != 0 {
				x0, y0, x1, y1 = min(x0, i%w), min(y0, i/w), max(x1, i%w+1), max(y1, i/w+1)
			}
		}
	}
	if x1 <= x0 {
		return 0, 0, w, h
	}
	margin := max(12, max(x1-x0, y1-y0)/4)
	return max(0, x0-margin), max(0, y0-margin), min(w, x1+margin), min(h, y1+margin)
}

// grayPNG encodes a part of a slice, black at the 1st percentile of the part and white at the 99th.
func grayPNG(pixels []float32, w, x0, y0, x1, y1 int) []byte {
	var sorted []float32
	for y := y0; y < y1; y++ {
		sorted = append(sorted, pixels[y*w+x0:y*w+x1]...)
	}
	slices.Sort(sorted)
	low, high := sorted[len(sorted)/100], sorted[len(sorted)-1-len(sorted)/100]
	if high <= low {
		high = low + 1
	}
	im := image.NewGray(image.Rect(0, 0, x1-x0, y1-y0))
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			v := (pixels[y*w+x] - low) / (high - low)
			im.SetGray(x-x0, y-y0, color.Gray{uint8(math.Round(255 * float64(min(1, max(0, v)))))})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		panic("figure: png: " + err.Error()) // a buffer does not fail
	}
	return b.Bytes()
}

// edges returns the contour of the classes as an SVG path along the edges between pixels of different class: nothing is
// smoothed. Edges that follow each other on a line are one stroke.
func edges(labels []uint8, w, x0, y0, x1, y1 int) string {
	at := func(x, y int) uint8 {
		if x < x0 || y < y0 || x >= x1 || y >= y1 {
			return 0
		}
		return labels[y*w+x]
	}
	var b strings.Builder
	for y := y0; y <= y1; y++ {
		for x := x0; x < x1; x++ {
			begin := x
			for x < x1 && at(x, y-1) != at(x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&b, "M%d %dh%d", begin-x0, y-y0, x-begin)
			}
		}
	}
	for x := x0; x <= x1; x++ {
		for y := y0; y < y1; y++ {
			begin := y
			for y < y1 && at(x-1, y) != at(x, y) {
				y++
			}
			if y > begin {
				fmt.Fprintf(&b, "M%d %dv%d", x-x0, begin-y0, y-begin)
			}
		}
	}
	return b.String()
}

// HTML draws the picture once without and then with each prediction. id is that of the slice in the page, which the
// drawings share.
func (p Picture) HTML(id string) (slice, panels template.HTML) {
	width, height := float64(p.size[0])*p.pixel[0], float64(p.size[1])*p.pixel[1]
	slice = template.HTML(fmt.Sprintf(`<image id="%s" width="%d" height="%d" preserveAspectRatio="none" href="data:image/png;base64,%s"/>`,
		id, p.size[0], p.size[1], base64.StdEncoding.EncodeToString(p.png)))
	var s svg
	s.add(`<div class="slices"><h5>%s</h5><div>`, html.EscapeString(p.Title))
	panel := func(caption, path string) {
		s.add(`<figure><svg viewBox="0 0 %.2f %.2f" role="img" aria-label="%s"><g transform="scale(%.4f %.4f)"><use href="#%s"/><path class="ref" d="%s"/>`,
			width, height, html.EscapeString(caption), p.pixel[0], p.pixel[1], id, p.reference)
		if path != "" {
			s.add(`<path class="pred" d="%s"/>`, path)
		}
		s.add(`</g>`)
		size := 0.07 * height
		for i, letter := range p.letters {
			if letter == "" {
				continue
			}
			x, y := width/2, height/2+size/3
			switch i {
			case 0:
				x = 0.6 * size
			case 1:
				x = width - 0.6*size
			case 2:
				y = 0.9 * size
			case 3:
				y = height - 0.3*size
			}
			s.add(`<text class="letter" x="%.2f" y="%.2f" style="font-size:%.2fpx;stroke-width:%.2fpx">%s</text>`, x, y, size, 0.2*size, letter)
		}
		s.add(`</svg><figcaption>%s</figcaption></figure>`, html.EscapeString(caption))
	}
	panel("reference", "")
	for _, one := range p.Predictions {
		caption := one.Strategy
		if !math.IsNaN(one.Dice) {
			caption += fmt.Sprintf(", %.1f %%", 100*one.Dice)
		}
		panel(caption, one.path)
	}
	s.add(`</div></div>`)
	return slice, template.HTML(s.String())
}
