package metrics

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/nextslice/nextslice/volume"
)

// SurfaceDice returns the normalised surface Dice of one class, 0 to 1: the share of both surfaces, by area, that lies within
// a tolerance of the other surface,
//
//	(|{p of P: d(p, R) <= tolerance}| + |{r of R: d(r, P) <= tolerance}|) / (|P| + |R|)
//
// in the unit of the spacing (mm, or voxels where the header gives none). It is 0 where one mask is empty; where both are it
// returns NaN and false.
//
// The surface runs between the voxels, unlike that of SurfaceDistances, which consists of voxels: it has one element at each
// corner of a voxel whose eight voxels are not all of the class or all of another, and its area is that of the
// triangles that marching cubes draw between these voxels' centres, see elementAreas. Distances are between corners. As
// there, what lies outside the volume is background, and a single slice is measured in its plane, where the elements are
// pieces of the contour with a length. A millionth is added to the tolerance, for spacings that were stored as float32.
//
// Source: Nikolov et al. 2021, "Clinically applicable segmentation of head and neck anatomy for radiotherapy"; the values are
// those of the authors' program surface-distance.
//
// It panics if the masks differ in size, and on a tolerance that is negative or NaN.
func SurfaceDice(pred, ref *volume.Mask, class uint8, tolerance float64) (value float64, defined bool) {
	demandSameSize("SurfaceDice", pred, ref)
	if !(tolerance >= 0) {
		panic(fmt.Sprintf("metrics: SurfaceDice: tolerance %v, want 0 or more", tolerance))
	}
	low, high, emptyP, emptyR := jointBounds(pred, ref, class)
	if emptyP && emptyR {
		return math.NaN(), false
	}
	if emptyP || emptyR {
		return 0, true
	}
	tolerance *= 1 + 1e-6
	spacing := ref.Spacing()
	areas := elementAreas(spacing)
	p, areaP := crop(pred.Data, pred.Size, class, low, high, spacing).elements(areas)
	r, areaR := crop(ref.Data, ref.Size, class, low, high, spacing).elements(areas)
	within, all := 0.0, 0.0
	add := func(area, distance []float64) {
		for n, a := range area {
			all += a
			if distance[n] <= tolerance {
				within += a
			}
		}
	}
	add(areaP, distances(p, r))
	add(areaR, distances(r, p))
	return within / all, true
}

// elements returns the corners of voxels at which there is surface, as a box of size plus 1, and the areas there, in memory
// order. Bit n of the index into areas stands for the voxel on the far side of the corner along the axes whose bit is set in
// n. Along a flat axis, which has no near and far side, the mask goes on.
func (b box) elements(areas *[256]float64) (corners box, area []float64) {
	corners = box{spacing: b.spacing, flat: b.flat}
	for d, n := range b.size {
		corners.size[d] = n + 1
		if b.flat[d] {
			corners.size[d] = 1
		}
	}
	corners.in = make([]bool, corners.size[0]*corners.size[1]*corners.size[2])
	x := 0
	for k := range corners.size[2] {
		for j := range corners.size[1] {
			for i := range corners.size[0] {
				code := 0
				for n := range 8 {
					at, inside := [3]int{i, j, k}, true
					for d := range at {
						if !b.flat[d] {
							at[d] += n>>d&1 - 1
							inside = inside && at[d] >= 0 && at[d] < b.size[d]
						}
					}
					if inside && b.in[at[0]+b.size[0]*(at[1]+b.size[1]*at[2])] {
						code |= 1 << n
					}
				}
				if code != 0 && code != 255 {
					corners.in[x] = true
					area = append(area, areas[code])
				}
				x++
			}
		}
	}
	return corners, area
}

// elementAreas returns the area of the surface between the centres of eight voxels, by the set of those that are of the class.
//
// The voxels of the smaller side (of the class, or the others; the first where there are four of each) are joined where they
// share a face, and each such piece is cut off by a polygon through the midpoints of the cell's edges between the sides:
// a triangle about one voxel, a rectangle about two, and about more what the comments in pieceArea say.
func elementAreas(spacing [3]float64) *[256]float64 {
	var areas [256]float64
	for code := range areas {
		rest := uint8(code)
		if bits.OnesCount8(rest) > 4 {
			rest = ^rest
		}
		for rest != 0 {
			piece, grown := uint8(0), rest&-rest
			for piece != grown {
				piece = grown
				for axis := range 3 {
					grown |= rest & across(piece, axis)
				}
			}
			areas[code] += pieceArea(piece, spacing)
			rest &^= piece
		}
	}
	return &areas
}

// across returns the voxels of a cell that are the neighbours of those given along an axis.
func across(voxels uint8, axis int) uint8 {
	low := [3]uint8{0b01010101, 0b00110011, 0b00001111}[axis]
	return voxels&low<<(1<<axis) | voxels>>(1<<axis)&low
}

// pieceArea returns the area of the polygon that cuts one to four voxels, connected by their faces, off a cell.
func pieceArea(piece uint8, s [3]float64) float64 {
	face := [3]float64{s[1] * s[2], s[0] * s[2], s[0] * s[1]}
	// A plane figure whose projections along the axes have these areas in a cell of unit size.
	figure := func(projections [3]float64) float64 {
		return math.Hypot(math.Hypot(projections[0]*face[0], projections[1]*face[1]), projections[2]*face[2])
	}
	corner := figure([3]float64{0.125, 0.125, 0.125})

	var pairs [3]uint8 // by axis: the voxels that have their neighbour along it in the piece
	for axis := range pairs {
		pairs[axis] = piece & across(piece, axis)
	}
	two := pairs[0]&pairs[1] | pairs[0]&pairs[2] | pairs[1]&pairs[2] // voxels with two neighbours or three
	switch n := bits.OnesCount8(piece); {
	case n == 1:
		return corner
	case n == 2: // a rectangle along the axis of the pair
		for axis, p := range pairs {
			if p != 0 {
				projections := [3]float64{0.5, 0.5, 0.5}
				projections[axis] = 0
				return figure(projections)
			}
		}
	case n == 3: // half of the face between the three and those above them, and a trapezium down to the fourth of their layer
		for axis, p := range pairs {
			if p == 0 {
				return face[axis]/2 + 3*corner
			}
		}
	case two == piece: // a layer of four: the face itself
		for axis, p := range pairs {
			if p == 0 {
				return face[axis]
			}
		}
	case pairs[0]&pairs[1]&pairs[2] != 0: // one and its three neighbours: a hexagon
		return 6 * corner
	}
	// A chain of four around a corner of the cell: triangles at both ends of its middle pair, and two of 1 and 3 eighths of
	// the projections between them.
	middle := 0
	for axis, p := range pairs {
		if p == two {
			middle = axis
		}
	}
	area := 4 * corner
	for axis := range 3 {
		if axis != middle {
			var projections [3]float64
			projections[axis], projections[middle] = 0.25, 0.25
			area += figure(projections)
		}
	}
	return area
}
