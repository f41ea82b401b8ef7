package volume

import (
	"errors"
	"fmt"
	"math"
)

// latticeTolerance is how far, in voxels, the voxels of two grids may lie apart and still count as the same.
const latticeTolerance = 0.1

// mapping takes an index of one grid to the index of another grid of the same lattice: out[to[a]] = start[to[a]] + sign[a]*in[a].
type mapping struct {
	start, to, sign [3]int
}

// mapTo returns the mapping from the voxels of g to those of h, which must coincide: equal spacing, parallel axes in any order
// and direction, and a distance of whole voxels.
func (g Grid) mapTo(h Grid) (mapping, error) {
	var m mapping
	origin := h.Index(g.World(0, 0, 0))
	for r := range 3 {
		m.start[r] = int(math.Round(max(-1e9, min(1e9, origin[r]))))
	}
	var used [3]bool
	for a := range 3 {
		var at [3]float64
		at[a] = 1
		step := h.Index(g.World(at[0], at[1], at[2]))
		best := 0
		for r := range 3 {
			step[r] -= origin[r]
			if math.Abs(step[r]) > math.Abs(step[best]) {
				best = r
			}
		}
		m.to[a], m.sign[a] = best, 1
		if step[best] < 0 {
			m.sign[a] = -1
		}
		if used[best] {
			return m, fmt.Errorf("the axes of the grids are not parallel (%s and %s)", g.Orientation(), h.Orientation())
		}
		used[best] = true
	}
	for n := range 8 { // where all corners agree, so does everything between
		var at [3]int
		for a := range 3 {
			at[a] = (n >> a & 1) * (g.Size[a] - 1)
		}
		want := h.Index(g.World(float64(at[0]), float64(at[1]), float64(at[2])))
		got := m.apply(at)
		for r := range 3 {
			if !(math.Abs(want[r]-float64(got[r])) <= latticeTolerance) {
				return m, fmt.Errorf("the voxels of the grids do not coincide: voxel (%d, %d, %d) lies at (%.2f, %.2f, %.2f) of the other", at[0], at[1], at[2], want[0], want[1], want[2])
			}
		}
	}
	return m, nil
}

func (m mapping) apply(in [3]int) [3]int {
	out := m.start
	for a := range 3 {
		out[m.to[a]] += m.sign[a] * in[a]
	}
	return out
}

// On returns the mask on the grid of an image. The voxels of both must coincide to a tenth of a voxel; the axes may differ in
// order and direction, and the mask may cover less of the world than the image, where it is background, or more. A class above
// 0 outside the image is an error, and so are voxels that do not coincide: nothing is resampled.
func (m *Mask) On(g Grid) (*Mask, error) {
	data, err := onGrid(m.Data, m.Grid, g)
	if err != nil {
		return nil, err
	}
	return &Mask{Grid: g, Data: data}, nil
}

// On returns the segmentation on the grid of an image, as Mask.On does.
func (s *Segmentation) On(g Grid) (*Segmentation, error) {
	out := &Segmentation{Grid: g, Segments: s.Segments}
	for _, layer := range s.Layers {
		data, err := onGrid(layer, s.Grid, g)
		if err != nil {
			return nil, err
		}
		out.Layers = append(out.Layers, data)
	}
	return out, nil
}

func onGrid(data []uint8, from, to Grid) ([]uint8, error) {
	m, err := from.mapTo(to)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, to.Len())
	for v, class := range data {
		if class == 0 {
			continue
		}
		at := from.Size.Voxel(v)
		there := m.apply(at)
		for a, x := range there {
			if x < 0 || x >= to.Size[a] {
				return nil, fmt.Errorf("voxel (%d, %d, %d) of the mask has class %d and lies outside the image", at[0], at[1], at[2], class)
			}
		}
		out[there[0]+to.Size[0]*(there[1]+to.Size[1]*there[2])] = class
	}
	return out, nil
}

// Cover returns the smallest grid on the axes of g that holds the voxels of g and of h. They must coincide as for Mask.On, and
// the grids must have a voxel in common; otherwise it returns an error.
func (g Grid) Cover(h Grid) (Grid, error) {
	m, err := h.mapTo(g)
	if err != nil {
		return Grid{}, err
	}
	first := m.apply([3]int{})
	last := m.apply([3]int{h.Size[0] - 1, h.Size[1] - 1, h.Size[2] - 1})
	var at [3]float64
	out := Grid{Affine: g.Affine, Unit: g.Unit}
	for a := range 3 {
		low, high := min(first[a], last[a]), max(first[a], last[a])
		if high < 0 || low >= g.Size[a] {
			return Grid{}, errors.New("the grids have no voxel in common")
		}
		low, high = min(low, 0), max(high, g.Size[a]-1)
		at[a], out.Size[a] = float64(low), high-low+1
	}
	origin := g.World(at[0], at[1], at[2])
	for r := range 3 {
		out.Affine[r][3] = origin[r]
	}
	return out, out.Check()
}
