package volume

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

// drawGrid draws a grid of any orientation: a rotation about any axis, flips, an order of axes, anisotropic spacing.
func drawGrid(t *rapid.T) Grid {
	g := Grid{Unit: Millimetre}
	var axis [3]float64
	for a := range 3 {
		g.Size[a] = rapid.IntRange(1, 6).Draw(t, "size")
		axis[a] = rapid.Float64Range(-1, 1).Draw(t, "axis")
	}
	length := math.Sqrt(dot(axis, axis))
	if length < 1e-3 {
		axis, length = [3]float64{0, 0, 1}, 1
	}
	angle := rapid.OneOf(rapid.Float64Range(-math.Pi, math.Pi), rapid.SampledFrom([]float64{0, math.Pi, math.Pi / 2, -math.Pi / 2, math.Pi - 1e-4})).Draw(t, "angle")
	s, c := math.Sin(angle), math.Cos(angle)
	order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "order")
	for col, to := range order {
		var e [3]float64
		e[col] = 1
		u := [3]float64{axis[0] / length, axis[1] / length, axis[2] / length}
		// Rodrigues: e rotated about u.
		ue, along := cross(u, e), dot(u, e)
		step := rapid.Float64Range(0.05, 12).Draw(t, "spacing")
		if rapid.Bool().Draw(t, "flip") {
			step = -step
		}
		for r := range 3 {
			g.Affine[r][to] = step * (c*e[r] + s*ue[r] + (1-c)*along*u[r])
		}
	}
	for r := range 3 {
		g.Affine[r][3] = rapid.Float64Range(-500, 500).Draw(t, "origin")
	}
	return g
}

// trip writes a mask in the format of a name and reads it back, in memory.
func trip(t *rapid.T, name string, m *Mask) *Mask {
	var b bytes.Buffer
	if err := encode(&b, name, m.Grid, "uint8", func(dst []byte, first, n int) { copy(dst, m.Data[first:first+n]) }); err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{name: {Data: b.Bytes()}}
	header, err := parse(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := header.readMask(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// float32 world coordinates of up to 600 mm are this exact.
const roundTripTolerance = 2e-4

func TestNIfTIRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		m := &Mask{Grid: g, Data: rapid.SliceOfN(rapid.Byte(), g.Len(), g.Len()).Draw(t, "data")}
		name := rapid.SampledFrom([]string{"m.nii", "m.nii.gz"}).Draw(t, "name")
		got := trip(t, name, m)
		if !slices.Equal(got.Data, m.Data) || got.Unit != g.Unit {
			t.Fatalf("%v %v, want %v %v", got.Data, got.Unit, m.Data, g.Unit)
		}
		if !got.Same(g, roundTripTolerance) {
			t.Fatalf("corners %v, want %v", got.Corners(), g.Corners())
		}
		// The qform alone, which other programs prefer, must say the same.
		n := *got.NIfTI
		n.SCode = 0
		a, _, err := n.affine(g.Size)
		if err != nil || n.QCode == 0 {
			t.Fatalf("qform: code %d, %v", n.QCode, err)
		}
		// Near half turns float32 leaves the unstored a = sqrt(1-b²-c²-d²) wrong by up to 4e-4, twice that as an angle.
		far := g.Corners()[7]
		extent := math.Hypot(math.Hypot(far[0]-g.Corners()[0][0], far[1]-g.Corners()[0][1]), far[2]-g.Corners()[0][2])
		if q := (Grid{Size: g.Size, Affine: a}); !q.Same(g, roundTripTolerance+1e-3*extent) {
			t.Fatalf("qform corners %v, want %v", q.Corners(), g.Corners())
		}
		// A second trip changes nothing at all.
		if again := trip(t, name, got); again.Affine != got.Affine || *again.NIfTI != *got.NIfTI {
			t.Fatalf("second trip: %v, want %v", again, got)
		}
	})
}

// An image keeps its place through any chain of formats: written by one and read by another, every corner of every voxel
// lies where it lay.
func TestFormatsAgreeOnGeometry(t *testing.T) {
	corner := func(g Grid, n, c int) [3]float64 { // corner c of voxel n
		at := [3]int{n % g.Size[0], n / g.Size[0] % g.Size[1], n / g.Size[0] / g.Size[1]}
		return g.World(float64(at[0])+float64(c&1)-0.5, float64(at[1])+float64(c>>1&1)-0.5, float64(at[2])+float64(c>>2)-0.5)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		m := &Mask{Grid: g, Data: rapid.SliceOfN(rapid.Byte(), g.Len(), g.Len()).Draw(t, "data")}
		for _, name := range rapid.Permutation([]string{"m.nii", "m.nii.gz", "m.mha", "m.nrrd"}).Draw(t, "formats") {
			got := trip(t, name, m)
			if !slices.Equal(got.Data, m.Data) || got.Unit != Millimetre {
				t.Fatalf("%s: %s %v, want %v", name, got.Unit, got.Data, m.Data)
			}
			for n := range g.Len() {
				for c := range 8 {
					a, b := corner(g, n, c), corner(got.Grid, n, c)
					for r := range 3 {
						if !(math.Abs(a[r]-b[r]) <= roundTripTolerance) {
							t.Fatalf("%s: corner %d of voxel %d lies at %v, want %v", name, c, n, b, a)
						}
					}
				}
			}
			m = got
		}
	})
}

// The unit survives every format.
func TestUnitRoundTrip(t *testing.T) {
	g := Grid{Size: [3]int{2, 1, 1}, Unit: Voxel, Affine: [3][4]float64{{-1, 0, 0, 3}, {0, 0, -1, 4}, {0, 1, 0, 5}}}
	for _, name := range []string{"a.nii", "a.mha", "a.nrrd", "a.seg.nrrd"} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteMask(path, &Mask{Grid: g, Data: []uint8{1, 2}}); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadHeader(path); err != nil || got.Unit != Voxel || got.Affine != g.Affine {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A mask written on the grid of a NIfTI image carries the image's geometry fields unchanged, also where sform and qform
// disagree or neither is given: it lies over the image in programs that decide otherwise than we do.
func TestMaskKeepsFieldsOfItsImage(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]NIfTI{
		"neither":  {Pixdim: [4]float64{0, 2, 3, 4}, Units: 2},
		"qform":    {QCode: 1, Pixdim: [4]float64{-1, 2, 3, 4}, Quatern: [3]float64{0.5, 0.5, 0.5}, QOffset: [3]float64{1, 2, 3}, Units: 2},
		"disagree": {QCode: 1, SCode: 4, Pixdim: [4]float64{1, 2, 3, 4}, Quatern: [3]float64{0, 1, 0}, SRow: [3][4]float64{{2, 0, 0, 9}, {0, 3, 0, 8}, {0, 0, 4, 7}}},
		"metres":   {SCode: 1, Pixdim: [4]float64{1, 0.5, 0.5, 0.5}, SRow: [3][4]float64{{0.5, 0, 0, 9}, {0, 0.5, 0, 8}, {0, 0, 0.5, 7}}, Units: 1},
	}
	for name, fields := range cases {
		g := Grid{Size: [3]int{2, 3, 4}, NIfTI: &fields}
		var err error
		if g.Affine, g.Unit, err = fields.affine(g.Size); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".nii.gz")
		if err := WriteVolume(path, &Volume{Grid: g, Data: make([]float32, 24)}); err != nil {
			t.Fatal(err)
		}
		image, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if *image.NIfTI != fields || image.Unit != Millimetre {
			t.Errorf("%s: fields %+v, want %+v", name, *image.NIfTI, fields)
		}
		moved := image.Grid
		moved.Affine[0][3]++
		if n := moved.nifti(); n.SRow != moved.Affine || n.SCode != 1 {
			t.Errorf("%s: a moved grid is written with the fields of the old one", name)
		}
	}
}

func TestWriteVolumeKeepsType(t *testing.T) {
	g := Grid{Size: [3]int{3, 1, 1}, Unit: Millimetre, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	for i, c := range []struct {
		stored string
		data   []float32
		want   string
	}{
		{"int16", []float32{-32768, 0, 32767}, "int16"},
		{"int16", []float32{-32769, 0, 1}, "float32"},
		{"int16", []float32{0.5, 0, 1}, "float32"},
		{"uint8", []float32{0, 128, 255}, "uint8"},
		{"int8", []float32{-128, 0, 127}, "int8"},
		{"uint16", []float32{0, 1, 65535}, "uint16"},
		{"float64", []float32{1, 2, 3}, "float32"},
		{"int16", []float32{float32(math.NaN()), 0, 1}, "float32"},
		{"", []float32{float32(math.Inf(1)), 0, 1}, "float32"},
	} {
		path := filepath.Join(t.TempDir(), []string{"v.nii.gz", "v.mha", "v.nrrd"}[i%3])
		if err := WriteVolume(path, &Volume{Grid: g, Data: c.data, Stored: c.stored}); err != nil {
			t.Fatal(err)
		}
		v, err := Read(path)
		if err != nil || v.Stored != c.want {
			t.Fatalf("%v as %s: stored %v, %v, want %s", c.data, c.stored, v, err, c.want)
		}
		for i, x := range v.Data {
			if x != c.data[i] && !(x != x && c.data[i] != c.data[i]) {
				t.Errorf("%v as %s: read %v", c.data, c.stored, v.Data)
			}
		}
	}
}
