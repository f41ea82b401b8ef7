package volume

import (
	"fmt"
	"math"
)

// Unit is the unit of a grid's spacing and world coordinates.
type Unit string

const (
	Millimetre Unit = "mm"
	// Voxel says that the header gives no spacing, so distances are counted in voxels.
	Voxel Unit = "voxel"
)

// MaxVoxels is the largest number of voxels of a grid that the readers accept: 8 GiB as float32.
const MaxVoxels = 1 << 31

// Grid says where the voxels of an image lie. Voxel (i, j, k) has the index i + Size[0]*(j + Size[1]*k): i is
// fastest in memory.
type Grid struct {
	Size Size
	// Affine takes a voxel's index (i, j, k, 1) to the world coordinates of its centre, RAS+: x grows to the
	// patient's right, y to the front, z to the head. Formats that count in LPS are converted by the readers.
	Affine [3][4]float64
	Unit   Unit
	// NIfTI is the stored geometry where the grid comes from a NIfTI file, else nil. Only WriteMask and WriteVolume
	// use it, and only as long as it still describes Size and Affine.
	NIfTI *NIfTI `json:"-"`
}

// Size is the number of voxels along i, j and k.
type Size [3]int

// String returns the size as people write it: "256 x 256 x 24".
func (s Size) String() string { return fmt.Sprintf("%d x %d x %d", s[0], s[1], s[2]) }

// Voxel returns the index (i, j, k) of the n-th voxel in memory.
func (s Size) Voxel(n int) [3]int { return [3]int{n % s[0], n / s[0] % s[1], n / s[0] / s[1]} }

// Len returns the number of voxels.
func (g Grid) Len() int { return g.Size[0] * g.Size[1] * g.Size[2] }

// Spacing returns the distance between neighbouring voxel centres along i, j and k, in g.Unit: the lengths of the
// affine's columns.
func (g Grid) Spacing() [3]float64 {
	var s [3]float64
	for c := range 3 {
		s[c] = math.Sqrt(dot(g.Column(c), g.Column(c)))
	}
	return s
}

// Column returns column c of the affine, 0 to 3: the world step of one voxel along an index axis, or for 3 the
// world coordinates of voxel (0, 0, 0).
func (g Grid) Column(c int) [3]float64 {
	return [3]float64{g.Affine[0][c], g.Affine[1][c], g.Affine[2][c]}
}

// World returns the world coordinates of the index (i, j, k), which need not be whole.
func (g Grid) World(i, j, k float64) [3]float64 {
	var w [3]float64
	for r, a := range g.Affine {
		w[r] = a[0]*i + a[1]*j + a[2]*k + a[3]
	}
	return w
}

// Index returns the index whose world coordinates are w: the inverse of World. It panics where the affine has no
// inverse, which no reader returns.
func (g Grid) Index(w [3]float64) [3]float64 {
	a, b, c := g.Column(0), g.Column(1), g.Column(2)
	det := dot(a, cross(b, c))
	if det == 0 {
		panic("volume: Grid.Index: affine without inverse")
	}
	d := [3]float64{w[0] - g.Affine[0][3], w[1] - g.Affine[1][3], w[2] - g.Affine[2][3]}
	return [3]float64{dot(d, cross(b, c)) / det, dot(d, cross(c, a)) / det, dot(d, cross(a, b)) / det}
}

// Orientation names the world direction that each index axis grows toward, by the nearest axis: "LPS" where i grows
// to the left, j to the back (posterior) and k to the head (superior). No direction is used twice.
func (g Grid) Orientation() string {
	names := [3][2]byte{{'R', 'L'}, {'A', 'P'}, {'S', 'I'}}
	spacing := g.Spacing()
	var out [3]byte
	var usedRow, usedCol [3]bool
	for range 3 {
		row, col, best := -1, -1, -1.0
		for r := range 3 {
			for c := range 3 {
				cosine := math.Abs(g.Affine[r][c]) / spacing[c]
				if !usedRow[r] && !usedCol[c] && (cosine > best || row < 0) {
					row, col, best = r, c, cosine
				}
			}
		}
		usedRow[row], usedCol[col] = true, true
		sign := 0
		if g.Affine[row][col] < 0 {
			sign = 1
		}
		out[col] = names[row][sign]
	}
	return string(out[:])
}

// Corners returns the world coordinates of the eight outer corners of the grid, half a voxel beyond the centres of
// the corner voxels. Corner n has the low end of axis a where bit a of n is 0.
func (g Grid) Corners() [8][3]float64 {
	var out [8][3]float64
	for n := range 8 {
		var at [3]float64
		for a := range 3 {
			at[a] = -0.5
			if n>>a&1 == 1 {
				at[a] = float64(g.Size[a]) - 0.5
			}
		}
		out[n] = g.World(at[0], at[1], at[2])
	}
	return out
}

// Same reports whether g and h have the same size and no world coordinate of their corners differs by more than tol.
// NaN coordinates are never the same. Units are not compared: a grid without spacing is the same as one of 1 mm.
func (g Grid) Same(h Grid, tol float64) bool {
	if g.Size != h.Size {
		return false
	}
	a, b := g.Corners(), h.Corners()
	for n := range a {
		for r := range 3 {
			if !(math.Abs(a[n][r]-b[n][r]) <= tol) {
				return false
			}
		}
	}
	return true
}

// Check returns an error that says what is wrong with the grid: an axis without voxels, more than MaxVoxels, a
// number that is not finite, or an affine without inverse.
func (g Grid) Check() error {
	n := 1
	for a, s := range g.Size {
		if s < 1 {
			return fmt.Errorf("axis %d has %d voxels, want at least 1", a, s)
		}
		if s > MaxVoxels/n {
			return fmt.Errorf("%v voxels are more than the %d that fit", g.Size, MaxVoxels)
		}
		n *= s
	}
	for _, row := range g.Affine {
		for _, v := range row {
			if math.IsNaN(v) || math.Abs(v) > 1e9 {
				return fmt.Errorf("affine holds %v: world coordinates must lie within 1e9", v)
			}
		}
	}
	s := g.Spacing()
	for a, v := range s {
		if v < 1e-9 {
			return fmt.Errorf("spacing along axis %d is %v, want more than 0", a, v)
		}
	}
	// Relative to the spacings: the volume of the cell spanned by unit axes, 1 where they are orthogonal.
	det := dot(g.Column(0), cross(g.Column(1), g.Column(2))) / (s[0] * s[1] * s[2])
	if math.Abs(det) < 1e-6 {
		return fmt.Errorf("affine has no inverse: its axes lie in one plane (relative determinant %.2g)", det)
	}
	return nil
}

// flatAxis gives an axis of a single voxel a step where the header has none (a slice has no thickness in many 2-D
// files): along the normal of the other two axes, with length 1.
func (g *Grid) flatAxis() {
	for c := range 3 {
		if g.Size[c] != 1 || g.Column(c) != [3]float64{} {
			continue
		}
		n := cross(g.Column((c+1)%3), g.Column((c+2)%3))
		length := math.Sqrt(dot(n, n))
		if length == 0 || math.IsNaN(length) {
			return
		}
		for r := range 3 {
			g.Affine[r][c] = n[r] / length
		}
	}
}

// fromLPS turns an affine that counts in LPS (ITK, DICOM, most NRRD files) into RAS+, and back.
func fromLPS(a [3][4]float64) [3][4]float64 {
	for r := range 2 {
		for c := range 4 {
			if a[r][c] != 0 { // no negative zeros
				a[r][c] = -a[r][c]
			}
		}
	}
	return a
}

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}
