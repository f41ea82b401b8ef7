package volume

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"testing/fstest"
)

// nifti2File returns a big-endian NIfTI-2 file of 2 x 2 x 1 float64 voxels 1.5, 2.5, 3.5, 4.5 with a slope of 2.
func nifti2File() []byte {
	be := binary.BigEndian
	h := make([]byte, 544)
	be.PutUint32(h, 540)
	copy(h[4:], "n+2\x00\r\n\x1a\n")
	be.PutUint16(h[12:], 64)
	for i, v := range []uint64{2, 2, 2, 1} {
		be.PutUint64(h[16+8*i:], v)
	}
	real := func(offset int, v ...float64) {
		for i, x := range v {
			be.PutUint64(h[offset+8*i:], math.Float64bits(x))
		}
	}
	real(104, 1, 0.5, 0.25, 0) // no thickness: a 2-D image
	be.PutUint64(h[168:], 544)
	real(176, 2, -1)
	be.PutUint32(h[344:], 1)
	real(376, 10, 20, 30)
	be.PutUint32(h[500:], 2)
	for _, v := range []float64{1.5, 2.5, 3.5, 4.5} {
		h = be.AppendUint64(h, math.Float64bits(v))
	}
	return h
}

func TestNIfTI2BigEndian(t *testing.T) {
	v, err := readFS(fstest.MapFS{"a.nii": {Data: nifti2File()}}, "a.nii")
	if err != nil {
		t.Fatal(err)
	}
	want := [3][4]float64{{0.5, 0, 0, 10}, {0, 0.25, 0, 20}, {0, 0, 1, 30}}
	if !slices.Equal(v.Data, []float32{2, 4, 6, 8}) || v.Affine != want || v.Stored != "float64" {
		t.Errorf("got %+v", v)
	}
}

// Every scalar type and both byte orders give the numbers that were put in.
func TestNIfTIScalars(t *testing.T) {
	for code, s := range niftiTypes {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := niftiFile(nil)[:352]
			binary.LittleEndian.PutUint16(data[70:], uint16(code))
			if order == binary.AppendByteOrder(binary.BigEndian) {
				swapHeader(data)
			}
			want := make([]float32, 24)
			for i := range want {
				x := float64(i)
				if s[0] != 'u' {
					x = -x
				}
				want[i] = float32(x)
				switch s {
				case "float32":
					data = order.AppendUint32(data, math.Float32bits(float32(x)))
				case "float64":
					data = order.AppendUint64(data, math.Float64bits(x))
				default:
					switch u := uint64(int64(x)); s.size() {
					case 1:
						data = append(data, byte(u))
					case 2:
						data = order.AppendUint16(data, uint16(u))
					case 4:
						data = order.AppendUint32(data, uint32(u))
					case 8:
						data = order.AppendUint64(data, u)
					}
				}
			}
			v, err := readFS(fstest.MapFS{"a.nii": {Data: data}}, "a.nii")
			if err != nil || !slices.Equal(v.Data, want) || v.Stored != string(s) {
				t.Errorf("%s, %v: %v %v", s, order, v, err)
			}
		}
	}
}

// swapHeader turns the fields of a NIfTI-1 header that the reader looks at into big-endian.
func swapHeader(h []byte) {
	swap := func(from, to, size int) {
		for i := from; i < to; i += size {
			slices.Reverse(h[i : i+size])
		}
	}
	swap(0, 4, 4)
	swap(40, 56, 2)
	swap(70, 74, 2)
	swap(76, 120, 4)
	swap(252, 256, 2)
	swap(256, 328, 4)
}

func TestNIfTIScaling(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct{ slope, inter, want float64 }{
		{0, 5, 1}, {nan, 5, 1}, {inf, 5, 1}, {1, 0, 1}, {2, 0.5, 2.5}, {-1, 0, -1},
	} {
		v, err := readFS(fstest.MapFS{"a.nii": {Data: niftiFile(putFloat(112, c.slope, c.inter))}}, "a.nii")
		if err != nil || float64(v.Data[1]) != c.want {
			t.Errorf("slope %v, inter %v: %v, %v, want %v", c.slope, c.inter, v, err, c.want)
		}
	}
}

func TestNIfTIGeometry(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func([]byte)
		want [3][4]float64
		unit Unit
	}{
		{"sform first", putFloat(256, 1, 0, 0, 7, 7, 7), [3][4]float64{{2, 0, 0, 1}, {0, 3, 0, 2}, {0, 0, 4, 3}}, Millimetre},
		{"qform", both(form(1, 0), putFloat(256, 0, 0, 1)), [3][4]float64{{-2, 0, 0, 1}, {0, -3, 0, 2}, {0, 0, 4, 3}}, Millimetre},
		{"qfac", both(form(1, 0), putFloat(76, -1)), [3][4]float64{{2, 0, 0, 1}, {0, 3, 0, 2}, {0, 0, -4, 3}}, Millimetre},
		{"neither", form(0, 0), [3][4]float64{{-2, 0, 0, 1}, {0, 3, 0, -3}, {0, 0, 4, -6}}, Millimetre}, // as nibabel
		{"metres", func(h []byte) { h[123] = 1 }, [3][4]float64{{2000, 0, 0, 1000}, {0, 3000, 0, 2000}, {0, 0, 4000, 3000}}, Millimetre},
		{"micrometres", both(form(0, 0), func(h []byte) { h[123] = 3 }, putFloat(80, 2000, 3000, 4000)), [3][4]float64{{-2, 0, 0, 1}, {0, 3, 0, -3}, {0, 0, 4, -6}}, Millimetre},
		{"no unit", func(h []byte) { h[123] = 0 }, [3][4]float64{{2, 0, 0, 1}, {0, 3, 0, 2}, {0, 0, 4, 3}}, Millimetre},
		{"no unit, spacing 1", both(form(0, 0), func(h []byte) { h[123] = 0 }, putFloat(80, 1, 1, 1)), [3][4]float64{{-1, 0, 0, 0.5}, {0, 1, 0, -1}, {0, 0, 1, -1.5}}, Voxel},
	} {
		v, err := readFS(fstest.MapFS{"a.nii": {Data: niftiFile(c.edit)}}, "a.nii")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !v.Same(Grid{Size: v.Size, Affine: c.want}, 1e-3) || v.Unit != c.unit {
			t.Errorf("%s: %v %s, want %v %s", c.name, v.Affine, v.Unit, c.want, c.unit)
		}
	}
}

func TestNIfTIPairNames(t *testing.T) {
	data := niftiFile(putFloat(108, 0))
	header, voxels := data[:348], data[352:]
	for _, files := range [][2]string{{"a.hdr", "a.img"}, {"a.hdr.gz", "a.img.gz"}, {"a.hdr", "a.img.gz"}, {"A.HDR", "A.IMG"}, {"b.hdr.gz", "b.img"}} {
		pack := func(name string, data []byte) *fstest.MapFile {
			if len(name) > 5 {
				data = gzipFile(data)
			}
			return &fstest.MapFile{Data: bytes.Clone(data)}
		}
		fsys := fstest.MapFS{files[0]: pack(files[0], header), files[1]: pack(files[1], voxels)}
		for _, name := range files {
			v, err := readFS(fsys, name)
			if err != nil || v.Data[23] != 23 {
				t.Errorf("%s of %v: %v", name, files, err)
			}
		}
	}
}
