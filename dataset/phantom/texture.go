package phantom

import "math"

// point is a place or a direction in the patient: left, back, head, in millimetres.
type point [3]float64

func (p point) sub(q point) point { return point{p[0] - q[0], p[1] - q[1], p[2] - q[2]} }

func (p point) length() float64 { return math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2]) }

// texture is a random function of the place, smooth at the scale of a millimetre. Its value is a number, so that it
// can be handed around; the same number is the same function.
type texture uint64

// lattice returns a number uniform in -1 … 1 that belongs to a point of the lattice of whole numbers (the mixing steps
// are those of SplitMix64: Steele, Lea, Flood 2014).
func (t texture) lattice(x, y, z int) float64 {
	h := uint64(t) + uint64(x)*0x9e3779b97f4a7c15 + uint64(y)*0xc2b2ae3d27d4eb4f + uint64(z)*0x165667b19e3779f9
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	return float64(h>>11)/(1<<52) - 1
}

// smooth returns the texture at p, -1 … 1, with structures of about the given size in mm along each axis.
func (t texture) smooth(p point, size point) float64 {
	var cell [3]int
	var f [3]float64
	for a := range 3 {
		v := p[a] / size[a]
		whole := math.Floor(v)
		cell[a] = int(whole)
		v -= whole
		f[a] = v * v * (3 - 2*v)
	}
	edge := func(y, z int) float64 {
		left, right := t.lattice(cell[0], y, z), t.lattice(cell[0]+1, y, z)
		return left + f[0]*(right-left)
	}
	face := func(z int) float64 {
		front, back := edge(cell[1], z), edge(cell[1]+1, z)
		return front + f[1]*(back-front)
	}
	low, high := face(cell[2]), face(cell[2]+1)
	return low + f[2]*(high-low)
}

// rough returns the texture at p, about -1 … 1, with structures of the given size and finer ones of half that size.
func (t texture) rough(p point, size float64) float64 {
	return 0.65*t.smooth(p, point{size, size, size}) + 0.35*(t+1).smooth(p, point{size / 2, size / 2, size / 2})
}

// cells divides space into cells of about the given size around random points (Worley 1996). It returns the cell that p
// lies in, as a number uniform in -1 … 1, and how far p is from its border: 0 on it, towards 1 inside.
func (t texture) cells(p point, size float64) (cell, depth float64) {
	var base [3]int
	for a := range 3 {
		base[a] = int(math.Floor(p[a] / size))
	}
	nearest, second := math.Inf(1), math.Inf(1)
	for dz := -1; dz <= 1; dz++ {
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				x, y, z := base[0]+dx, base[1]+dy, base[2]+dz
				seed := point{
					(float64(x) + 0.5 + 0.4*(t+2).lattice(x, y, z)) * size,
					(float64(y) + 0.5 + 0.4*(t+3).lattice(x, y, z)) * size,
					(float64(z) + 0.5 + 0.4*(t+4).lattice(x, y, z)) * size,
				}
				d := p.sub(seed).length()
				if d < nearest {
					nearest, second = d, nearest
					cell = t.lattice(x, y, z)
				} else if d < second {
					second = d
				}
			}
		}
	}
	return cell, min(1, (second-nearest)/size)
}
