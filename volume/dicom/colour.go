package dicom

import "math"

// The white and the matrices of sRGB (IEC 61966-2-1), D65. DICOM means D50; the programs that write segmentations (dcmqi,
// 3D Slicer) use D65, and what counts is that their colours come back.
var (
	whiteD65 = [3]float64{0.95047, 1, 1.08883}
	fromXYZ  = [3][3]float64{{3.2404542, -1.5371385, -0.4985314}, {-0.9692660, 1.8760108, 0.0415560}, {0.0556434, -0.2040259, 1.0572252}}
	toXYZ    = [3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}
)

// fromLab returns the sRGB colour of a Recommended Display CIELab Value: L from 0 to 100, a and b from -128 to 127, each
// scaled to 0 to 65535 (PS3.3, C.10.7.1.1).
func fromLab(lab [3]int) [3]uint8 {
	l := float64(lab[0]) / 65535 * 100
	fy := (l + 16) / 116
	f := [3]float64{fy + (float64(lab[1])/65535*255-128)/500, fy, fy - (float64(lab[2])/65535*255-128)/200}
	var xyz [3]float64
	for i, x := range f {
		if x > 6.0/29 {
			xyz[i] = whiteD65[i] * x * x * x
		} else {
			xyz[i] = whiteD65[i] * 3 * (6.0 / 29) * (6.0 / 29) * (x - 4.0/29)
		}
	}
	var out [3]uint8
	for i, row := range fromXYZ {
		v := dot(row, xyz)
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		out[i] = uint8(math.Round(255 * min(max(v, 0), 1)))
	}
	return out
}

// toLab is the inverse of fromLab.
func toLab(rgb [3]uint8) [3]int {
	var linear [3]float64
	for i, v := range rgb {
		x := float64(v) / 255
		if x <= 0.04045 {
			linear[i] = x / 12.92
		} else {
			linear[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	var f [3]float64
	for i, row := range toXYZ {
		x := dot(row, linear) / whiteD65[i]
		if x > 216.0/24389 {
			f[i] = math.Cbrt(x)
		} else {
			f[i] = x/(3*(6.0/29)*(6.0/29)) + 4.0/29
		}
	}
	lab := [3]float64{(116*f[1] - 16) / 100, (500*(f[0]-f[1]) + 128) / 255, (200*(f[1]-f[2]) + 128) / 255}
	var out [3]int
	for i, v := range lab {
		out[i] = int(math.Round(65535 * min(max(v, 0), 1)))
	}
	return out
}
