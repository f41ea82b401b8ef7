package dicom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/fuzztest"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// seeds returns small valid files of every kind.
func seeds(t testing.TB) map[string][]byte {
	one := func(pairs values) [][]*lib.Element { return [][]*lib.Element{pairs.elements(t)} }
	out := map[string][]byte{
		"explicit": encodeFile(t, plane(1, [3]float64{1, 2, 3}, nil)),
		"implicit": encodeFile(t, plane(1, [3]float64{1, 2, 3}, values{tag.TransferSyntaxUID: []string{implicitLittle}})),
		"big":      encodeFile(t, plane(1, [3]float64{1, 2, 3}, values{tag.TransferSyntaxUID: []string{explicitBig}})),
		"no meta":  encodeFile(t, plane(1, [3]float64{1, 2, 3}, nil))[metaLength(t, plane(1, [3]float64{1, 2, 3}, nil)):],
		"enhanced": encodeFile(t, plane(1, [3]float64{}, values{
			tag.ImagePositionPatient: nil, tag.ImageOrientationPatient: nil, tag.PixelSpacing: nil, tag.NumberOfFrames: []string{"2"},
			tag.PixelData: lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: make([]byte, 24)},
			tag.SharedFunctionalGroupsSequence: one(values{
				tag.PlaneOrientationSequence: one(values{tag.ImageOrientationPatient: decimals(1, 0, 0, 0, 1, 0)}),
				tag.PixelMeasuresSequence:    one(values{tag.PixelSpacing: decimals(3, 4), tag.SliceThickness: decimals(7)}),
			}),
			tag.PerFrameFunctionalGroupsSequence: [][]*lib.Element{
				values{tag.PlanePositionSequence: one(values{tag.ImagePositionPatient: decimals(0, 0, 0)})}.elements(t),
				values{tag.PlanePositionSequence: one(values{tag.ImagePositionPatient: decimals(0, 0, 4)})}.elements(t),
			},
		})),
		"segmentation": encodeFile(t, plane(1, [3]float64{1, 2, 3}, values{
			tag.SOPClassUID: []string{segClass}, tag.SegmentationType: []string{"BINARY"}, tag.BitsAllocated: []int{1}, tag.BitsStored: []int{1},
			tag.HighBit: []int{0}, tag.PixelRepresentation: []int{0}, tag.NumberOfFrames: []string{"2"},
			tag.SegmentSequence:                one(values{tag.SegmentNumber: []int{1}, tag.SegmentLabel: []string{"A"}}),
			tag.SharedFunctionalGroupsSequence: one(values{tag.SegmentIdentificationSequence: one(values{tag.ReferencedSegmentNumber: []int{1}})}),
			tag.PerFrameFunctionalGroupsSequence: [][]*lib.Element{
				values{tag.PlanePositionSequence: one(values{tag.ImagePositionPatient: decimals(0, 0, 0)})}.elements(t),
				values{tag.PlanePositionSequence: one(values{tag.ImagePositionPatient: decimals(0, 0, 4)})}.elements(t),
			},
		})),
		"contours": encodeFile(t, plane(1, [3]float64{}, values{
			tag.SOPClassUID: []string{structureSetClass}, tag.PixelData: nil,
			tag.StructureSetROISequence: one(values{tag.ROINumber: []string{"1"}, tag.ROIName: []string{"A"}}),
			tag.ROIContourSequence: one(values{tag.ReferencedROINumber: []string{"1"}, tag.ContourSequence: one(values{
				tag.ContourGeometricType: []string{"CLOSED_PLANAR"}, tag.ContourData: decimals(1, 2, 3, 2, 2, 3, 1, 3, 3),
			})}),
		})),
	}
	dir, _ := inputs(t)
	for _, name := range []string{"syntaxes/deflated", "packed/rle-8", "packed/rle-16", "packed/lossless-7", "packed/lossless-restart", "packed/baseline",
		"packed/frames-table", "packed/frames-bare", "seg/fractional-rle", "seg/labelmap", "seg/overlap", "nm/before"} {
		data, err := os.ReadFile(filepath.Join(dir, name+".dcm"))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = data
	}
	return out
}

// metaLength returns where the data set of an encoded file begins.
func metaLength(t testing.TB, v values) int {
	l, err := locate(encodeFile(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return l.start
}

// readAll reads a file in every way: no panic, no error of several lines, and what is read is sound.
func readAll(t *testing.T, data []byte, on *Series) {
	f, err := parse(bytes.NewReader(data), int64(len(data)))
	oneLine(t, err)
	if err != nil {
		return
	}
	f.memory = bytes.NewReader(data)
	planes, err := f.slices()
	oneLine(t, err)
	all, problems := group(planes)
	for _, p := range problems {
		oneLine(t, errors.New(p.Text))
	}
	for _, series := range all {
		v, err := series.Read()
		oneLine(t, err)
		if err == nil && (v.Check() != nil || len(v.Data) != v.Len()) {
			t.Errorf("%d voxels on %v", len(v.Data), v.Grid)
		}
		oneLine(t, errors.New(series.String()+strings.Join(series.Warnings, "; ")))
	}
	for _, series := range []*Series{nil, on} {
		s, _, err := f.segmentation(series)
		oneLine(t, err)
		if err == nil {
			checkSegmentation(t, s)
		}
	}
	c, _, err := f.contours(on)
	oneLine(t, err)
	if err == nil {
		checkSegmentation(t, c)
	}
}

func oneLine(t *testing.T, err error) {
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("error of several lines: %q", err)
	}
}

func checkSegmentation(t *testing.T, s *volume.Segmentation) {
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	for _, layer := range s.Layers {
		if len(layer) != s.Len() {
			t.Errorf("layer of %d voxels on %v", len(layer), s.Grid)
		}
	}
	s.Mask()
}

// onePlane returns a series to fill contours on.
func onePlane(t testing.TB) *Series {
	dir := t.TempDir()
	putFile(t, dir, "a", plane(1, [3]float64{1, 2, 3}, nil))
	all, _, err := Scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func FuzzDICOM(f *testing.F) {
	f.Setenv("PATH", "") // a fuzzer would spend its time starting gdcmconv
	for _, data := range seeds(f) {
		f.Add(data)
	}
	on := onePlane(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzztest.Bound(t, func() int {
			readAll(t, data, on)
			if f, err := parse(bytes.NewReader(data), int64(len(data))); err == nil && (isPacked(f.syntax) || f.syntax == deflated) {
				return 20 * int(f.expansion()) * len(data) // a pixel as stored, as int64, as float32 and in masks
			}
			return 64 * len(data) // a bit may become four bytes of an image and of masks
		})
	})
}

// FuzzContoursOn fills contours on the voxels of an oblique grid, which is enlarged to hold them or not.
func FuzzContoursOn(f *testing.F) {
	f.Setenv("PATH", "")
	for name, data := range seeds(f) {
		if strings.HasPrefix(name, "contours") {
			f.Add(data)
		}
	}
	g := onePlane(f).Grid
	g.Size = volume.Size{5, 4, 3}
	turned := volume.Grid{Size: g.Size, Unit: volume.Millimetre, Affine: [3][4]float64{{0, 0, 1.5, -2}, {0.8, 0.6, 0, -3}, {-0.6, 0.8, 0, 1}}}
	before := maxOver
	maxOver = 1 << 12
	f.Cleanup(func() { maxOver = before })
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzztest.Bound(t, func() int {
			parsed, err := parse(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				return 64 * len(data)
			}
			for _, on := range []volume.Grid{g, turned} {
				for _, whole := range []bool{false, true} {
					s, _, err := parsed.contoursOn(on, whole)
					oneLine(t, err)
					if err == nil {
						checkSegmentation(t, s)
					}
				}
			}
			return 64*len(data) + 256*(maxOver+maxSlices)
		})
	})
}

// Files cut at every byte, and with every byte changed in turn, are read or refused in one line.
func TestDamagedFiles(t *testing.T) {
	on := onePlane(t)
	for name, data := range seeds(t) {
		f, err := parse(bytes.NewReader(data), int64(len(data)))
		if err == nil && !strings.HasPrefix(name, "seg") && name != "contours" {
			_, err = f.slices()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range data {
			if len(data) > 1200 && i%7 != 0 { // a part of the larger ones
				continue
			}
			readAll(t, data[:i], on)
			damaged := bytes.Clone(data)
			damaged[i] ^= 0xff
			readAll(t, damaged, on)
		}
	}
}

func TestHostileLengths(t *testing.T) {
	dir := t.TempDir()
	explicit := encodeFile(t, plane(1, [3]float64{}, nil))
	start := metaLength(t, plane(1, [3]float64{}, nil))
	head, body := explicit[:start], explicit[start:]
	long := append([]byte("\x09\x00\x10\x00UN\x00\x00"), 0xf0, 0xff, 0xff, 0xff) // 4 GiB by the header
	nest := bytes.Repeat([]byte("\x09\x00\x10\x10SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"), 100000)
	packed := bytes.Clone(explicit)
	at := bytes.Index(packed, []byte("\xe0\x7f\x10\x00OW"))
	binary.LittleEndian.PutUint32(packed[at+8:], undefinedLength)
	syntaxed := func(uid string) []byte { // a file that states a transfer syntax, which the walk must not get beyond
		return bytes.Replace(explicit, []byte("UI\x14\x00"+explicitLittle+"\x00"), append([]byte{'U', 'I', byte(len(uid) + len(uid)%2), 0}, (uid + "\x00")[:len(uid)+len(uid)%2]...), 1)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"length":     {slices.Concat(head, long, body), "cut short within the header"},
		"nesting":    {slices.Concat(head, nest, body), "nested more than 32 deep"},
		"empty":      {nil, "the file is empty"},
		"text":       {[]byte("hello"), "not DICOM"},
		"undefined":  {packed, "packed, but the transfer syntax"},
		"rows":       {encodeFile(t, plane(1, [3]float64{}, values{tag.Rows: []int{65535}, tag.Columns: []int{65535}})), "pixel data of 12 bytes, want 8589672450"},
		"frames":     {encodeFile(t, plane(1, [3]float64{}, values{tag.NumberOfFrames: []string{"999999999"}})), "pixel data of 12 bytes"},
		"no rows":    {encodeFile(t, plane(1, [3]float64{}, values{tag.Rows: nil})), "0 rows"},
		"bits":       {encodeFile(t, plane(1, [3]float64{}, values{tag.BitsAllocated: []int{12}})), "12 bits per pixel"},
		"stored":     {encodeFile(t, plane(1, [3]float64{}, values{tag.BitsStored: []int{17}})), "do not fit"},
		"colour":     {encodeFile(t, plane(1, [3]float64{}, values{tag.PhotometricInterpretation: []string{"PALETTE COLOR"}})), "PALETTE COLOR"},
		"JPEG":       {syntaxed("1.2.840.10008.1.2.4.53"), "packed with JPEG (transfer syntax"},
		"JPEG-LS":    {syntaxed("1.2.840.10008.1.2.4.80"), "says that the pixels are packed, but they are not"},
		"HTJ2K":      {syntaxed("1.2.840.10008.1.2.4.201"), "packed with high-throughput JPEG 2000"},
		"RLE":        {syntaxed("1.2.840.10008.1.2.5"), "says that the pixels are packed, but they are not"},
		"deflate":    {syntaxed("1.2.840.10008.1.2.1.99"), "damaged deflated data set"},
		"video":      {syntaxed("1.2.840.10008.1.2.4.102"), "video"},
		"no UID":     {syntaxed("1.2.840.10008.1.2.4.53 Doe"), "the transfer syntax is no UID"},
		"own syntax": {syntaxed("1.2.3.4"), `transfer syntax "1.2.3.4" is unknown`},
	} {
		path := filepath.Join(dir, "a.dcm")
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Read(path)
		runtime.ReadMemStats(&after)
		wantError(t, name, err, c.want)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: allocated %d bytes", name, used)
		}
	}
}
