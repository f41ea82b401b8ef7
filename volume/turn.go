package volume

import "fmt"

// Turned returns the volume with its index axes in the order and direction that an orientation names, such as "LPS" (see
// Grid.Orientation): the same voxels at the same places in the patient. Oblique axes stay oblique. The volume itself is
// returned where it has that orientation already; else the copy shares nothing with it.
func (v *Volume) Turned(orientation string) (*Volume, error) {
	g, t, err := v.Grid.turned(orientation)
	if err != nil || t.none() {
		return v, err
	}
	return &Volume{Grid: g, Data: turn(t, v.Data, v.Size, g.Size), Stored: v.Stored}, nil
}

// Turned returns the grid that Volume.Turned gives a volume.
func (g Grid) Turned(orientation string) (Grid, error) {
	turned, _, err := g.turned(orientation)
	return turned, err
}

// Turned returns the mask as Volume.Turned does a volume.
func (m *Mask) Turned(orientation string) (*Mask, error) {
	g, t, err := m.Grid.turned(orientation)
	if err != nil || t.none() {
		return m, err
	}
	return &Mask{Grid: g, Data: turn(t, m.Data, m.Size, g.Size)}, nil
}

// turning says, for each axis of a turned grid, which axis of the other grid it runs along, and whether backwards.
type turning struct {
	from [3]int
	back [3]bool
}

func (t turning) none() bool { return t == turning{from: [3]int{0, 1, 2}} }

// opposite holds the two directions of each world axis.
var opposite = map[byte]byte{'L': 'R', 'R': 'L', 'P': 'A', 'A': 'P', 'S': 'I', 'I': 'S'}

// turned returns the grid with its axes turned to an orientation.
func (g Grid) turned(orientation string) (Grid, turning, error) {
	var t turning
	var used [3]bool
	now := g.Orientation()
	for a := range 3 {
		found := false
		for b := range 3 {
			if len(orientation) == 3 && !used[b] && (now[b] == orientation[a] || opposite[now[b]] == orientation[a]) {
				t.from[a], t.back[a], used[b], found = b, now[b] != orientation[a], true, true
				break
			}
		}
		if !found {
			return g, turning{from: [3]int{0, 1, 2}}, fmt.Errorf("orientation %q: want one of L R, one of P A and one of I S, in any order", orientation)
		}
	}
	if t.none() {
		return g, t, nil
	}
	out := Grid{Unit: g.Unit, Affine: g.Affine}
	for a, b := range t.from {
		out.Size[a] = g.Size[b]
		for r := range 3 {
			out.Affine[r][a] = g.Affine[r][b]
			if t.back[a] {
				out.Affine[r][3] += float64(g.Size[b]-1) * g.Affine[r][b]
				out.Affine[r][a] = -g.Affine[r][b]
			}
		}
	}
	return out, t, nil
}

// turn copies voxels from a grid of one size to the turned one of another.
func turn[T any](t turning, data []T, size, turned [3]int) []T {
	stride := [3]int{1, size[0], size[0] * size[1]}
	var step [3]int // in data, for each axis of the turned grid
	first := 0
	for a, b := range t.from {
		step[a] = stride[b]
		if t.back[a] {
			first += (size[b] - 1) * stride[b]
			step[a] = -stride[b]
		}
	}
	out := make([]T, 0, len(data))
	for k := range turned[2] {
		for j := range turned[1] {
			at := first + k*step[2] + j*step[1]
			for range turned[0] {
				out = append(out, data[at])
				at += step[0]
			}
		}
	}
	return out
}
