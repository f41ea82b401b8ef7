package phantom

import "math"

// scanner is how an image is taken.
type scanner struct {
	pixel, slice float64 // distance of pixels and of slices, mm
	echo         float64 // echo time, ms: the longer, the more water stands out
	fat          float64 // what remains of the signal of fat, 1 without suppression
	blur         float64 // standard deviation of the point spread in the slice, mm
	noise        float64 // standard deviation of the complex noise, relative to water at echo time 0
	bias         float64 // strength of the slow changes of sensitivity, in natural logarithms
	endorectal   bool    // a coil in the rectum: very bright near it
	gain         float64 // of the stored numbers
}

// scanners are what the hospitals of a study have.
var scanners = [...]scanner{
	{pixel: 1.0, slice: 3.6, echo: 100, fat: 1, blur: 0.45, noise: 0.02, bias: 0.15, gain: 900},
	{pixel: 0.8, slice: 3.6, echo: 120, fat: 0.9, blur: 0.6, noise: 0.03, bias: 0.3, gain: 2600},
	{pixel: 0.9, slice: 3.6, echo: 90, fat: 0.75, blur: 0.6, noise: 0.035, bias: 0.25, gain: 400},
	{pixel: 0.6, slice: 3.6, echo: 110, fat: 1, blur: 0.5, noise: 0.03, bias: 0.2, endorectal: true, gain: 350},
}

// affine places the grid: corner is the place of voxel (0, 0, 0) in the patient, tilt the angle of the slices in degrees.
func (s *scanner) affine(corner point, tilt float64) [3][4]float64 {
	sin, cos := math.Sincos(tilt * math.Pi / 180)
	// The world grows to the right and to the front: the first two signs change.
	return [3][4]float64{
		{-s.pixel, 0, 0, -corner[0]},
		{0, -s.pixel * cos, s.slice * sin, -corner[1]*cos + corner[2]*sin},
		{0, s.pixel * sin, s.slice * cos, corner[1]*sin + corner[2]*cos},
	}
}

// signal returns the echo of a tissue.
func (s *scanner) signal(t tissue) float64 {
	v := t.density * math.Exp(-s.echo/t.t2)
	if t.fat {
		v *= s.fat
	}
	return v
}

// blurSlices convolves each slice with a Gaussian, rows and then columns; beyond the edge the last pixel counts on.
func (s *scanner) blurSlices(data []float32, size [3]int) {
	sigma := s.blur / s.pixel
	reach := int(math.Ceil(3 * sigma))
	kernel := make([]float32, 2*reach+1)
	sum := float32(0)
	for i := range kernel {
		kernel[i] = float32(math.Exp(-square(float64(i-reach)/sigma) / 2))
		sum += kernel[i]
	}
	line := make([]float32, max(size[0], size[1]))
	along := func(start, n, stride int) {
		for x := range n {
			line[x] = data[start+x*stride]
		}
		for x := range n {
			v := float32(0)
			for i, weight := range kernel {
				v += weight * line[min(max(x+i-reach, 0), n-1)]
			}
			data[start+x*stride] = v / sum
		}
	}
	for k := range size[2] {
		plane := k * size[0] * size[1]
		for j := range size[1] {
			along(plane+j*size[0], size[0], 1)
		}
		for i := range size[0] {
			along(plane+i, size[1], size[0])
		}
	}
}
