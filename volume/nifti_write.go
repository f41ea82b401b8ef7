package volume

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// niftiCode is the inverse of niftiTypes for the scalars that we write.
func niftiCode(s scalar) uint16 {
	for code, t := range niftiTypes {
		if t == s {
			return uint16(code)
		}
	}
	panic("volume: no NIfTI datatype for " + string(s))
}

// writeNIfTI writes a NIfTI-1 header, little-endian, and the voxels that fill puts, little-endian, into its slice: n of
// them from the first on.
func writeNIfTI(w io.Writer, g Grid, s scalar, fill func(dst []byte, first, n int)) error {
	return writeScaledNIfTI(w, g, s, 1, 0, fill)
}

// writeScaledNIfTI is writeNIfTI with the scaling of the voxels.
func writeScaledNIfTI(w io.Writer, g Grid, s scalar, slope, intercept float64, fill func(dst []byte, first, n int)) error {
	for a, v := range g.Size {
		if v > math.MaxInt16 {
			return fmt.Errorf("axis %d has %d voxels, NIfTI-1 allows %d", a, v, math.MaxInt16)
		}
	}
	h := niftiHeader1(g)
	binary.LittleEndian.PutUint16(h[70:], niftiCode(s))
	binary.LittleEndian.PutUint16(h[72:], uint16(8*s.size()))
	binary.LittleEndian.PutUint32(h[112:], math.Float32bits(float32(slope)))
	binary.LittleEndian.PutUint32(h[116:], math.Float32bits(float32(intercept)))
	if _, err := w.Write(h); err != nil {
		return err
	}
	return writeVoxels(w, g.Len(), s.size(), fill)
}

func writeVoxels(w io.Writer, n, size int, fill func(dst []byte, first, n int)) error {
	const chunk = 1 << 16
	buffer := make([]byte, chunk*size)
	for first := 0; first < n; first += chunk {
		c := min(chunk, n-first)
		fill(buffer[:c*size], first, c)
		if _, err := w.Write(buffer[:c*size]); err != nil {
			return err
		}
	}
	return nil
}

// niftiHeader1 returns a NIfTI-1 header without datatype, and the four bytes that say that no extension follows.
func niftiHeader1(g Grid) []byte {
	le := binary.LittleEndian
	h := make([]byte, 352)
	short := func(offset int, v ...int) {
		for i, x := range v {
			le.PutUint16(h[offset+2*i:], uint16(int16(x)))
		}
	}
	real := func(offset int, v ...float64) {
		for i, x := range v {
			le.PutUint32(h[offset+4*i:], math.Float32bits(float32(x)))
		}
	}
	n := g.nifti()
	le.PutUint32(h, 348)
	short(40, 3, g.Size[0], g.Size[1], g.Size[2], 1, 1, 1, 1)
	real(76, n.Pixdim[:]...)
	real(108, 352) // vox_offset
	h[123] = n.Units
	short(252, n.QCode, n.SCode)
	real(256, n.Quatern[:]...)
	real(268, n.QOffset[:]...)
	for r := range 3 {
		real(280+16*r, n.SRow[r][:]...)
	}
	if n.Unitless {
		copy(h[148:], noSpacing)
	}
	copy(h[344:], "n+1\x00")
	return h
}

// nifti returns the geometry fields for a grid: those it was read with if they still describe it, else the affine as
// sform, and as qform too where its axes are orthogonal.
func (g Grid) nifti() NIfTI {
	if g.NIfTI != nil {
		if a, unit, err := g.NIfTI.affine(g.Size); err == nil {
			kept := Grid{Size: g.Size, Affine: a}
			kept.flatAxis()
			if kept.Affine == g.Affine && unit == g.Unit {
				return *g.NIfTI
			}
		}
	}
	n := NIfTI{SCode: 1, SRow: g.Affine, QOffset: g.Column(3), Units: 2}
	if g.Unit == Voxel {
		n.Units, n.Unitless = 0, true
	}
	s := g.Spacing()
	n.Pixdim = [4]float64{1, s[0], s[1], s[2]}
	var r [3][3]float64
	for c := range 3 {
		for row := range 3 {
			r[row][c] = g.Affine[row][c] / s[c]
		}
	}
	axis := func(c int) [3]float64 { return [3]float64{r[0][c], r[1][c], r[2][c]} }
	if dot(axis(0), cross(axis(1), axis(2))) < 0 { // a reflection: qfac -1 and the rotation of the mirrored third axis
		n.Pixdim[0] = -1
		for row := range 3 {
			r[row][2] = -r[row][2]
		}
	}
	const skew = 1e-4 // cosine between axes up to which a quaternion stands for them
	if math.Abs(dot(axis(0), axis(1))) < skew && math.Abs(dot(axis(0), axis(2))) < skew && math.Abs(dot(axis(1), axis(2))) < skew {
		n.QCode = 1
		n.Quatern = toQuaternion(r)
	}
	return n
}

// toQuaternion returns b, c, d of the unit quaternion (a, b, c, d), a >= 0, of a rotation. It divides by the largest of
// the four components, so that half turns keep their precision (Shepperd 1978).
func toQuaternion(r [3][3]float64) [3]float64 {
	trace := r[0][0] + r[1][1] + r[2][2]
	squares := [4]float64{1 + trace, 1 + 2*r[0][0] - trace, 1 + 2*r[1][1] - trace, 1 + 2*r[2][2] - trace} // 4a², 4b², 4c², 4d²
	largest := 0
	for i, v := range squares {
		if v > squares[largest] {
			largest = i
		}
	}
	x := math.Sqrt(squares[largest]) / 2
	var q [4]float64
	switch f := 1 / (4 * x); largest {
	case 0:
		q = [4]float64{x, f * (r[2][1] - r[1][2]), f * (r[0][2] - r[2][0]), f * (r[1][0] - r[0][1])}
	case 1:
		q = [4]float64{f * (r[2][1] - r[1][2]), x, f * (r[0][1] + r[1][0]), f * (r[0][2] + r[2][0])}
	case 2:
		q = [4]float64{f * (r[0][2] - r[2][0]), f * (r[0][1] + r[1][0]), x, f * (r[1][2] + r[2][1])}
	case 3:
		q = [4]float64{f * (r[1][0] - r[0][1]), f * (r[0][2] + r[2][0]), f * (r[1][2] + r[2][1]), x}
	}
	length := math.Sqrt(q[0]*q[0] + q[1]*q[1] + q[2]*q[2] + q[3]*q[3])
	if q[0] < 0 {
		length = -length
	}
	return [3]float64{q[1] / length, q[2] / length, q[3] / length}
}
