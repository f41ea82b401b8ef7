package volume

import (
	"slices"
	"strings"
)

// View says how a slice is turned from the way it is stored to the way radiologists look at it: the patient's left or
// back on the right-hand side, the back or the feet at the bottom. It is transposed first, then mirrored. Edges are the
// sides of the patient in the view.
type View struct {
	Transpose, FlipX, FlipY bool
	Edges
}

// View returns the radiological view of the slices. Where the unit is not the millimetre they stay as they are stored.
func (s Slices) View() View {
	v := View{Edges: s.Edges()}
	if v.Edges == (Edges{}) {
		return v
	}
	if strings.Contains("SI", v.Right) || strings.Contains("LR", v.Bottom) {
		v.Transpose = true
		v.Edges = Edges{v.Top, v.Bottom, v.Left, v.Right}
	}
	if v.FlipX = v.Right == "R" || v.Right == "A"; v.FlipX {
		v.Left, v.Right = v.Right, v.Left
	}
	if v.FlipY = v.Bottom == "A" || v.Bottom == "S"; v.FlipY {
		v.Top, v.Bottom = v.Bottom, v.Top
	}
	return v
}

// Turn returns pixels, [h w], as a view shows them, in memory of their own, with their new height and width.
func Turn[T any](v View, pixels []T, h, w int) ([]T, int, int) {
	if v.Transpose {
		turned := make([]T, len(pixels))
		for y := range h {
			for x := range w {
				turned[x*h+y] = pixels[y*w+x]
			}
		}
		pixels, h, w = turned, w, h
	} else {
		pixels = slices.Clone(pixels)
	}
	for y := range h {
		if v.FlipX {
			slices.Reverse(pixels[y*w : (y+1)*w])
		}
	}
	if v.FlipY {
		for y := range h / 2 {
			for x := range w {
				a, b := y*w+x, (h-1-y)*w+x
				pixels[a], pixels[b] = pixels[b], pixels[a]
			}
		}
	}
	return pixels, h, w
}
