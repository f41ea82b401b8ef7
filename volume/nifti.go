package volume

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
)

// NIfTI holds the geometry fields of a NIfTI header as they are stored, in the header's own unit. A header can say
// twice where its voxels lie, and programs differ in whom they believe: this package and nibabel prefer the sform,
// ITK (ITK-SNAP, 3D Slicer) often the qform; see place. A mask that is written with the fields of its image lies over it in all.
type NIfTI struct {
	QCode, SCode int           // qform_code, sform_code; 0: not given
	Pixdim       [4]float64    // pixdim[0] is qfac, then the spacing along i, j, k
	Quatern      [3]float64    // quatern_b, quatern_c, quatern_d
	QOffset      [3]float64    // qoffset_x, y, z
	SRow         [3][4]float64 // srow_x, y, z
	Units        byte          // xyzt_units, the three lowest bits: 0 not given, 1 metre, 2 millimetre, 3 micrometre
	Unitless     bool          // the header's description is noSpacing: its numbers are no distances
}

// noSpacing is the description of NIfTI files that are written of grids whose unit is Voxel.
const noSpacing = "no spacing"

// niftiLayout gives the byte offsets of the fields that we read, which differ between NIfTI-1 and -2.
type niftiLayout struct {
	size, magic                                    int
	dim, datatype, pixdim, voxOffset, slope, inter int
	qcode, scode, quatern, qoffset, srow, units    int
	descrip                                        int
	wide                                           bool // NIfTI-2: int64 and float64 where NIfTI-1 has int16 and float32
}

var (
	nifti1 = niftiLayout{size: 348, magic: 344, dim: 40, datatype: 70, pixdim: 76, voxOffset: 108, slope: 112, inter: 116,
		units: 123, descrip: 148, qcode: 252, scode: 254, quatern: 256, qoffset: 268, srow: 280}
	nifti2 = niftiLayout{size: 540, magic: 4, dim: 16, datatype: 12, pixdim: 104, voxOffset: 168, slope: 176, inter: 184,
		units: 500, descrip: 240, qcode: 344, scode: 348, quatern: 352, qoffset: 376, srow: 400, wide: true}
)

// niftiTypes maps the datatype codes to scalars.
var niftiTypes = map[int]scalar{
	2: "uint8", 4: "int16", 8: "int32", 16: "float32", 64: "float64", 256: "int8", 512: "uint16", 768: "uint32",
	1024: "int64", 1280: "uint64",
}

// niftiRefused names the datatypes that have no single real number per voxel that we could hold.
var niftiRefused = map[int]string{
	0: "unknown", 1: "1-bit", 32: "complex64", 128: "RGB colour", 1536: "float128", 1792: "complex128", 2048: "complex256",
	2304: "RGBA colour",
}

// niftiFields reads numbers out of a header.
type niftiFields struct {
	niftiLayout
	data  []byte
	order binary.ByteOrder
}

// integer returns field n of an array of integers: int64 (or int32, where short is set) in NIfTI-2, int16 in NIfTI-1.
func (h niftiFields) integer(offset, n int, short bool) int64 {
	switch {
	case h.wide && short:
		return int64(int32(h.order.Uint32(h.data[offset+4*n:])))
	case h.wide:
		return int64(h.order.Uint64(h.data[offset+8*n:]))
	}
	return int64(int16(h.order.Uint16(h.data[offset+2*n:])))
}

// real returns field n of an array of float64 in NIfTI-2, of float32 in NIfTI-1.
func (h niftiFields) real(offset, n int) float64 {
	if h.wide {
		return math.Float64frombits(h.order.Uint64(h.data[offset+8*n:]))
	}
	return float64(math.Float32frombits(h.order.Uint32(h.data[offset+4*n:])))
}

// parseNIfTI parses a NIfTI-1 or NIfTI-2 header of either byte order (https://nifti.nimh.nih.gov): a single file
// .nii[.gz], or a pair .hdr[.gz] and .img[.gz] of which either may be named.
func parseNIfTI(fsys fs.FS, name, ext string) (image, error) {
	var m image
	header := name
	pair := !strings.HasPrefix(ext, ".nii")
	if pair {
		var err error
		if header, m.file, err = niftiPair(fsys, name, ext); err != nil {
			return m, err
		}
	} else {
		m.file = name
	}
	data, packed, err := head(fsys, header, int64(nifti2.size))
	if err != nil {
		return m, err
	}
	h, err := niftiHeader(data)
	if err != nil {
		return m, err
	}
	if pair {
		if _, packed, err = head(fsys, m.file, 0); err != nil {
			return m, err
		}
	}
	if packed {
		m.codec = gzipped
	}
	m.bigEndian = h.order == binary.BigEndian
	if m.grid.Size, m.channels, err = h.shape(); err != nil {
		return m, err
	}
	code := int(h.integer(h.datatype, 0, false))
	if h.wide {
		code = int(int16(h.order.Uint16(h.data[h.datatype:])))
	}
	var ok bool
	if m.stored, ok = niftiTypes[code]; !ok {
		if kind, ok := niftiRefused[code]; ok {
			return m, fmt.Errorf("datatype %d (%s, byte %d) is not supported: convert to one real number per voxel", code, kind, h.datatype)
		}
		return m, fmt.Errorf("datatype %d (byte %d) does not exist in NIfTI", code, h.datatype)
	}
	if m.skip, err = h.voxelStart(pair); err != nil {
		return m, err
	}
	if slope := h.real(h.slope, 0); slope != 0 && !math.IsNaN(slope) && !math.IsInf(slope, 0) {
		m.slope, m.inter = slope, h.real(h.inter, 0)
		if math.IsNaN(m.inter) || math.IsInf(m.inter, 0) {
			return m, fmt.Errorf("scl_inter (byte %d) is %v", h.inter, m.inter)
		}
		if m.slope == 1 && m.inter == 0 {
			m.slope = 0
		}
	}
	m.grid.NIfTI = h.geometry()
	if m.grid.Affine, m.grid.Unit, err = m.grid.NIfTI.affine(m.grid.Size); err != nil {
		return m, err
	}
	return m, nil
}

// niftiPair returns the names of the two files of a pair, given one. The other may be packed or not.
func niftiPair(fsys fs.FS, name, ext string) (header, voxels string, err error) {
	stem := name[:len(name)-len(ext)]
	find := func(kind string) (string, error) {
		if strings.HasPrefix(ext, kind) {
			return name, nil
		}
		if ext != strings.ToLower(name[len(stem):]) || name[len(stem):] == strings.ToUpper(ext) {
			kind = strings.ToUpper(kind)
		}
		for _, tail := range []string{"", ".gz"} {
			if _, err := fs.Stat(fsys, stem+kind+tail); err == nil {
				return stem + kind + tail, nil
			}
		}
		return "", fmt.Errorf("its other file %s%s[.gz] is missing", stem, kind)
	}
	if header, err = find(".hdr"); err != nil {
		return "", "", err
	}
	voxels, err = find(".img")
	return header, voxels, err
}

// niftiHeader finds version and byte order.
func niftiHeader(data []byte) (niftiFields, error) {
	if len(data) == 0 {
		return niftiFields{}, errors.New("the file is empty")
	}
	if len(data) < nifti1.size {
		return niftiFields{}, fmt.Errorf("not NIfTI, or cut short: it ends at byte %d of the header's %d", len(data), nifti1.size)
	}
	for _, layout := range []niftiLayout{nifti1, nifti2} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if order.Uint32(data) != uint32(layout.size) {
				continue
			}
			if len(data) < layout.size {
				return niftiFields{}, fmt.Errorf("cut short: it ends at byte %d of the header's %d", len(data), layout.size)
			}
			magic := string(data[layout.magic : layout.magic+2])
			if magic != "n+" && magic != "ni" {
				if bytes.Count(data[layout.magic:layout.magic+4], []byte{0}) == 4 {
					return niftiFields{}, errors.New("an Analyze 7.5 header, which does not say left from right: convert it to NIfTI")
				}
				return niftiFields{}, fmt.Errorf("not NIfTI: the magic at byte %d is %q", layout.magic, data[layout.magic:layout.magic+4])
			}
			return niftiFields{layout, data, order}, nil
		}
	}
	return niftiFields{}, fmt.Errorf("not NIfTI: the header's size at byte 0 is %d, want 348 or 540", binary.LittleEndian.Uint32(data))
}

// shape returns the size of the grid and the number of channels, the fourth axis. Axes after that must have one voxel.
func (h niftiFields) shape() (size [3]int, channels int, err error) {
	size, channels = [3]int{1, 1, 1}, 1
	n := h.integer(h.dim, 0, false)
	if n < 1 || n > 7 {
		return size, 0, fmt.Errorf("dim[0] (byte %d) says %d axes, want 1 to 7", h.dim, n)
	}
	for a := range int(n) {
		v := h.integer(h.dim, a+1, false)
		if v < 1 {
			return size, 0, fmt.Errorf("dim[%d] says %d voxels, want at least 1", a+1, v)
		}
		if a >= 4 && v > 1 {
			return size, 0, fmt.Errorf("a %d-D image (dim[%d] is %d): 3-D images can be read, and one channel of 4-D ones; split it first", n, a+1, v)
		}
		if v > MaxVoxels {
			return size, 0, fmt.Errorf("dim[%d] says %d voxels, more than the %d that fit", a+1, v, MaxVoxels)
		}
		switch {
		case a < 3:
			size[a] = int(v)
		case a == 3:
			channels = int(v)
		}
	}
	return size, channels, nil
}

// voxelStart returns the byte of the unpacked file at which the voxels begin.
func (h niftiFields) voxelStart(pair bool) (int64, error) {
	var offset float64
	if h.wide {
		offset = float64(h.integer(h.voxOffset, 0, false))
	} else {
		offset = h.real(h.voxOffset, 0)
	}
	least := float64(h.size + 4) // four bytes that say whether extensions follow
	if pair {
		least = 0
	} else if offset == 0 {
		offset = least
	}
	if !(offset >= least && offset < 1<<40) || offset != math.Trunc(offset) {
		return 0, fmt.Errorf("vox_offset (byte %d) is %v, want at least %v", h.voxOffset, offset, least)
	}
	return int64(offset), nil
}

func (h niftiFields) geometry() *NIfTI {
	g := &NIfTI{
		QCode: int(h.integer(h.qcode, 0, true)),
		SCode: int(h.integer(h.scode, 0, true)),
		Units: h.data[h.units] & 7, // in NIfTI-2 an int32, of which this is the low byte
	}
	if h.wide {
		g.Units = byte(h.order.Uint32(h.data[h.units:]) & 7)
	}
	g.Unitless = strings.TrimRight(string(h.data[h.descrip:h.descrip+80]), "\x00 ") == noSpacing
	for i := range 4 {
		g.Pixdim[i] = h.real(h.pixdim, i)
	}
	for i := range 3 {
		g.Quatern[i] = h.real(h.quatern, i)
		g.QOffset[i] = h.real(h.qoffset, i)
		for c := range 4 {
			g.SRow[i][c] = h.real(h.srow, 4*i+c)
		}
	}
	return g
}

// affine returns the affine in millimetres that the fields give an image of this size, and the unit; see place.
func (n *NIfTI) affine(size [3]int) ([3][4]float64, Unit, error) {
	a, unit, _, err := n.place(size)
	return a, unit, err
}

// Warnings says what is doubtful about where a grid lies, one line each: a NIfTI header that contradicts itself. nil if nothing is.
func (g Grid) Warnings() []string {
	if g.NIfTI == nil {
		return nil
	}
	_, _, warnings, _ := g.NIfTI.place(g.Size)
	return warnings
}

// place returns the affine in millimetres that the fields give an image of this size. It is that of the sform if its code is above 0,
// else that of the qform, else spacing alone: then the header does not say where the image lies, and like nibabel we put the
// world's origin in its middle and let i grow to the left.
//
// Where a header contradicts itself it is read as ITK does, with a warning: an sform without inverse is passed over for the qform;
// so is one whose columns have other lengths than pixdim, or, without a qform, they get these lengths (unless pixdim is 1 throughout, as if never set); and an axis with negative
// pixdim is turned round. Only where sform and qform agree on the spacing, not on the place, the sform counts, as for nibabel.
//
// The unit is Voxel where the header has neither form nor unit and a spacing of 1 along every axis, as programs write it
// that know none, and where the description says so.
func (n *NIfTI) place(size [3]int) (a [3][4]float64, unit Unit, warnings []string, err error) {
	pix := n.Pixdim
	var turned []string
	for i := 1; i < 4; i++ {
		if pix[i] < 0 {
			turned = append(turned, fmt.Sprintf("pixdim[%d]", i))
			pix[i] = -pix[i]
		}
		if size[i-1] == 1 && (pix[i] == 0 || math.IsNaN(pix[i])) {
			pix[i] = 1 // a slice has no thickness in many 2-D files
		}
		if n.SCode <= 0 && !(pix[i] > 0 && pix[i] < 1e9) {
			return a, "", nil, fmt.Errorf("pixdim[%d] is %v, want a spacing other than 0", i, n.Pixdim[i])
		}
	}
	scale := 1.0
	switch n.Units {
	case 1:
		scale = 1000
	case 3:
		scale = 0.001
	}
	var q [3][4]float64
	qform := n.QCode > 0
	if qform {
		if q, err = n.qform(pix); err != nil && n.SCode <= 0 {
			return a, "", nil, err
		}
		qform = err == nil
	}
	switch {
	case n.SCode > 0:
		a = n.SRow
		usable, lengths := invertible(a), n.agrees(pix, size)
		switch {
		case qform && !usable:
			a = q
			warnings = append(warnings, "the sform has no inverse: the qform is used, as ITK does")
		case qform && !lengths:
			a = q
			warnings = append(warnings, fmt.Sprintf("the sform's spacing %s contradicts pixdim %s: the qform is used, as ITK does; nibabel uses the sform",
				spacingText(n.SRow), pixdimText(pix)))
		case usable && !lengths && pix[1] == 1 && pix[2] == 1 && pix[3] == 1: // never set
			warnings = append(warnings, fmt.Sprintf("the sform's spacing %s contradicts pixdim, which is 1 throughout: the sform is used, as nibabel does; ITK uses pixdim",
				spacingText(n.SRow)))
		case usable && !lengths:
			warnings = append(warnings, fmt.Sprintf("the sform's spacing %s contradicts pixdim %s: pixdim is used, as ITK does; nibabel uses the sform",
				spacingText(n.SRow), pixdimText(pix)))
			for c, s := range (Grid{Affine: a}).Spacing() {
				if p := pix[c+1]; p > 0 && p < 1e9 {
					for r := range 3 {
						a[r][c] *= p / s
					}
				}
			}
		case qform:
			s := Grid{Size: size, Affine: a}
			least := s.Spacing()
			if d := s.farthest(Grid{Size: size, Affine: q}); d > min(least[0], least[1], least[2])/2 {
				warnings = append(warnings, fmt.Sprintf("sform and qform place the image up to %.3g mm apart: the sform is used, as nibabel does; ITK often uses the qform", d*scale))
			}
		}
	case qform:
		a = q
	default:
		for i := range 3 {
			step := pix[i+1]
			if i == 0 {
				step = -step
			}
			a[i][i] = step
			a[i][3] = -step * float64(size[i]-1) / 2
		}
	}
	if len(turned) > 0 {
		warnings = append(warnings, strings.Join(turned, " and ")+" negative: the axis is turned round, as ITK does; nibabel does not")
		for c := range 3 {
			if n.Pixdim[c+1] < 0 {
				for r := range 3 {
					a[r][c] = -a[r][c]
				}
			}
		}
	}
	unit = Millimetre
	if n.Units == 0 && n.SCode <= 0 && n.QCode <= 0 || n.Unitless {
		unit = Voxel
		for _, s := range (Grid{Affine: a}).Spacing() {
			if math.Abs(s-1) > 1e-6 {
				unit = Millimetre
			}
		}
	}
	for r := range a {
		for c := range a[r] {
			a[r][c] *= scale
		}
	}
	return a, unit, warnings, nil
}

// qform returns the affine of the qform with spacing pix.
func (n *NIfTI) qform(pix [4]float64) (a [3][4]float64, err error) {
	r, err := quaternion(n.Quatern)
	if err != nil {
		return a, err
	}
	if pix[0] < 0 {
		for i := range r {
			r[i][2] = -r[i][2]
		}
	}
	for i := range r {
		for c := range 3 {
			a[i][c] = r[i][c] * pix[c+1]
		}
		a[i][3] = n.QOffset[i]
	}
	return a, nil
}

// invertible reports whether an affine is finite and its axes span the space.
func invertible(a [3][4]float64) bool {
	g := Grid{Affine: a}
	s := g.Spacing()
	det := dot(cross(g.Column(0), g.Column(1)), g.Column(2)) / (s[0] * s[1] * s[2])
	o := g.Column(3)
	return math.Abs(det) > 1e-6 && !math.IsInf(det, 0) && !math.IsNaN(o[0]+o[1]+o[2])
}

// agrees reports whether the sform's columns are as long as pixdim says, to a thousandth. Axes of one voxel and a pixdim that is no
// spacing do not count.
func (n *NIfTI) agrees(pix [4]float64, size [3]int) bool {
	for c, s := range (Grid{Affine: n.SRow}).Spacing() {
		if p := pix[c+1]; p > 0 && p < 1e9 && size[c] > 1 && !(math.Abs(s-p) <= 1e-3*p) {
			return false
		}
	}
	return true
}

// farthest returns the largest distance between the corners of two grids of one size.
func (g Grid) farthest(other Grid) float64 {
	largest := 0.0
	p, q := g.Corners(), other.Corners()
	for n := range p {
		largest = max(largest, math.Hypot(math.Hypot(p[n][0]-q[n][0], p[n][1]-q[n][1]), p[n][2]-q[n][2]))
	}
	return largest
}

func spacingText(a [3][4]float64) string {
	s := (Grid{Affine: a}).Spacing()
	return pixdimText([4]float64{0, s[0], s[1], s[2]})
}

func pixdimText(p [4]float64) string { return fmt.Sprintf("%.4g x %.4g x %.4g", p[1], p[2], p[3]) }

// quaternion returns the rotation of the unit quaternion (a, b, c, d) of which only b, c, d are given and a >= 0.
func quaternion(q [3]float64) ([3][3]float64, error) {
	b, c, d := q[0], q[1], q[2]
	rest := 1 - (b*b + c*c + d*d)
	// Three float32 components of a half turn add up to a little more than 1.
	if !(rest > -1e-5) {
		return [3][3]float64{}, fmt.Errorf("quatern_b, c, d = %v, %v, %v are not a rotation: their squares add up to more than 1", b, c, d)
	}
	a := 0.0
	if rest < 1e-7 {
		s := 1 / math.Sqrt(b*b+c*c+d*d)
		b, c, d = b*s, c*s, d*s
	} else {
		a = math.Sqrt(rest)
	}
	return [3][3]float64{
		{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
		{2 * (b*c + a*d), a*a + c*c - b*b - d*d, 2 * (c*d - a*b)},
		{2 * (b*d - a*c), 2 * (c*d + a*b), a*a + d*d - b*b - c*c},
	}, nil
}
