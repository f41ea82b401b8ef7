package outline

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// MaxWork bounds the comparisons of points and edges in one plane of a region: those of drawings need a hundredth of it.
const MaxWork = 100_000_000

// Contour is a closed line, not ended by its first point.
type Contour struct {
	Points [][2]float64
	XOR    bool // what lies in it is turned over, instead of being filled
}

// polygon is a contour with what is asked of it again and again.
type polygon struct {
	points    [][2]float64
	low, high [2]float64
	area      float64
	hole      bool
}

func newPolygon(points [][2]float64) polygon {
	p := polygon{points: points, low: [2]float64{math.Inf(1), math.Inf(1)}, high: [2]float64{math.Inf(-1), math.Inf(-1)}}
	for _, at := range points {
		for r := range 2 {
			p.low[r], p.high[r] = min(p.low[r], at[r]), max(p.high[r], at[r])
		}
	}
	for n, a := range p.points {
		b := p.points[(n+1)%len(p.points)]
		p.area += (a[0]*b[1] - b[0]*a[1]) / 2
	}
	p.area = math.Abs(p.area)
	return p
}

// Fill fills the contours of one plane of a region and returns how many of them were taken as holes. More work than given, usually MaxWork, is
// refused.
func Fill(plane []bool, width, height int, contours []Contour, work int) (holes int, err error) {
	var shapes []polygon
	for _, c := range contours {
		p := newPolygon(c.Points)
		if c.XOR {
			p.spans(width, height, func(v int) { plane[v] = !plane[v] })
			continue
		}
		shapes = append(shapes, p)
	}
	// The larger first: what lies within them is painted over them.
	slices.SortStableFunc(shapes, func(a, b polygon) int { return -cmp.Compare(a.area, b.area) })
	kept := shapes[:0]
	for _, p := range shapes {
		copied := false
		for i := len(kept) - 1; i >= 0; i-- { // the smallest around it decides
			around := kept[i]
			work -= 1 + len(p.points)
			if work < 0 {
				return 0, errors.New("more contours within each other than any drawing has")
			}
			if !around.boxHolds(p) {
				continue
			}
			if work -= 3 * len(p.points) * len(around.points); work < 0 {
				return 0, errors.New("more contours within each other than any drawing has")
			}
			if p.within(around, 0.5) && around.within(p, 0.5) {
				copied = true
				break
			}
			if around.holds(p) {
				p.hole = !around.hole
				break
			}
		}
		if copied {
			continue
		}
		kept = append(kept, p)
		if p.hole {
			holes++
		}
		p.spans(width, height, func(v int) { plane[v] = !p.hole })
	}
	return holes, nil
}

// boxHolds reports whether the bounding box of q lies within that of p, give or take half a pixel.
func (p polygon) boxHolds(q polygon) bool {
	return p.low[0] <= q.low[0]+0.5 && p.low[1] <= q.low[1]+0.5 && p.high[0] >= q.high[0]-0.5 && p.high[1] >= q.high[1]-0.5
}

// within reports whether all points of p lie within a distance of the edges of q.
func (p polygon) within(q polygon, distance float64) bool {
	return !slices.ContainsFunc(p.points, func(a [2]float64) bool { return q.distance(a) > distance })
}

// touching is the distance in pixels below which a point is on an edge.
const touching = 0.01

// holds reports whether q lies within p: its points and the middles of its edges are inside or on an edge, and no point of p is inside q.
func (p polygon) holds(q polygon) bool {
	for n, a := range q.points {
		b := q.points[(n+1)%len(q.points)]
		for _, x := range [][2]float64{a, {(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}} {
			if !p.inside(x) && p.distance(x) > touching {
				return false
			}
		}
	}
	return !slices.ContainsFunc(p.points, func(a [2]float64) bool { return q.inside(a) && q.distance(a) > touching })
}

// inside reports whether a point lies inside by the even-odd rule.
func (p polygon) inside(x [2]float64) bool {
	in := false
	for n, a := range p.points {
		b := p.points[(n+1)%len(p.points)]
		if (a[1] <= x[1]) != (b[1] <= x[1]) && x[0] < a[0]+(x[1]-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// distance returns the distance of a point from the nearest edge.
func (p polygon) distance(x [2]float64) float64 {
	best := math.Inf(1)
	for n, a := range p.points {
		b := p.points[(n+1)%len(p.points)]
		dx, dy := b[0]-a[0], b[1]-a[1]
		t := 0.0
		if l := dx*dx + dy*dy; l > 0 {
			t = min(1, max(0, ((x[0]-a[0])*dx+(x[1]-a[1])*dy)/l))
		}
		best = min(best, math.Hypot(x[0]-a[0]-t*dx, x[1]-a[1]-t*dy))
	}
	return best
}

// spans calls f for the pixels whose centres lie inside by the even-odd rule. A centre on an edge belongs to the side of higher indices, so that
// polygons which share an edge share no pixel.
func (p polygon) spans(width, height int, f func(v int)) {
	top, bottom := max(0, math.Ceil(p.low[1])), min(float64(height), math.Ceil(p.high[1]))
	if !(top < bottom) {
		return
	}
	crossings := make([][]float64, int(bottom-top))
	for n, a := range p.points {
		b := p.points[(n+1)%len(p.points)]
		if a[1] > b[1] {
			a, b = b, a
		}
		first, last := max(0, math.Ceil(a[1])), min(float64(height), math.Ceil(b[1]))
		for y := first; y < last; y++ {
			row := int(y - top)
			crossings[row] = append(crossings[row], a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	for row, x := range crossings {
		y := int(top) + row
		slices.Sort(x)
		for i := 0; i+1 < len(x); i += 2 {
			from, to := max(0, math.Ceil(x[i])), min(float64(width), math.Ceil(x[i+1]))
			for p := from; p < to; p++ {
				f(y*width + int(p))
			}
		}
	}
}
