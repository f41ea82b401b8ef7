package metrics

import "math"

// box is a part of a voxel grid: its size and spacing, with a boolean per voxel, i fastest. flat are the axes along which
// the whole grid has a single voxel, see flatAxes.
type box struct {
	size    [3]int
	spacing [3]float64
	flat    [3]bool
	in      []bool
}

// flatAxes returns the axes of a grid along which nothing can be measured, because there is only one voxel: a slice, or a
// picture, has one. A grid of one voxel has none.
func flatAxes(size [3]int) [3]bool {
	if size == [3]int{1, 1, 1} {
		return [3]bool{}
	}
	return [3]bool{size[0] == 1, size[1] == 1, size[2] == 1}
}

// surface returns the voxels of b with at least one of their six neighbours outside the mask; along a flat axis there are no
// neighbours. What lies outside the box counts as outside: the box is the crop to the mask's bounding box, and the mask ends
// at the volume's border.
func (b box) surface() box {
	nx, ny, nz := b.size[0], b.size[1], b.size[2]
	out := box{size: b.size, spacing: b.spacing, flat: b.flat, in: make([]bool, len(b.in))}
	x := 0
	for k := range nz {
		for j := range ny {
			for i := range nx {
				inside := b.in[x] &&
					(b.flat[0] || i > 0 && b.in[x-1] && i < nx-1 && b.in[x+1]) &&
					(b.flat[1] || j > 0 && b.in[x-nx] && j < ny-1 && b.in[x+nx]) &&
					(b.flat[2] || k > 0 && b.in[x-nx*ny] && k < nz-1 && b.in[x+nx*ny])
				out.in[x] = b.in[x] && !inside
				x++
			}
		}
	}
	return out
}

// distances returns, for each voxel of from in memory order, the Euclidean distance between its centre and the centre
// of the nearest voxel of to, in the unit of the spacing. Both have the same size and spacing, and to is not empty.
//
// It is the exact transform, one axis after the other: along i two sweeps, then along j and k the lower envelope of
// the parabolas that stand on the line's voxels. The last axis is done only for the lines in which from has a voxel.
// Source: Felzenszwalb and Huttenlocher 2012, "Distance transforms of sampled functions", algorithm 1.
func distances(from, to box) []float64 {
	nx, ny, nz := to.size[0], to.size[1], to.size[2]
	squared := make([]float64, len(to.in))
	for line := 0; line < len(to.in); line += nx {
		sweep(squared[line:line+nx], to.in[line:line+nx], to.spacing[0])
	}

	e := newEnvelope(max(ny, nz))
	in, out := make([]float64, max(ny, nz)), make([]float64, max(ny, nz))
	for k := range nz {
		for i := range nx {
			first := i + k*nx*ny
			for j := range ny {
				in[j] = squared[first+j*nx]
			}
			e.transform(out[:ny], in[:ny], to.spacing[1])
			for j := range ny {
				squared[first+j*nx] = out[j]
			}
		}
	}
	count := 0
	for line := range nx * ny {
		here := 0
		for k := range nz {
			if from.in[line+k*nx*ny] {
				here++
			}
		}
		if here == 0 {
			continue
		}
		count += here
		for k := range nz {
			in[k] = squared[line+k*nx*ny]
		}
		e.transform(out[:nz], in[:nz], to.spacing[2])
		for k := range nz {
			squared[line+k*nx*ny] = out[k]
		}
	}

	result := make([]float64, 0, count)
	for x, is := range from.in {
		if is {
			result = append(result, math.Sqrt(squared[x]))
		}
	}
	return result
}

// sweep writes the squared distance of each voxel of a line to the line's nearest marked voxel; +Inf if there is none.
func sweep(squared []float64, marked []bool, spacing float64) {
	const none = -1
	last := none
	for i, is := range marked {
		if is {
			last = i
		}
		squared[i] = math.Inf(1)
		if last != none {
			d := float64(i-last) * spacing
			squared[i] = d * d
		}
	}
	last = none
	for i := len(marked) - 1; i >= 0; i-- {
		if marked[i] {
			last = i
		}
		if last != none {
			d := float64(last-i) * spacing
			squared[i] = min(squared[i], d*d)
		}
	}
}

// envelope is the working memory of the one-dimensional transform: the parabolas of the lower envelope, by the index
// of their vertex, and where each begins, in voxels.
type envelope struct {
	vertex []int
	begin  []float64
}

func newEnvelope(n int) envelope {
	return envelope{vertex: make([]int, n), begin: make([]float64, n)}
}

// transform writes min over q of (spacing (p-q))² + in[q] to each out[p]. A line of nothing but +Inf stays so.
func (e envelope) transform(out, in []float64, spacing float64) {
	s2 := spacing * spacing
	top := -1
	for q, height := range in {
		if math.IsInf(height, 1) { // no parabola; Inf - Inf below would be NaN
			continue
		}
		begin := math.Inf(-1)
		for top >= 0 {
			v := e.vertex[top]
			begin = ((height-in[v])/s2 + float64(q*q-v*v)) / float64(2*(q-v))
			if begin > e.begin[top] {
				break
			}
			top--
			begin = math.Inf(-1)
		}
		top++
		e.vertex[top], e.begin[top] = q, begin
	}
	if top < 0 {
		copy(out, in)
		return
	}
	at := 0
	for p := range out {
		for at < top && e.begin[at+1] < float64(p) {
			at++
		}
		d := float64(p-e.vertex[at]) * spacing
		out[p] = d*d + in[e.vertex[at]]
	}
}
