package volume

import (
	"fmt"
	"math"
)

// On returns the volume on the grid of another image. The voxels of both must coincide to a tenth of a voxel; the axes may differ
// in order and direction, and the volume may cover more of the world than the image, but not less. Values are copied, not
// interpolated. Where a grid has no geometry, two of the same size are taken voxel by voxel.
func (v *Volume) On(g Grid) (*Volume, error) {
	if v.Size == g.Size && (v.Unit != Millimetre || g.Unit != Millimetre) {
		return &Volume{Grid: g, Data: v.Data, Stored: v.Stored}, nil
	}
	if v.Unit != Millimetre || g.Unit != Millimetre {
		return nil, fmt.Errorf("the grids have %v and %v voxels, and not both headers tell where they lie", v.Size, g.Size)
	}
	if err := g.Within(v.Grid); err != nil {
		return nil, err
	}
	m, err := g.mapTo(v.Grid)
	if err != nil {
		return nil, err
	}
	out := &Volume{Grid: g, Data: make([]float32, g.Len()), Stored: v.Stored}
	for n := range out.Data {
		at := m.apply(g.Size.Voxel(n))
		out.Data[n] = v.Data[at[0]+v.Size[0]*(at[1]+v.Size[1]*at[2])]
	}
	return out, nil
}

// Within returns an error unless every voxel of g is one of h, to a tenth of a voxel.
func (g Grid) Within(h Grid) error {
	m, err := g.mapTo(h)
	if err != nil {
		return err
	}
	first, last := m.apply([3]int{}), m.apply([3]int{g.Size[0] - 1, g.Size[1] - 1, g.Size[2] - 1})
	for a := range 3 {
		if min(first[a], last[a]) < 0 || max(first[a], last[a]) >= h.Size[a] {
			return fmt.Errorf("it covers only a part of the image (%v and %v voxels)", h.Size, g.Size)
		}
	}
	return nil
}

// Resample returns the volume on another grid by trilinear interpolation between its voxel centres. Up to half a voxel beyond the
// outermost centres the value of the edge counts on; farther out it is the lowest value of the volume. Grids without
// geometry, or without a voxel in common, are an error.
func (v *Volume) Resample(g Grid) (*Volume, error) {
	if v.Unit != Millimetre || g.Unit != Millimetre {
		return nil, fmt.Errorf("not both headers tell where their voxels lie")
	}
	least := float32(math.Inf(1))
	for _, x := range v.Data {
		if x < least { // NaN never is
			least = x
		}
	}
	out := &Volume{Grid: g, Data: make([]float32, g.Len()), Stored: "float32"}
	inside := 0
	for n := range out.Data {
		i := g.Size.Voxel(n)
		at := v.Index(g.World(float64(i[0]), float64(i[1]), float64(i[2])))
		x, ok := v.at(at)
		if !ok {
			out.Data[n] = least
			continue
		}
		inside++
		out.Data[n] = x
	}
	if inside == 0 {
		return nil, fmt.Errorf("the grids have no voxel in common")
	}
	return out, nil
}

// at interpolates at an index that need not be whole; false: it lies outside.
func (v *Volume) at(index [3]float64) (float32, bool) {
	var low [3]int
	var part [3]float64
	for a, x := range index {
		if !(x >= -0.5-1e-6 && x <= float64(v.Size[a])-0.5+1e-6) {
			return 0, false
		}
		x = min(max(x, 0), float64(v.Size[a]-1))
		low[a] = min(int(x), max(0, v.Size[a]-2))
		part[a] = x - float64(low[a])
	}
	sum := 0.0
	for corner := range 8 {
		weight, at, step := 1.0, 0, 1
		for a := range 3 {
			i := low[a]
			if corner>>a&1 == 1 {
				weight *= part[a]
				i = min(i+1, v.Size[a]-1)
			} else {
				weight *= 1 - part[a]
			}
			at += i * step
			step *= v.Size[a]
		}
		if weight > 0 {
			sum += weight * float64(v.Data[at])
		}
	}
	return float32(sum), true
}
