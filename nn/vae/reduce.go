package vae

// largestSide is that of images that the autoencoder sees.
const largestSide = 64

// ReducedSize returns the sides of what Reduce makes of an image.
func ReducedSize(h, w int) (rows, columns int) {
	for h > largestSide || w > largestSide {
		h, w = h/2, w/2
	}
	up := func(n int) int { return max(16, (n+15)/16*16) }
	return up(h), up(w)
}

// Reduce averages an image [C h w] over 2×2 pixels until no side exceeds 64, a last odd row or column being dropped, and writes it to dst, [rows columns C],
// with zeros below and to the right.
func Reduce(dst, image []float32, channels, h, w int) {
	rows, columns := ReducedSize(h, w)
	clear(dst[:rows*columns*channels])
	factor := 1
	for h/factor > largestSide || w/factor > largestSide {
		factor *= 2
	}
	scale := 1 / float32(factor*factor)
	for c := range channels {
		plane := image[c*h*w:][:h*w]
		for y := range h / factor {
			for x := range w / factor {
				sum := float32(0)
				for a := range factor {
					for b := range factor {
						sum += plane[(y*factor+a)*w+x*factor+b]
					}
				}
				dst[(y*columns+x)*channels+c] = sum * scale
			}
		}
	}
}
