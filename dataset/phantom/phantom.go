package phantom

import (
	"math"
	"math/rand/v2"

	"github.com/nextslice/nextslice/volume"
)

// matrix is the number of rows and of columns of a slice.
const matrix = 128

// study is a patient in a scanner.
type study struct {
	scanner scanner
	anatomy *anatomy
	grid    volume.Grid
	corner  point // place of voxel (0, 0, 0)
}

// Generate draws a case: an image of 128 × 128 pixels of 0.6 to 1 mm and 16 to 24 slices of 3.6 mm, and the mask of its
// prostate (1; 0 elsewhere). A voxel is in the mask if and only if its centre lies in the gland. At least the first two
// and the last two slices show nothing of the gland. The index axes grow to the left, back and head (LPS), tilted by
// some degrees as in a hospital. Values are whole numbers that int16 holds.
//
// The same stream gives the same case on one kind of processor; others may round the last bits otherwise.
func Generate(rng *rand.Rand) (*volume.Volume, *volume.Mask) {
	s := newStudy(rng)
	return s.acquire(rng)
}

// GenerateTwo is Generate with a second image of the same patient on the same grid, weighted by proton density: an echo time
// of a fifth, at which water and muscle are nearly alike.
func GenerateTwo(rng *rand.Rand) (t2, pd *volume.Volume, mask *volume.Mask) {
	s := newStudy(rng)
	t2, mask = s.acquire(rng)
	s.scanner.echo /= 5
	pd, _ = s.acquire(rng)
	return t2, pd, mask
}

// acquire takes an image, and the mask of what is in it.
func (s *study) acquire(rng *rand.Rand) (*volume.Volume, *volume.Mask) {
	signal := make([]float32, s.grid.Len())
	mask := &volume.Mask{Grid: s.grid, Data: make([]uint8, s.grid.Len())}
	index := 0
	for k := range s.grid.Size[2] {
		for j := range matrix {
			for i := range matrix {
				if s.anatomy.gland.depth(s.at(i, j, float64(k))) >= 0 {
					mask.Data[index] = 1
				}
				// A slice is thick: two planes of it are averaged.
				low := s.scanner.signal(s.anatomy.at(s.at(i, j, float64(k)-0.22)))
				high := s.scanner.signal(s.anatomy.at(s.at(i, j, float64(k)+0.22)))
				signal[index] = float32((low + high) / 2)
				index++
			}
		}
	}
	s.scanner.blurSlices(signal, s.grid.Size)
	s.receive(signal, rng)
	return &volume.Volume{Grid: s.grid, Data: signal, Stored: "int16"}, mask
}

func newStudy(rng *rand.Rand) *study {
	between := uniform(rng)
	s := &study{scanner: scanners[rng.IntN(len(scanners))]}
	c := &s.scanner
	c.echo *= between(0.93, 1.07)
	c.noise *= between(0.7, 1.3)
	c.gain *= between(0.7, 1.4)
	s.anatomy = newAnatomy(rng, c.endorectal)

	g := &s.anatomy.gland
	highest := g.farthest(func(d point) float64 { return d[2] })
	lowest := -g.farthest(func(d point) float64 { return -d[2] })
	slices := int(math.Ceil((highest-lowest)/c.slice)) + 5
	slices = min(max(slices, 16)+rng.IntN(5), 24)
	middle := point{between(-5, 5), between(-4, 8)} // of the field of view
	if c.endorectal {
		middle[1] = between(4, 10) // between gland and coil
	}
	const half = (matrix - 1) / 2.
	s.corner = point{
		middle[0] - half*c.pixel,
		middle[1] - half*c.pixel,
		// The lowest slice may lie anywhere as long as two slices remain free below the gland and three above.
		between(highest-float64(slices-3)*c.slice, lowest-2*c.slice),
	}
	s.grid = volume.Grid{Size: [3]int{matrix, matrix, slices}, Affine: c.affine(s.corner, between(-8, 8)), Unit: volume.Millimetre}
	return s
}

// at returns the place of a voxel in the patient.
func (s *study) at(i, j int, k float64) point {
	return point{
		s.corner[0] + float64(i)*s.scanner.pixel,
		s.corner[1] + float64(j)*s.scanner.pixel,
		s.corner[2] + k*s.scanner.slice,
	}
}

// receive turns the signal into the stored numbers: sensitivity of the coil, Rician noise (the magnitude of a complex
// number whose parts have Gaussian noise), gain, whole numbers.
func (s *study) receive(data []float32, rng *rand.Rand) {
	c, bowel := &s.scanner, &s.anatomy.rectum
	slow := texture(rng.Uint64())
	coil := point{0, s.anatomy.gland.axes[1] + bowel.wall + 0.6*bowel.radius, 0}
	hot := 6 + 5*rng.Float64()
	index := 0
	for k := range s.grid.Size[2] {
		for j := range s.grid.Size[1] {
			for i := range s.grid.Size[0] {
				p := s.at(i, j, float64(k))
				sensitivity := math.Exp(c.bias * 1.5 * slow.smooth(p, point{70, 70, 70}))
				if c.endorectal {
					d := p.sub(coil)
					// The coil is a loop: some centimetres long, and narrow.
					sensitivity *= 0.35 + hot/(1+(d[0]*d[0]+d[1]*d[1])/180+d[2]*d[2]/900)
				}
				real := float64(data[index])*sensitivity + c.noise*rng.NormFloat64()
				imaginary := c.noise * rng.NormFloat64()
				data[index] = float32(min(math.Round(c.gain*math.Hypot(real, imaginary)), math.MaxInt16))
				index++
			}
		}
	}
}
