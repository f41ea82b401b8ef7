// Package outline turns masks of a plane into closed lines around their parts, and closed lines into masks, as contours in DICOM are meant. All
// is in pixels, x along a row and y along a column; the centre of the first pixel is (0, 0).
package outline

import (
	"cmp"
	"slices"
)

// inset is how far outlines lie within the edges of their pixels, in pixels. Centres then lie clearly on one side, and programs that round
// to whole pixels and paint the line too, as rt-utils does, get the same mask.
const inset = 0.01

// corner is a corner of a pixel: (x, y) is the upper left one of pixel (x, y).
type corner struct{ x, y int }

// ring is a closed walk along edges of pixels with the mask to its right, each edge a step: clockwise around the mask, the other way round holes.
type ring struct {
	corners []corner
	least   corner // the leftmost corner, of these the uppermost
	hole    bool
}

// Of returns closed lines, in pixels, that have exactly the centres of the pixels of a plane within them by the even-odd rule: one for each part
// whose pixels share edges. The holes of a part are joined to it by keyholes (PS3.3 C.8.8.6.3): a channel of no width, which runs through the
// part, so that who paints the line paints nothing outside.
func Of(plane []bool, width, height int) [][][2]float64 {
	var holes []ring
	l := &lines{up: map[corner]int{}}
	var starts []int
	for _, r := range rings(plane, width, height) {
		if r.hole {
			holes = append(holes, r)
			continue
		}
		starts = append(starts, l.add(waypoints(r)))
	}
	// From left to right, so that what lies left of a hole is joined already.
	slices.SortStableFunc(holes, func(a, b ring) int {
		return cmp.Or(cmp.Compare(a.least.x, b.least.x), cmp.Compare(a.least.y, b.least.y))
	})
	for _, r := range holes {
		x := r.least.x // left of its leftmost edge lies its part, up to the edge that x comes to
		for x > 0 && plane[x-1+r.least.y*width] {
			x--
		}
		l.join(r, x)
	}
	var out [][][2]float64
	for _, s := range starts {
		out = append(out, l.points(s))
	}
	return out
}

// steps are right, down, left, up: each is a turn to the right of the one before.
var steps = [4]corner{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}

// rings returns the walks around all parts and holes. Where two pixels touch at a corner only, the walk stays with its own.
func rings(plane []bool, width, height int) []ring {
	in := func(x, y int) bool { return x >= 0 && y >= 0 && x < width && y < height && plane[x+y*width] }
	// edge reports whether a step from a corner has the mask to its right and nothing to its left.
	edge := func(c corner, step int) bool {
		switch step {
		case 0:
			return in(c.x, c.y) && !in(c.x, c.y-1)
		case 1:
			return in(c.x-1, c.y) && !in(c.x, c.y)
		case 2:
			return in(c.x-1, c.y-1) && !in(c.x-1, c.y)
		}
		return in(c.x, c.y-1) && !in(c.x-1, c.y-1)
	}
	seen := map[corner]bool{} // where a step to the right began
	var out []ring
	for y := range height + 1 {
		for x := range width {
			start := corner{x, y}
			if !edge(start, 0) || seen[start] {
				continue
			}
			r := ring{least: start}
			area := 0
			for at, step := start, 0; ; {
				if step == 0 {
					seen[at] = true
				}
				r.corners = append(r.corners, at)
				next := corner{at.x + steps[step].x, at.y + steps[step].y}
				area += at.x*next.y - next.x*at.y
				if next.x < r.least.x || next.x == r.least.x && next.y < r.least.y {
					r.least = next
				}
				at = next
				for _, turn := range []int{1, 0, 3} { // to the right first: at a corner where pixels touch that is the same pixel
					if edge(at, (step+turn)%4) {
						step = (step + turn) % 4
						break
					}
				}
				if at == start && step == 0 {
					break
				}
			}
			r.hole = area < 0
			out = append(out, r)
		}
	}
	return out
}

// lines are closed walks to which holes are joined. A corner may be passed several times.
type lines struct {
	nodes []node
	up    map[corner]int // nodes from which a step up begins
}

type node struct {
	waypoint
	next int
}

// waypoint is a corner, and how far the line lies within the mask there.
type waypoint struct {
	corner
	in [2]float64
}

// add adds a closed walk and returns its first node.
func (l *lines) add(walk []waypoint) (first int) {
	first = len(l.nodes)
	for i, w := range walk {
		next := first + (i+1)%len(walk)
		if to := walk[(i+1)%len(walk)]; to.x == w.x && to.y == w.y-1 {
			l.up[w.corner] = len(l.nodes)
		}
		l.nodes = append(l.nodes, node{w, next})
	}
	return first
}

// waypoints returns all corners of a ring, each moved into the mask.
func waypoints(r ring) []waypoint {
	out := make([]waypoint, len(r.corners))
	for i, c := range r.corners {
		before, after := r.corners[(i+len(r.corners)-1)%len(r.corners)], r.corners[(i+1)%len(r.corners)]
		one, two := corner{c.x - before.x, c.y - before.y}, corner{after.x - c.x, after.y - c.y}
		out[i].corner = c
		for _, d := range []corner{one, two} { // the mask is to the right of a step
			n := [2]float64{float64(-d.y), float64(d.x)}
			for a := range 2 {
				if one == two {
					n[a] /= 2
				}
				out[i].in[a] += inset * n[a]
			}
		}
	}
	return out
}

// join puts a hole into the line that has its left edge at x, along the row of pixels below the hole's leftmost corner.
func (l *lines) join(hole ring, x int) {
	row := hole.least.y
	leaves, ok := l.up[corner{x, row + 1}] // the mask is to the right of a step up
	if !ok {
		return // cannot be
	}
	// Holes are walked the other way round: the leftmost edge is walked down, from its corner at (least.x, row).
	walk := waypoints(hole)
	at := slices.IndexFunc(walk, func(p waypoint) bool { return p.corner == hole.least })
	walk = append(slices.Clone(walk[at:]), walk[:at]...)
	// There, around, and back, a quarter below the centres of the row.
	leave := waypoint{corner{x, row}, [2]float64{inset, 0.75}}
	enter := waypoint{corner{hole.least.x, row}, [2]float64{-inset, 0.75}}
	first := l.add(walk)
	last := first + len(walk) - 1
	n := len(l.nodes)
	l.nodes = append(l.nodes, node{leave, n + 1}, node{enter, l.nodes[first].next}, node{enter, n + 3}, node{leave, l.nodes[leaves].next})
	l.nodes[last].next = first
	l.nodes[first].next = n + 2
	l.nodes[leaves].next = n
}

// points returns the line that begins at a node, in pixels, where (0, 0) is the centre of the first, without the places where it goes straight on.
func (l *lines) points(first int) [][2]float64 {
	var all [][2]float64
	for at := first; ; {
		p := l.nodes[at]
		all = append(all, [2]float64{float64(p.x) - 0.5 + p.in[0], float64(p.y) - 0.5 + p.in[1]})
		if at = p.next; at == first {
			break
		}
	}
	var out [][2]float64
	for i, p := range all {
		a, b := all[(i+len(all)-1)%len(all)], all[(i+1)%len(all)]
		if straight(a, p, b) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// straight reports whether p lies between a and b on a line along an axis.
func straight(a, p, b [2]float64) bool {
	for r := range 2 {
		if a[r] == p[r] && p[r] == b[r] && (a[1-r] < p[1-r]) == (p[1-r] < b[1-r]) && a[1-r] != p[1-r] && p[1-r] != b[1-r] {
			return true
		}
	}
	return false
}
