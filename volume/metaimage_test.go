package volume

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMetaImageGeometry(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  [3][4]float64
		unit  Unit
	}{
		{"none", nil, [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}, Voxel},
		{"spacing", []string{"ElementSpacing = 2 3 4", "Offset = 5 6 7"}, [3][4]float64{{-2, 0, 0, -5}, {0, -3, 0, -6}, {0, 0, 4, 7}}, Millimetre},
		{"element size", []string{"ElementSize = 2 3 4"}, [3][4]float64{{-2, 0, 0, 0}, {0, -3, 0, 0}, {0, 0, 4, 0}}, Millimetre},
		{"spacing over size", []string{"ElementSpacing = 1 1 2", "ElementSize = 2 3 4"}, [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 2, 0}}, Millimetre},
		// SimpleITK writes the direction of the first axis first: cos, sin, 0 of a rotation about z.
		{"rotated", []string{"TransformMatrix = 0.8 0.6 0 -0.6 0.8 0 0 0 1", "ElementSpacing = 1 2 3", "Offset = 10 20 30"},
			[3][4]float64{{-0.8, 1.2, 0, -10}, {-0.6, -1.6, 0, -20}, {0, 0, 3, 30}}, Millimetre},
		{"aliases", []string{"Orientation: 0 1 0 1 0 0 0 0 1", "Position: 1 2 3", "ElementSpacing: 1 2 3"},
			[3][4]float64{{0, -2, 0, -1}, {-1, 0, 0, -2}, {0, 0, 3, 3}}, Millimetre},
		{"2-D", []string{"NDims = 2", "DimSize = 2 3", "Rotation = 0 1 1 0", "Origin = 1 2", "ElementSpacing = 2 3"},
			[3][4]float64{{0, -3, 0, -1}, {-2, 0, 0, -2}, {0, 0, 1, 0}}, Millimetre},
		{"4-D", []string{"NDims = 4", "DimSize = 2 3 4 1", "ElementSpacing = 2 3 4 1", "Offset = 1 2 3 0"},
			[3][4]float64{{-2, 0, 0, -1}, {0, -3, 0, -2}, {0, 0, 4, 3}}, Millimetre},
	} {
		v, err := readFS(fstest.MapFS{"a.mha": {Data: metaFile(c.lines...)}}, "a.mha")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !v.Same(Grid{Size: v.Size, Affine: c.want}, 1e-9) || v.Unit != c.unit || v.Data[5] != 5 {
			t.Errorf("%s: %v %s, want %v %s", c.name, v.Affine, v.Unit, c.want, c.unit)
		}
	}
}

func TestMetaImageVoxels(t *testing.T) {
	header := func(lines ...string) []byte {
		return []byte("NDims = 2\r\nDimSize = 2 2\r\n" + strings.Join(lines, "\r\n") + "\r\n")
	}
	le, be := []byte{1, 0, 2, 0, 3, 0, 0xff, 0xff}, []byte{0, 1, 0, 2, 0, 3, 0xff, 0xff}
	var floats []byte
	for _, x := range []float32{1, 2, 3, -1} {
		floats = binary.BigEndian.AppendUint32(floats, math.Float32bits(x))
	}
	for name, files := range map[string]fstest.MapFS{
		"raw":        {"a.mhd": {Data: header("ElementType = MET_SHORT", "ElementDataFile = sub/v.raw")}, "sub/v.raw": {Data: le}},
		"MSB":        {"a.mhd": {Data: header("ElementType = MET_SHORT", "ElementByteOrderMSB = True", "ElementDataFile = ./v.raw")}, "v.raw": {Data: be}},
		"zlib":       {"a.mhd": {Data: header("ElementType = MET_SHORT", "CompressedData = True", "ElementDataFile = v.zraw")}, "v.zraw": {Data: zlibFile(le)}},
		"gzip":       {"a.mhd": {Data: header("ElementType = MET_SHORT", "CompressedData = True", "ElementDataFile = v.gz")}, "v.gz": {Data: gzipFile(le)}},
		"skip":       {"a.mhd": {Data: header("ElementType = MET_SHORT", "HeaderSize = 3", "ElementDataFile = v.raw")}, "v.raw": {Data: append([]byte{9, 9, 9}, le...)}},
		"from end":   {"a.mhd": {Data: header("ElementType = MET_SHORT", "HeaderSize = -1", "ElementDataFile = v.raw")}, "v.raw": {Data: append(make([]byte, 9999), le...)}},
		"trailing":   {"a.mhd": {Data: header("ElementType = MET_SHORT", "ElementDataFile = v.raw")}, "v.raw": {Data: append(slices.Clone(le), make([]byte, 12)...)}},
		"LOCAL":      {"a.mhd": {Data: append(header("ElementType = MET_CHAR", "ElementDataFile = LOCAL"), 1, 2, 3, 0xff)}},
		"LOCAL zlib": {"a.mhd": {Data: append(header("ElementType = MET_FLOAT", "BinaryDataByteOrderMSB = True", "CompressedData = True", "ElementDataFile = LOCAL"), zlibFile(floats)...)}},
		"text":       {"a.mhd": {Data: append(header("ElementType = MET_DOUBLE", "BinaryData = False", "ElementDataFile = LOCAL"), "1 2\n3 -1\n"...)}},
	} {
		v, err := readFS(files, "a.mhd")
		if err != nil || !slices.Equal(v.Data, []float32{1, 2, 3, -1}) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}
