package volume

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/nextslice/nextslice/volume/fuzztest"
)

// niftiFile returns a small valid NIfTI-1 file of 2 x 3 x 4 int16 voxels 0, 1, 2 ..., after edit has changed its header.
func niftiFile(edit func(h []byte)) []byte {
	g := Grid{Size: [3]int{2, 3, 4}, Unit: Millimetre, Affine: [3][4]float64{{2, 0, 0, 1}, {0, 3, 0, 2}, {0, 0, 4, 3}}}
	h := niftiHeader1(g)
	binary.LittleEndian.PutUint16(h[70:], 4)
	binary.LittleEndian.PutUint16(h[72:], 16)
	for i := range g.Len() {
		h = binary.LittleEndian.AppendUint16(h, uint16(i))
	}
	if edit != nil {
		edit(h)
	}
	return h
}

func gzipFile(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func zlibFile(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// metaFile returns a MetaImage file of 2 x 3 x 4 int16 voxels 0, 1, 2 ... with further header lines.
func metaFile(lines ...string) []byte {
	var b bytes.Buffer
	b.WriteString("ObjectType = Image\nNDims = 3\nDimSize = 2 3 4\nElementType = MET_SHORT\n")
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	b.WriteString("ElementDataFile = LOCAL\n")
	for i := range uint16(24) {
		b.Write(binary.LittleEndian.AppendUint16(nil, i))
	}
	return b.Bytes()
}

// readFS reads an image, for tests without a disk.
func readFS(fsys fs.FS, name string) (*Volume, error) {
	m, err := parse(fsys, name)
	if err != nil {
		return nil, err
	}
	data, err := m.read(fsys, OnlyChannel)
	if err != nil {
		return nil, err
	}
	return &Volume{Grid: m.grid, Data: data, Stored: string(m.stored)}, nil
}

func put16(offset int, v ...int16) func([]byte) {
	return func(h []byte) {
		for i, x := range v {
			binary.LittleEndian.PutUint16(h[offset+2*i:], uint16(x))
		}
	}
}

func putFloat(offset int, v ...float64) func([]byte) {
	return func(h []byte) {
		for i, x := range v {
			binary.LittleEndian.PutUint32(h[offset+4*i:], math.Float32bits(float32(x)))
		}
	}
}

func both(edits ...func([]byte)) func([]byte) {
	return func(h []byte) {
		for _, e := range edits {
			e(h)
		}
	}
}

// form sets qform_code and sform_code.
func form(q, s int16) func([]byte) { return put16(252, q, s) }

func TestHostileNIfTI(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"cut in header", niftiFile(nil)[:100], "ends at byte 100"},
		{"cut in voxels", niftiFile(nil)[:380], "holds 380 bytes"},
		{"cut gzip", gzipFile(niftiFile(nil))[:120], "cut short"},
		{"damaged gzip", flip(gzipFile(niftiFile(nil)), -6), "damaged at voxel 24"},
		{"trailing", append(niftiFile(nil), make([]byte, slack+1)...), "more than 4096 bytes beyond"},
		{"trailing gzip", gzipFile(append(niftiFile(nil), make([]byte, slack+1)...)), "more than 4096 bytes beyond"},
		{"no axes", niftiFile(put16(40, 0)), "dim[0]"},
		{"eight axes", niftiFile(put16(40, 8)), "dim[0]"},
		{"negative dim", niftiFile(put16(40, 3, 2, -3)), "dim[2] says -3"},
		{"zero dim", niftiFile(put16(40, 3, 0)), "dim[1] says 0"},
		{"time", niftiFile(put16(40, 4, 2, 3, 2, 2)), "it holds 2 channels: choose one, 0 to 1"},
		{"huge", niftiFile(put16(40, 3, 32767, 32767, 32767)), "more than the 2147483648 that fit"},
		{"promise", niftiFile(put16(40, 3, 1000, 1000, 1000)), "the header promises"},
		{"gzip promise", gzipFile(niftiFile(put16(40, 3, 1000, 1000, 1000))), "the header promises"},
		{"complex", niftiFile(put16(70, 32)), "complex64, byte 70"},
		{"colour", niftiFile(put16(70, 128)), "RGB"},
		{"no type", niftiFile(put16(70, 77)), "datatype 77 (byte 70)"},
		{"offset NaN", niftiFile(putFloat(108, nan)), "vox_offset (byte 108)"},
		{"offset negative", niftiFile(putFloat(108, -352)), "vox_offset"},
		{"offset in header", niftiFile(putFloat(108, 100)), "vox_offset"},
		{"offset huge", niftiFile(putFloat(108, 1e30)), "vox_offset"},
		{"offset beyond", niftiFile(putFloat(108, 1e6)), "the header promises"},
		{"inter NaN", niftiFile(putFloat(112, 2, nan)), "scl_inter (byte 116)"},
		{"sform zero", niftiFile(both(form(0, 1), putFloat(280, make([]float64, 12)...))), "spacing along axis 0 is 0"},
		{"sform NaN", niftiFile(both(form(0, 1), putFloat(280, nan))), "affine holds NaN"},
		{"sform flat", niftiFile(both(form(0, 1), putFloat(280, 1, 1, 0, 0, 1, 1))), "axes lie in one plane"},
		{"pixdim zero", niftiFile(both(form(1, 0), putFloat(80, 0))), "pixdim[1] is 0"},
		{"pixdim NaN", niftiFile(both(form(0, 0), putFloat(84, nan))), "pixdim[2] is NaN"},
		{"pixdim infinite", niftiFile(both(form(1, 0), putFloat(84, math.Inf(1)))), "pixdim[2] is +Inf"},
		{"pixdim negative", niftiFile(both(form(1, 0), putFloat(88, math.Inf(-1)))), "pixdim[3] is -Inf"},
		{"no rotation", niftiFile(both(form(1, 0), putFloat(256, 1, 1, 1))), "are not a rotation"},
		{"Analyze", niftiFile(func(h []byte) { copy(h[344:], "\x00\x00\x00\x00") }), "Analyze"},
		{"MetaImage renamed", metaFile(), "its content is MetaImage"},
		{"PNG renamed", append([]byte("\x89PNG"), make([]byte, 400)...), "its content is PNG"},
	} {
		fsys := fstest.MapFS{"a.nii": {Data: c.data}}
		_, err := readFS(fsys, "a.nii")
		wantError(t, c.name, err, c.want)
	}
	dicom := append(make([]byte, 128), "DICM"...)
	_, err := readFS(fstest.MapFS{"a.dcm": {Data: dicom}}, "a.dcm")
	wantError(t, "DICOM", err, "name the folder of the series")
	_, err = readFS(fstest.MapFS{"a.gz": {Data: niftiFile(nil)}}, "a.gz")
	wantError(t, "no extension", err, "whose content is NIfTI")
	_, err = readFS(fstest.MapFS{"a.hdr": {Data: niftiFile(nil)}}, "a.hdr")
	wantError(t, "no .img", err, "a.img[.gz] is missing")
}

func TestHostileMetaImage(t *testing.T) {
	header := func(lines string) []byte { return []byte(lines) }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"binary", bytes.Repeat([]byte{0xff, 0}, 400), "no MetaImage header: line 1"},
		{"cut in header", metaFile()[:40], "no ElementDataFile"},
		{"cut in voxels", metaFile()[:len(metaFile())-5], "the header promises 48"},
		{"trailing", append(metaFile(), make([]byte, slack+1)...), "beyond the 2 x 3 x 4 voxels"},
		{"not packed", metaFile("CompressedData = True"), "zlib: invalid header"},
		{"dims disagree", metaFile("NDims = 2"), "do not agree"},
		{"negative", metaFile("DimSize = 2 -3 4"), "not a whole number from 1"},
		{"overflow", metaFile("DimSize = 99999999999999999999 3 4"), "not a whole number from 1"},
		{"huge", metaFile("DimSize = 1048576 1048576 1"), "more than the 2147483648 that fit"},
		{"promise", metaFile("DimSize = 1000 1000 1000"), "the header promises"},
		{"zlib promise", metaFile("CompressedData = True", "DimSize = 1000 1000 1000"), "the header promises"},
		{"time", metaFile("NDims = 4", "DimSize = 2 3 4 2"), "it holds 2 channels"},
		{"channels", metaFile("ElementNumberOfChannels = 3"), "it holds 3 channels"},
		{"channels without number", metaFile("ElementNumberOfChannels = many"), "ElementNumberOfChannels = \"many\""},
		{"type", metaFile("ElementType = MET_STRING"), `ElementType = "MET_STRING"`},
		{"spacing zero", metaFile("ElementSpacing = 1 0 1"), "spacing 1 is not above 0"},
		{"spacing NaN", metaFile("ElementSpacing = 1 nan 1"), "not a finite number"},
		{"spacing few", metaFile("ElementSpacing = 1 1"), "has 2 numbers, want 3"},
		{"flat", metaFile("TransformMatrix = 1 0 0 1 0 0 0 0 1"), "axes lie in one plane"},
		{"bool", metaFile("CompressedData = perhaps"), "want True or False"},
		{"HeaderSize", metaFile("HeaderSize = -2"), "not a whole number from -1"},
		{"HeaderSize beyond", metaFile("HeaderSize = 100000"), "cut short"},
		{"escape", header("NDims = 3\nDimSize = 2 3 4\nElementType = MET_CHAR\nElementDataFile = ../secret.raw\n"), "must lie in the header's folder"},
		{"absolute", header("NDims = 3\nDimSize = 2 3 4\nElementType = MET_CHAR\nElementDataFile = /etc/passwd\n"), "must lie in the header's folder"},
		{"drive", header("NDims = 3\nDimSize = 2 3 4\nElementType = MET_CHAR\nElementDataFile = C:\\a.raw\n"), "must lie in the header's folder"},
		{"list", header("NDims = 3\nDimSize = 2 3 4\nElementType = MET_CHAR\nElementDataFile = LIST\na.raw\n"), "spread over many files"},
		{"missing", header("NDims = 3\nDimSize = 2 3 4\nElementType = MET_CHAR\nElementDataFile = gone.raw\n"), "gone.raw: file does not exist"},
		{"text cut", metaFile("BinaryData = False"), "cut short"},
		{"NIfTI renamed", niftiFile(nil), "its content is NIfTI"},
	} {
		fsys := fstest.MapFS{"a.mha": {Data: c.data}}
		_, err := readFS(fsys, "a.mha")
		wantError(t, c.name, err, c.want)
	}
}

func flip(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[len(data)+at] ^= 0xff
	return data
}

func wantError(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: error %q, want one line with %q", name, fmt.Sprint(err), want)
	}
}

// A small file that unpacks into a large one costs neither memory nor time: reading stops at the declared size.
func TestGzipBomb(t *testing.T) {
	bomb := gzipFile(append(niftiFile(nil), make([]byte, 64<<20)...))
	fsys := fstest.MapFS{"a.nii.gz": {Data: bomb}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readFS(fsys, "a.nii.gz")
	runtime.ReadMemStats(&after)
	wantError(t, "bomb", err, "beyond the 2 x 3 x 4 voxels")
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("allocated %d bytes", used)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder.nii"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"gone.nii.gz": "no such file",
		"folder.nii":  "is not a regular file",
		"a.xyz":       `unknown extension ".xyz"`,
	} {
		path := filepath.Join(dir, name)
		_, err := Read(path)
		wantError(t, name, err, want)
		if err != nil && !strings.HasPrefix(err.Error(), "read "+path+": ") {
			t.Errorf("%v does not begin with the path", err)
		}
	}
	err := WriteMask(filepath.Join(dir, "none", "m.nii"), &Mask{Grid: Grid{Size: [3]int{1, 1, 1}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}, Data: []uint8{1}})
	wantError(t, "no folder", err, "no such file")
}

func FuzzNIfTI(f *testing.F) {
	f.Add(niftiFile(nil), false)
	f.Add(gzipFile(niftiFile(nil)), false)
	f.Add(niftiFile(both(form(1, 0), putFloat(256, 0.5, 0.5, 0.5))), false)
	f.Add(niftiFile(form(0, 0)), true)
	f.Add(nifti2File(), false)
	f.Add(niftiFile(put16(40, 4, 2, 3, 2, 2)), false)
	f.Fuzz(func(t *testing.T, data []byte, pair bool) {
		fsys := fstest.MapFS{"a.nii": {Data: data}}
		name := "a.nii"
		if pair {
			name = "a.hdr"
			fsys = fstest.MapFS{"a.hdr": {Data: data}, "a.img": {Data: data}}
		}
		fuzzRead(t, fsys, name)
	})
}

func FuzzMetaImage(f *testing.F) {
	f.Add(metaFile(), []byte{})
	f.Add(metaFile("ElementSpacing = 1 2 3", "Offset = 1 2 3", "HeaderSize = -1"), []byte{})
	f.Add([]byte("NDims = 2\nDimSize = 2 2\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = v\n"), zlibFile([]byte{1, 2, 3, 4}))
	f.Add([]byte("NDims = 2\nDimSize = 2 2\nElementType = MET_FLOAT\nBinaryData = False\nElementDataFile = v\n"), []byte("1 2 3 4"))
	f.Add(metaFile("DimSize = 2 3 2", "ElementNumberOfChannels = 2"), []byte{})
	f.Fuzz(func(t *testing.T, header, voxels []byte) {
		fuzzRead(t, fstest.MapFS{"a.mha": {Data: header}, "v": {Data: voxels}}, "a.mha")
	})
}

// fuzzRead reads a file as image, as one channel of an image and as mask, within bounds: no panic, and what is read without
// an error is complete and sound.
func fuzzRead(t *testing.T, fsys fs.FS, name string) {
	fuzztest.Bound(t, func() (declared int) {
		m, err := parse(fsys, name)
		if err != nil {
			return 0
		}
		readChecked(t, fsys, name)
		if data, err := m.read(fsys, 0); err == nil && len(data) != m.grid.Len() {
			t.Errorf("channel of %d voxels on %v", len(data), m.grid.Size)
		}
		return 16 * m.count() // the image, its channel and the mask
	})
}

func readChecked(t *testing.T, fsys fs.FS, name string) {
	v, err := readFS(fsys, name)
	if err != nil {
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("error of several lines: %q", err)
		}
		return
	}
	if err := v.Check(); err != nil || len(v.Data) != v.Len() {
		t.Errorf("%d voxels on %v: %v", len(v.Data), v.Grid, err)
	}
	if o := v.Orientation(); len(o) != 3 {
		t.Errorf("orientation %q", o)
	}
	v.Index(v.World(0, 0, 0))
	m, err := parse(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	if mask, err := m.readMask(fsys); err == nil && len(mask.Data) != mask.Len() {
		t.Errorf("mask of %d voxels on %v", len(mask.Data), mask.Size)
	}
}

// A full disk is told once, in one line.
func TestWriteFailsInOneLine(t *testing.T) {
	g := Grid{Size: [3]int{64, 64, 64}, Unit: Millimetre, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	noise := func(dst []byte, first, n int) {
		for i := range dst[:n] {
			dst[i] = byte((first + i) * 2654435761 >> 13)
		}
	}
	for _, name := range []string{"a.nii", "a.nii.gz", "a.mha", "a.nrrd"} {
		wantError(t, name, encode(fullDisk{}, name, g, "uint8", noise), "no space left")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
