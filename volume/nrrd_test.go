package volume

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// nrrdFile returns an attached NRRD file with these header lines and voxels.
func nrrdFile(voxels []byte, lines ...string) []byte {
	return append([]byte("NRRD0005\n# a comment\n"+strings.Join(lines, "\n")+"\n\n"), voxels...)
}

// nrrdSmall returns an NRRD file of 2 x 3 x 4 uint8 voxels 0, 1, 2 ... with further header lines; a later field counts.
func nrrdSmall(lines ...string) []byte {
	voxels := make([]byte, 24)
	for i := range voxels {
		voxels[i] = byte(i)
	}
	return nrrdFile(voxels, append([]string{"type: uchar", "dimension: 3", "sizes: 2 3 4", "encoding: raw"}, lines...)...)
}

func TestNRRDGeometry(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want [3][4]float64
		unit Unit
	}{
		{"none", nrrdSmall(), [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}, Voxel},
		{"spacings", nrrdSmall("spacings: 2 3 4"), [3][4]float64{{-2, 0, 0, 0}, {0, -3, 0, 0}, {0, 0, 4, 0}}, Millimetre},
		{"spacings unknown", nrrdSmall("spacings: nan nan nan"), [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}, Voxel},
		{"RAS", nrrdSmall("space: right-anterior-superior", "space directions: (0, 2, 0) (3,0,0) (0,0,-4)", "space origin: (5,6,7)"),
			[3][4]float64{{0, 3, 0, 5}, {2, 0, 0, 6}, {0, 0, -4, 7}}, Millimetre},
		{"LAS", nrrdSmall("space: LAS", "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)"),
			[3][4]float64{{-2, 0, 0, -5}, {0, 3, 0, 6}, {0, 0, 4, 7}}, Millimetre},
		{"LPS", nrrdSmall("space: left-posterior-superior", "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)"),
			[3][4]float64{{-2, 0, 0, -5}, {0, -3, 0, -6}, {0, 0, 4, 7}}, Millimetre},
		{"space of three dimensions", nrrdSmall("space dimension: 3", "space directions: (2,0,0) (0,3,0) (0,0,4)"),
			[3][4]float64{{-2, 0, 0, 0}, {0, -3, 0, 0}, {0, 0, 4, 0}}, Millimetre},
		{"metres", nrrdSmall("space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)", `space units: "m" "m" "m"`),
			[3][4]float64{{-2000, 0, 0, -5000}, {0, -3000, 0, -6000}, {0, 0, 4000, 7000}}, Millimetre},
		{"voxels", nrrdSmall("space directions: (1,0,0) (0,1,0) (0,0,1)", `space units: "voxel" "voxel" "voxel"`),
			[3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}, Voxel},
		{"one channel", nrrdSmall("dimension: 4", "sizes: 1 2 3 4", "kinds: vector domain domain domain", "space directions: none (2,0,0) (0,3,0) (0,0,4)"),
			[3][4]float64{{-2, 0, 0, 0}, {0, -3, 0, 0}, {0, 0, 4, 0}}, Millimetre},
		{"slice in space", nrrdFile(make([]byte, 6), "type: uchar", "dimension: 2", "sizes: 2 3", "encoding: raw", "space directions: (0,2,0) (0,0,3)"),
			[3][4]float64{{0, 0, -1, 0}, {-2, 0, 0, 0}, {0, 3, 0, 0}}, Millimetre},
	} {
		v, err := readFS(fstest.MapFS{"a.nrrd": {Data: c.data}}, "a.nrrd")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := Grid{Size: v.Size, Affine: c.want}
		if c.name == "slice in space" && v.Affine[0][2] > 0 { // either normal is right
			want.Affine[0][2] = 1
		}
		if !v.Same(want, 1e-9) || v.Unit != c.unit {
			t.Errorf("%s: %v %s, want %v %s", c.name, v.Affine, v.Unit, c.want, c.unit)
		}
	}
}

func TestNRRDVoxels(t *testing.T) {
	h := []string{"dimension: 2", "sizes: 2 2"}
	le := []byte{1, 0, 2, 0, 3, 0, 0xff, 0xff}
	short := append([]string{"type: signed short int", "endian: little"}, h...)
	with := func(lines []string, more ...string) []string { return append(slices.Clone(lines), more...) }
	for name, files := range map[string]fstest.MapFS{
		"raw":         {"a.nrrd": {Data: nrrdFile(le, with(short, "encoding: raw")...)}},
		"big":         {"a.nrrd": {Data: nrrdFile([]byte{0, 1, 0, 2, 0, 3, 0xff, 0xff}, with(short, "encoding: raw", "endian: big")...)}},
		"gzip":        {"a.nrrd": {Data: nrrdFile(gzipFile(le), with(short, "encoding: gz")...)}},
		"hex":         {"a.nrrd": {Data: nrrdFile([]byte("0100 0200\n0300FFff\n"), with(short, "encoding: hex")...)}},
		"text":        {"a.nrrd": {Data: nrrdFile([]byte("1, 2\n3,-1"), with(h, "type: double", "encoding: ascii")...)}},
		"detached":    {"a.nrrd": {Data: nrrdFile(nil, with(short, "encoding: raw", "data file: v.raw")...)}, "v.raw": {Data: le}},
		"byte skip":   {"a.nrrd": {Data: nrrdFile(nil, with(short, "encoding: raw", "byte skip: 2", "datafile: ./v.raw")...)}, "v.raw": {Data: append([]byte{7, 7}, le...)}},
		"line skip":   {"a.nrrd": {Data: nrrdFile(nil, with(short, "encoding: raw", "lineskip: 2", "byteskip: 1", "data file: v.raw")...)}, "v.raw": {Data: append([]byte("a\nbc\n7"), le...)}},
		"skip packed": {"a.nrrd": {Data: nrrdFile(gzipFile(append([]byte{7, 7}, le...)), with(short, "encoding: gzip", "byte skip: 2")...)}},
		"last":        {"a.nrrd": {Data: nrrdFile(append(make([]byte, 9000), le...), with(short, "encoding: raw", "byte skip: -1")...)}},
		"last packed": {"a.nrrd": {Data: nrrdFile(gzipFile(append(make([]byte, 9000), le...)), with(short, "encoding: gzip", "byte skip: -1")...)}},
		"CR LF":       {"a.nrrd": {Data: append([]byte("NRRD0004\r\ntype: int8\r\ndimension: 2\r\nsizes: 2 2\r\nencoding: raw\r\n\r\n"), 1, 2, 3, 0xff)}},
	} {
		v, err := readFS(files, "a.nrrd")
		if err != nil || !slices.Equal(v.Data, []float32{1, 2, 3, -1}) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

func TestHostileNRRD(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "does not begin with"},
		{"cut in header", nrrdSmall()[:30], "sizes"},
		{"cut in voxels", nrrdSmall()[:len(nrrdSmall())-3], "the header promises 24"},
		{"trailing", append(nrrdSmall(), make([]byte, slack+1)...), "beyond the 2 x 3 x 4 voxels"},
		{"sizes", nrrdSmall("sizes: 2 -3 4"), "not a whole number from 1"},
		{"huge", nrrdSmall("sizes: 1099511627776 1 1"), "more than the 2147483648"},
		{"promise", nrrdSmall("sizes: 1000 1000 1000"), "the header promises"},
		{"bzip2 promise", nrrdSmall("sizes: 1000 1000 1000", "encoding: bzip2"), "damaged at voxel 0"},
		{"dimension", nrrdSmall("dimension: 2"), "do not agree"},
		{"one axis", nrrdSmall("dimension: 1", "sizes: 24"), "1-D image"},
		{"time", nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "kinds: domain domain domain time"), "it holds 2 channels"},
		{"colour", nrrdSmall("kinds: RGB-color domain domain", "sizes: 3 4 2"), "a 3-D image (axis 0 has 3 entries, rgb-color)"},
		{"type", nrrdSmall("type: block"), `type "block"`},
		{"no type", nrrdFile(make([]byte, 4), "dimension: 2", "sizes: 2 2", "encoding: raw"), `no field "type"`},
		{"endian", nrrdSmall("type: short"), `endian ""`},
		{"encoding", nrrdSmall("encoding: zstd"), `encoding "zstd"`},
		{"directions", nrrdSmall("space directions: (1,0,0) (0,1,0)"), "2 of them, want 3"},
		{"vector", nrrdSmall("space directions: 1 0 0"), "want vectors"},
		{"NaN", nrrdSmall("space directions: (nan,0,0) (0,1,0) (0,0,1)"), "not a finite number"},
		{"flat", nrrdSmall("space directions: (1,0,0) (1,0,0) (0,0,1)"), "axes lie in one plane"},
		{"zero", nrrdSmall("spacings: 0 1 1"), "spacing along axis 0 is 0"},
		{"origin", nrrdSmall("space origin: none"), "want one vector"},
		{"escape", nrrdSmall("data file: ../v.raw"), "must lie in the header's folder"},
		{"list", nrrdSmall("data file: LIST"), "spread over many files"},
		{"pattern", nrrdSmall("data file: v%03d.raw 1 9 1"), "spread over many files"},
		{"byte skip", nrrdSmall("byte skip: -5"), "from -1"},
		{"byte skip beyond", nrrdSmall("byte skip: 9999"), "cut short"},
		{"line skip", nrrdSmall("line skip: 1000000"), "line skip: a.nrrd ends"},
		{"hex", nrrdFile([]byte("0x12"), "type: uchar", "dimension: 2", "sizes: 1 1", "encoding: hex"), "damaged at voxel 0"},
		{"text", nrrdFile([]byte("1 x"), "type: uchar", "dimension: 2", "sizes: 1 2", "encoding: ascii"), `voxel 1 is "x"`},
		{"text more", nrrdFile([]byte("1 2 3"), "type: uchar", "dimension: 2", "sizes: 1 2", "encoding: ascii"), "more numbers than the 2"},
		{"prefix", nrrdFile(gzipFile(make([]byte, maxPrefix+5)), "type: uchar", "dimension: 2", "sizes: 2 2", "encoding: gzip", "byte skip: -1"), "stand before the voxels"},
	} {
		_, err := readFS(fstest.MapFS{"a.nrrd": {Data: c.data}}, "a.nrrd")
		wantError(t, c.name, err, c.want)
	}
}

func TestNRRDRefusedByName(t *testing.T) {
	for name, want := range map[string]string{
		"test1d_ascii.nrrd":                           "1-D image",
		"test_customFields.nrrd":                      "1-D image",
		"BallBinary30x30x30_byteskip_minus_five.nhdr": "byte skip",
		"BallBinary30x30x30_nifti.nhdr":               "more than 0 bytes beyond", // the NIfTI header before the voxels is not skipped
	} {
		_, err := Read(shared(t, "formats/nrrd/"+name))
		wantError(t, name, err, want)
	}
}

func FuzzNRRD(f *testing.F) {
	f.Add(nrrdSmall("space: LAS", "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)"), []byte{})
	f.Add(nrrdSmall("data file: v", "line skip: 1", "byte skip: -1", "kinds: domain domain domain"), []byte("a\nbcdefghijklmnopqrstuvwxyz"))
	f.Add(nrrdSmall("data file: v", "encoding: gzip", "spacings: 1 2 nan"), gzipFile(make([]byte, 24)))
	f.Add(nrrdSmall("data file: v", "encoding: hex", "sizes: 2 1 1"), []byte("01 ff"))
	f.Add(nrrdSmall("data file: v", "encoding: ascii", "sizes: 2 1 1", "type: short"), []byte("1 2"))
	f.Add(nrrdSmall("data file: v", "encoding: bzip2", "sizes: 2 1 1"), []byte("BZh9"))
	f.Add(nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "kinds: list domain domain domain", "Segment0_ID:=a", "Segment1_ID:=b", "Segment1_Layer:=1", "Segment1_LabelValue:=3"), []byte{})
	f.Add(nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "kinds: domain domain domain list"), []byte{})
	f.Add(nrrdSmall("dimension: 4", "sizes: 2 3 2 2", "space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,1)"), []byte{})
	f.Fuzz(func(t *testing.T, header, voxels []byte) {
		fsys := fstest.MapFS{"a.nrrd": {Data: header}, "v": {Data: voxels}}
		fuzzRead(t, fsys, "a.nrrd")
		fuzzSegmentation(fsys, "a.nrrd")
	})
}

func fuzzSegmentation(fsys fstest.MapFS, name string) {
	m, err := parse(fsys, name)
	if err != nil {
		return
	}
	data, _, err := m.readClasses(fsys)
	if err != nil {
		return
	}
	if s, err := m.segmentation(data); err == nil {
		s.Mask()
		s.segmentKeys()
	}
}
