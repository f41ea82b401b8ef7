package phantom

import (
	"math"
	"math/rand/v2"
)

// tissue is what a scanner sees of a place. Its signal at echo time TE is density · exp(-TE / t2).
type tissue struct {
	density float64 // of protons, 1 is water
	t2      float64 // ms, as fast spin echo sequences show it (fat is brighter there than its T2 says)
	fat     bool
}

// with returns the tissue with another T2.
func (t tissue) with(factor float64) tissue {
	t.t2 *= max(factor, 0.1)
	return t
}

// The values are set so that the order of brightness is that of T2-weighted images: fluid, fat and peripheral zone,
// transition zone and marrow, muscle, fibrous tissue, cortical bone and gas.
var (
	fluid       = tissue{density: 1, t2: 700}
	fatty       = tissue{density: 0.9, t2: 150, fat: true}
	marrow      = tissue{density: 0.8, t2: 115, fat: true}
	cortex      = tissue{density: 0.15, t2: 20}
	muscle      = tissue{density: 0.85, t2: 48}
	wall        = tissue{density: 0.85, t2: 62}
	fibrous     = tissue{density: 0.8, t2: 50}
	veins       = tissue{density: 0.95, t2: 165}
	erectile    = tissue{density: 0.95, t2: 150}
	stool       = tissue{density: 0.8, t2: 90}
	gas         = tissue{density: 0.02, t2: 20}
	peripheral  = tissue{density: 0.95, t2: 145}
	transition  = tissue{density: 0.9, t2: 84}
	glandTumour = tissue{density: 0.9, t2: 68}
	urethra     = tissue{density: 0.95, t2: 170}
)

// ellipsoid is a shape of the anatomy. Where both is set, its mirror image on the other side belongs to it.
type ellipsoid struct {
	middle, axes point
	turn         float64 // about the feet-head axis, radians
	both         bool
}

// depth returns about how far p lies inside the surface in mm; negative outside, and minus infinity far from it.
func (e *ellipsoid) depth(p point) float64 {
	// Most shapes are far from most voxels: they leave here.
	z := p[2] - e.middle[2]
	if z > e.axes[2] || z < -e.axes[2] {
		return math.Inf(-1)
	}
	x, y := p[0], p[1]-e.middle[1]
	if e.both && (x < 0) != (e.middle[0] < 0) {
		x = -x
	}
	x -= e.middle[0]
	if far := max(e.axes[0], e.axes[1]); x > far || x < -far || y > far || y < -far {
		return math.Inf(-1)
	}
	sin, cos := math.Sincos(e.turn)
	x, y = cos*x+sin*y, cos*y-sin*x
	level := math.Sqrt(square(x/e.axes[0]) + square(y/e.axes[1]) + square(z/e.axes[2]))
	return (1 - level) * min(e.axes[0], e.axes[1], e.axes[2])
}

func square(x float64) float64 { return x * x }

// anatomy is one patient.
type anatomy struct {
	gland gland
	scale float64 // of everything around the gland
	warp  texture // bends everything around the gland
	noise texture

	bladder, vesicles            ellipsoid
	bulb, crura, plexus, bundles ellipsoid
	bones, muscles               []ellipsoid
	rectum                       rectum
}

// rectum is a tube behind the gland that bends to the side and changes its width.
type rectum struct {
	radius, wall float64
	sway         texture
	filling      filling
}

type filling int

const (
	filledWithGas filling = iota
	filledWithStool
	empty
	balloon // of an endorectal coil
)

func newAnatomy(rng *rand.Rand, endorectal bool) *anatomy {
	between := uniform(rng)
	a := &anatomy{gland: newGland(rng), scale: between(0.92, 1.08), warp: texture(rng.Uint64()), noise: texture(rng.Uint64())}
	x, y, z := a.gland.axes[0], a.gland.axes[1], a.gland.axes[2]

	full := between(0, 1)
	up := between(11, 15) + 12*full
	a.bladder = ellipsoid{middle: point{between(-4, 4), between(-14, -6), 0.7*z + up}, axes: point{20 + 14*full, 17 + 9*full, up}}
	a.vesicles = ellipsoid{middle: point{13, 0.5*y + 5, 0.85*z + 4}, axes: point{between(13, 17), between(4, 7), between(7, 10)}, turn: -0.3, both: true}
	a.bulb = ellipsoid{middle: point{0, between(0, 6), -z - between(13, 17)}, axes: point{between(9, 13), between(8, 12), 10}}
	a.crura = ellipsoid{middle: point{19, -4, -z - 15}, axes: point{5, 11, 12}, turn: 0.5, both: true}
	a.plexus = ellipsoid{middle: point{0, -y - 3, -3}, axes: point{between(14, 20), between(4, 7), z}}
	a.bundles = ellipsoid{middle: point{0.8 * x, 0.85 * y, 0}, axes: point{6, 5, 0.9 * z}, both: true}

	side := func(left, back, head, ax, ay, az, turn float64) ellipsoid {
		return ellipsoid{middle: point{left, back, head}, axes: point{ax, ay, az}, turn: turn, both: true}
	}
	a.bones = []ellipsoid{
		side(80, -3, 20, 24, 24, 24, 0),     // femoral head
		side(60, 12, 26, 9, 27, 26, -0.35),  // acetabulum
		side(50, 16, -24, 9, 15, 24, 0.3),   // ischium
		side(15, -42, 0, 15, 8, 15, 0.35),   // pubic body
		side(29, -20, -29, 6, 24, 9, -0.75), // lower ramus of the pubis
		side(0, 66, 24, 13, 7, 30, 0),       // coccyx
	}
	a.muscles = []ellipsoid{
		side(40, 4, 6, 7.5, 33, 55, -0.12),  // obturator internus
		side(46, -32, -18, 22, 10, 24, 0.5), // obturator externus and pectineus
		side(36, -52, -36, 26, 18, 22, 0.2), // adductors
		side(44, 61, -6, 36, 14, 50, -0.3),  // gluteus maximus
		side(56, -56, 10, 12, 12, 60, 0),    // iliopsoas
		side(30, 50, 30, 22, 6, 22, -0.6),   // piriformis and coccygeus
		side(11, -48, 30, 11, 5, 30, 0.1),   // rectus abdominis
		side(14, 14, -38, 14, 3, 5, 0.2),    // perineal muscles
	}

	a.rectum = rectum{radius: between(9, 15), wall: between(2.5, 4), sway: texture(rng.Uint64()), filling: filling(rng.IntN(3))}
	switch {
	case endorectal:
		a.rectum.filling, a.rectum.radius = balloon, between(16, 20)
	case a.rectum.filling == empty:
		a.rectum.radius = between(6, 8)
	}
	return a
}

// at returns the tissue at p. What is nearer to the viewer of a layered drawing comes first.
func (a *anatomy) at(p point) tissue {
	if depth := a.gland.depth(p); depth >= 0 {
		return a.gland.tissueAt(p, depth)
	}
	// All other shapes are bent by some millimetres, so that none is an ellipsoid, and left differs from right.
	q := p
	for axis := range 3 {
		shift := 2.2*(a.warp+texture(10*axis)).smooth(p, point{14, 14, 20}) + 1.2*(a.warp+texture(10*axis+5)).smooth(p, point{6, 6, 10})
		q[axis] = p[axis] + shift
	}
	if t, ok := a.organ(q); ok {
		return t
	}
	return a.frame(point{q[0] / a.scale, q[1] / a.scale, q[2] / a.scale})
}

// organ returns the tissue where one of the soft organs next to the gland lies.
func (a *anatomy) organ(p point) (tissue, bool) {
	if t, ok := a.bowel(p); ok {
		return t, true
	}
	if depth := a.bladder.depth(p); depth >= 0 {
		if depth < 3 {
			return wall, true
		}
		return fluid, true
	}
	if a.vesicles.depth(p) >= 0 { // coiled tubes: fluid between thin walls
		cell, border := a.noise.cells(p, 4.5)
		if border < 0.22 {
			return fibrous.with(1.2), true
		}
		return veins.with(1.1 + 0.5*cell), true
	}
	z := a.gland.axes[2]
	if p[2] < 4-z && p[2] > -z-13 { // the sphincter around the urethra below the apex
		switch r := math.Hypot(p[0], p[1]+1); {
		case r < 2:
			return urethra, true
		case r < 4.5:
			return wall.with(1.15), true
		case r < 8:
			return muscle, true
		}
	}
	if depth := a.bulb.depth(p); depth >= 0 {
		if depth < 1.2 {
			return muscle, true
		}
		return erectile.with(0.85 + 0.2*a.noise.rough(p, 4)), true
	}
	if depth := a.crura.depth(p); depth >= 0 {
		if depth < 1.2 {
			return fibrous, true
		}
		return erectile.with(0.9 + 0.3*a.noise.rough(p, 4)), true
	}
	if a.plexus.depth(p) >= 0 || a.bundles.depth(p) >= 0 { // veins in fat, with dark walls
		cell, border := a.noise.cells(p, 5)
		if border < 0.2 {
			return fibrous.with(1.1), true
		}
		return veins.with(0.8 + 0.6*cell), true
	}
	return tissue{}, false
}

// bowel returns the tissue where the rectum or the anal canal lies.
func (a *anatomy) bowel(p point) (tissue, bool) {
	r, z := &a.rectum, p[2]
	g := a.gland.axes
	radius := r.radius * (1 + 0.25*r.sway.smooth(point{0, 0, z}, point{1, 1, 15}))
	canal := smoothstep(-g[2]+6, -g[2]-14, z) // 1 where the bowel has narrowed to the anal canal
	radius += canal * (5 - radius)
	// The front wall follows the back of the gland, and runs backwards below the apex.
	front := g[1]*math.Sqrt(max(0, 1-square(z/g[2]))) + 0.5
	if z > 0 {
		front = g[1] - 0.1*z
	}
	front += canal * (g[1] - front)
	middle := point{4 * (r.sway+1).smooth(point{0, 0, z}, point{1, 1, 25}), front + r.wall + radius, z}
	d := p.sub(middle)
	out := math.Hypot(d[0], d[1]) - radius
	thick := r.wall + 4*canal
	switch {
	case out > thick:
		return tissue{}, false
	case out > 0.6*thick:
		return muscle, true
	case out > 0:
		return wall.with(1.2), true
	}
	switch {
	case canal > 0.6 || r.filling == empty:
		return wall.with(1.5 + 0.6*a.noise.rough(p, 3)), true
	case r.filling == filledWithGas:
		if d[1] > 0.6*radius { // fluid runs to the back of a patient who lies on it
			return stool.with(1.2 + 0.3*a.noise.rough(p, 4)), true
		}
		return gas, true
	case r.filling == balloon:
		switch core := math.Hypot(d[0], d[1]+0.25*radius); {
		case core < 2.5:
			return gas, true
		case core < 5:
			return wall, true
		}
		return gas.with(2), true
	}
	return stool.with(1 + 0.5*a.noise.rough(p, 6)), true
}

// frame returns the tissue of the pelvis around the organs: muscles, bones, vessels, and fat for the rest.
func (a *anatomy) frame(p point) tissue {
	// The levator ani: a funnel of a thin sheet around gland and bowel, open to the front.
	if z := p[2]; z < 14 && z > -38 && p[1] > -18 {
		narrow := smoothstep(10, -36, z)
		r := 30 - 16*narrow
		if d := math.Hypot(p[0], (p[1]-12-9*narrow)/1.25) - r; math.Abs(d) < 1.6 {
			return muscle.with(1 + 0.15*a.noise.rough(p, 3))
		}
	}
	if math.Abs(p[0]) < 2.5 && p[1] < -36 && p[1] > -53 && math.Abs(p[2]) < 15 {
		return fibrous.with(1.3) // the disc between the pubic bones
	}
	for i := range a.bones {
		if depth := a.bones[i].depth(p); depth >= 0 {
			if depth < 1.7 {
				return cortex
			}
			return marrow.with(1 + 0.2*a.noise.rough(p, 5))
		}
	}
	for _, vessel := range [2]struct {
		x, y, r float64
		inside  tissue
	}{{47, -54, 4.5, gas}, {38, -52, 5.5, muscle}} { // the blood of an artery leaves before its echo
		if r := math.Hypot(math.Abs(p[0])-vessel.x, p[1]-vessel.y-0.2*p[2]); r < vessel.r {
			if r > vessel.r-1 {
				return fibrous
			}
			return vessel.inside
		}
	}
	for i := range a.muscles {
		if a.muscles[i].depth(p) >= 0 { // fibres run along z and obliquely, with fat between them
			fibre := a.noise.smooth(point{p[0] + 0.4*p[1], p[1] - 0.3*p[0], p[2]}, point{2, 5, 14})
			if fibre > 0.72 {
				return fatty.with(0.6)
			}
			return muscle.with(1 + 0.2*fibre)
		}
	}
	// Near the midline the fat holds vessels and nerves; farther out only thin septa.
	coarse := a.noise.rough(p, 6)
	septum := math.Abs((a.noise + 7).smooth(p, point{8, 8, 16}))
	if septum < 0.03 {
		return fatty.with(0.55)
	}
	if math.Hypot(p[0], p[1]-8) < 38 && p[2] > -20 && (a.noise+9).rough(p, 3.5) > 0.42 {
		return wall.with(1.3 + 0.4*coarse)
	}
	return fatty.with(1 + 0.18*coarse)
}

// smoothstep is 0 at from, 1 at to and beyond, and smooth between.
func smoothstep(from, to, x float64) float64 {
	f := min(max((x-from)/(to-from), 0), 1)
	return f * f * (3 - 2*f)
}

// uniform returns a function that draws numbers between two bounds.
func uniform(rng *rand.Rand) func(low, high float64) float64 {
	return func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
}
