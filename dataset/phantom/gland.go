package phantom

import (
	"math"
	"math/rand/v2"
)

// gland is the prostate: an ellipsoid whose radius is changed by a few smooth waves over the directions, narrower
// towards the feet (its apex) and dented at the back.
type gland struct {
	axes   point      // half axes, mm: left-right, front-back, feet-head
	waves  [9]dirWave // of the radius
	taper  float64    // how much narrower the apex is than the middle
	dent   float64    // depth of the groove in the middle of the back, as a part of the radius
	reach  float64    // no point of the surface is farther from the middle, mm
	inner  point      // half axes of the transition zone, as parts of those of the gland
	noise  texture
	tumour point   // in the peripheral zone
	size   float64 // of the tumour, mm; 0: none
}

// dirWave is amplitude · cos(frequency · direction + phase), a smooth function of the direction.
type dirWave struct {
	frequency        point
	amplitude, phase float64
}

func newGland(rng *rand.Rand) gland {
	between := uniform(rng)
	volume := between(0.88, 1.2) // benign growth makes all of it larger, and the transition zone most
	g := gland{
		axes:  point{24 * volume * between(0.93, 1.07), 16.5 * volume * between(0.9, 1.15), 19.5 * volume * between(0.9, 1.12)},
		taper: between(0.12, 0.3),
		dent:  between(0.02, 0.1),
		noise: texture(rng.Uint64()),
	}
	for i := range g.waves {
		frequency := point{between(-3, 3), between(-3, 3), between(-2, 2)}
		// High frequencies are weaker: the surface stays round.
		g.waves[i] = dirWave{frequency, 0.05 / (1 + 0.3*frequency.length()) * rng.NormFloat64(), between(0, 2*math.Pi)}
	}
	g.reach = 1.01 * g.farthest(func(d point) float64 { return 1 })
	growth := 0.62 + 0.6*(volume-0.88)
	g.inner = point{growth * between(0.95, 1.05), growth * between(0.95, 1.1), growth * between(1, 1.15)}
	if rng.Float64() < 0.5 {
		side := math.Copysign(between(0.3, 0.7), between(-1, 1))
		g.tumour, g.size = point{side * g.axes[0], 0.7 * g.axes[1] * math.Sqrt(1-side*side), between(-0.4, 0.4) * g.axes[2]}, between(3, 6)
	}
	return g
}

// radius returns the distance of the surface from the middle, in the direction d of length 1.
func (g *gland) radius(d point) float64 {
	x := d[0] / g.axes[0] * (1 - g.taper*d[2]) // wider towards the head
	y, z := d[1]/g.axes[1], d[2]/g.axes[2]
	r := 1 / math.Sqrt(x*x+y*y+z*z)
	change := 0.0
	for _, w := range g.waves {
		change += w.amplitude * math.Cos(w.frequency[0]*d[0]+w.frequency[1]*d[1]+w.frequency[2]*d[2]+w.phase)
	}
	if d[1] > 0 {
		change -= g.dent * d[1] * math.Exp(-d[0]*d[0]/0.06)
	}
	return r * (1 + change)
}

// depth returns how far p lies inside the surface, along the line to the middle, in mm; negative outside.
func (g *gland) depth(p point) float64 {
	length := p.length()
	switch {
	case length == 0:
		return g.radius(point{1, 0, 0})
	case length > g.reach:
		return g.reach - length
	}
	return g.radius(point{p[0] / length, p[1] / length, p[2] / length}) - length
}

// farthest returns the largest value of radius(d) · along(d) over all directions d.
func (g *gland) farthest(along func(d point) float64) float64 {
	const steps = 64
	largest := math.Inf(-1)
	for i := range steps {
		for j := range steps {
			sin, cos := math.Sincos(math.Pi * (float64(i) + 0.5) / steps)
			sin2, cos2 := math.Sincos(2 * math.Pi * float64(j) / steps)
			d := point{sin * cos2, sin * sin2, cos}
			largest = max(largest, g.radius(d)*along(d))
		}
	}
	return largest
}

// tissueAt returns the tissue at a point that lies depth mm inside the gland.
func (g *gland) tissueAt(p point, depth float64) tissue {
	x, y, z := p[0]/g.axes[0], p[1]/g.axes[1], p[2]/g.axes[2]
	rough := g.noise.rough(p, 5)
	if g.size > 0 && p.sub(g.tumour).length() < g.size*(1+0.3*rough) {
		return glandTumour.with(1 + 0.1*rough)
	}
	// The urethra enters at the base and leaves at the apex, a little before the middle.
	if dx, dy := p[0], p[1]+2+2*z; dx*dx+dy*dy < 4.5 {
		return urethra
	}
	if square(x/(0.5+0.1*rough))+square((y+0.95)/(0.5+0.1*rough)) < 1 { // the stroma at the front
		return fibrous.with(1 + 0.15*rough)
	}
	zx, zy, zz := x/g.inner[0], (y+0.2)/g.inner[1], (z-0.1)/g.inner[2]
	switch level := math.Sqrt(zx*zx + zy*zy + zz*zz); {
	case level < 0.95: // nodules of all kinds, each with a dark rim
		cell, border := g.noise.cells(p, 8)
		if border < 0.1 {
			return fibrous.with(1.35)
		}
		return transition.with(1 + 0.45*cell + 0.12*rough)
	case level < 1.03:
		return fibrous.with(1.2) // the surgical capsule
	}
	if depth < 0.9 && rough > -0.3 { // the true capsule is seen in places
		return fibrous.with(1.25)
	}
	if z > 0.55 && y < 0.6 {
		return transition.with(0.85 + 0.1*rough) // the central zone, dark at the base
	}
	return peripheral.with(1 + 0.3*rough + 0.1*g.noise.smooth(p, point{1.5, 3, 4}))
}
