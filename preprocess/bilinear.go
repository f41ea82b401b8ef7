package preprocess

import "math"

// Bilinear returns the value of an h × w image at row y, column x, between the four pixels around it. Pixels outside the
// image count as 0.
func Bilinear(image []float32, h, w int, y, x float64) float32 {
	top, left := math.Floor(y), math.Floor(x)
	r, c := int(top), int(left)
	fy, fx := float32(y-top), float32(x-left)
	if uint(r) < uint(h-1) && uint(c) < uint(w-1) {
		i := r*w + c
		a, b := image[i:i+2], image[i+w:i+w+2]
		upper, lower := a[0]+fx*(a[1]-a[0]), b[0]+fx*(b[1]-b[0])
		return upper + fy*(lower-upper)
	}
	if r < -1 || r >= h || c < -1 || c >= w {
		return 0
	}
	pixel := func(r, c int) float32 {
		if uint(r) < uint(h) && uint(c) < uint(w) {
			return image[r*w+c]
		}
		return 0
	}
	upper := pixel(r, c) + fx*(pixel(r, c+1)-pixel(r, c))
	lower := pixel(r+1, c) + fx*(pixel(r+1, c+1)-pixel(r+1, c))
	return upper + fy*(lower-upper)
}
