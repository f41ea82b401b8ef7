package volume

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zlib"
)

// nrrdNames and metaNames are the names of the scalars that we write.
var (
	nrrdNames = map[scalar]string{"int8": "signed char", "uint8": "unsigned char", "int16": "short", "uint16": "unsigned short", "float32": "float"}
	metaNames = map[scalar]string{"int8": "MET_CHAR", "uint8": "MET_UCHAR", "int16": "MET_SHORT", "uint16": "MET_USHORT", "float32": "MET_FLOAT"}
)

// exact formats a number so that reading it gives the same number.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// writeNRRD writes an attached NRRD file in left-posterior-superior, compressed with gzip. Where there are
// several layers, they are the fastest axis of what fill writes. keys holds further lines of the header.
func writeNRRD(w io.Writer, g Grid, s scalar, layers int, keys string, fill func(dst []byte, first, n int)) error {
	a := fromLPS(g.Affine)
	vector := func(c int) string { return "(" + exact(a[0][c]) + "," + exact(a[1][c]) + "," + exact(a[2][c]) + ")" }
	dimension, sizes, kinds, none := 3, "", "", ""
	if layers > 1 {
		dimension, sizes, kinds, none = 4, fmt.Sprint(layers, " "), "list ", "none "
	}
	unit := `"mm"`
	if g.Unit == Voxel {
		unit = `"voxel"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, "NRRD0005\ntype: %s\ndimension: %d\nspace: left-posterior-superior\n", nrrdNames[s], dimension)
	fmt.Fprintf(&b, "sizes: %s%d %d %d\n", sizes, g.Size[0], g.Size[1], g.Size[2])
	fmt.Fprintf(&b, "space directions: %s%s %s %s\n", none, vector(0), vector(1), vector(2))
	fmt.Fprintf(&b, "kinds: %sdomain domain domain\nspace units: %s %s %s\n", kinds, unit, unit, unit)
	fmt.Fprintf(&b, "endian: little\nencoding: gzip\nspace origin: %s\n%s\n", vector(3), keys)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return compressed(w, func(w io.Writer) error { return writeVoxels(w, g.Len()*layers, s.size(), fill) })
}

// writeMetaImage writes a .mha file, compressed with zlib. TransformMatrix holds direction cosines, so a sheared grid is exact too.
func writeMetaImage(w io.Writer, g Grid, s scalar, fill func(dst []byte, first, n int)) error {
	var voxels bytes.Buffer // the header holds its length
	z := zlib.NewWriter(&voxels)
	if err := writeVoxels(z, g.Len(), s.size(), fill); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	a, spacing := fromLPS(g.Affine), g.Spacing()
	var matrix, offset, step []string
	for c := range 3 {
		for r := range 3 {
			matrix = append(matrix, exact(a[r][c]/spacing[c]))
		}
		offset = append(offset, exact(a[c][3]))
		step = append(step, exact(spacing[c]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n")
	fmt.Fprintf(&b, "CompressedData = True\nCompressedDataSize = %d\n", voxels.Len())
	fmt.Fprintf(&b, "TransformMatrix = %s\nOffset = %s\nCenterOfRotation = 0 0 0\n", strings.Join(matrix, " "), strings.Join(offset, " "))
	if g.Unit != Voxel || g.Spacing() != [3]float64{1, 1, 1} {
		fmt.Fprintf(&b, "ElementSpacing = %s\n", strings.Join(step, " "))
	}
	fmt.Fprintf(&b, "DimSize = %d %d %d\nElementType = %s\nElementDataFile = LOCAL\n", g.Size[0], g.Size[1], g.Size[2], metaNames[s])
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	_, err := w.Write(voxels.Bytes())
	return err
}
