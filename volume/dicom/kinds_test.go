package dicom

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// Kinds of input on which programs give a wrong answer without a word.

// putSeries writes slices at heights along z and returns their folder. over may change each of them.
func putSeries(t *testing.T, heights []float64, over func(i int) values) string {
	t.Helper()
	dir := t.TempDir()
	for i, z := range heights {
		v := values{}
		if over != nil {
			v = over(i)
		}
		putFile(t, dir, fmt.Sprintf("%02d.dcm", i), plane(i, [3]float64{0, 0, z}, v))
	}
	return dir
}

func find(t *testing.T, path, id string) (*Series, []string) {
	t.Helper()
	s, warnings, err := Find(path, id)
	if err != nil {
		t.Fatal(err)
	}
	return s, warnings
}

func pixels(b ...byte) lib.PixelDataInfo {
	return lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: b}
}

// first returns the first value of every slice.
func first(t *testing.T, s *Series) []float32 {
	t.Helper()
	v, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for k := range v.Size[2] {
		out = append(out, v.Data[k*v.Size[0]*v.Size[1]])
	}
	return out
}

func TestMosaicRefused(t *testing.T) {
	for name, over := range map[string]values{
		"last":   {tag.ImageType: []string{"ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"}},
		"within": {tag.ImageType: []string{"ORIGINAL", "PRIMARY", "M", "MOSAIC", "FMRI"}},
	} {
		_, _, err := Read(putSeries(t, []float64{0}, func(int) values { return over }))
		wantError(t, name, err, "a mosaic, many slices in one picture: convert it to NIfTI with dcm2niix")
	}
	// Scanners whose image type is silent about it.
	data := encodeFile(t, plane(1, [3]float64{}, values{tag.AcquisitionNumber: []string{"1"}}))
	private := "\x19\x00\x10\x00LO\x12\x00SIEMENS MR HEADER " + "\x19\x00\x0a\x10US\x02\x00\x09\x00"
	at := strings.Index(string(data), "\x20\x00\x0d\x00UI") // private elements of group 19 stand before group 20
	path := filepath.Join(t.TempDir(), "a.dcm")
	if err := os.WriteFile(path, slices.Concat(data[:at], []byte(private), data[at:]), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := Read(path)
	wantError(t, "private", err, "a mosaic")
}

// The values of a MONOCHROME1 picture are turned around as ITK does (see the inputs): shown alike, and told.
func TestMonochrome1IsReported(t *testing.T) {
	mixed := putSeries(t, []float64{0, 2, 4}, func(i int) values {
		return values{tag.PhotometricInterpretation: []string{[]string{"MONOCHROME1", "MONOCHROME2"}[i%2]}}
	})
	s, warnings := find(t, mixed, "")
	wantWarning(t, warnings, "2 of 3 slices are MONOCHROME1")
	// Slice i begins with 10i - 5; -1 - v turns signed values around.
	if got := first(t, s); !slices.Equal(got, []float32{4, 5, -16}) {
		t.Errorf("values %v", got)
	}
}

func TestOneSOPInstanceForSeveralSlices(t *testing.T) {
	same := values{tag.SOPInstanceUID: []string{"1.2.3.0"}}
	s, warnings := find(t, putSeries(t, []float64{0, 2, 4}, func(int) values { return maps.Clone(same) }), "")
	if s.Size[2] != 3 {
		t.Errorf("%d slices, want 3", s.Size[2])
	}
	wantWarning(t, warnings, "00.dcm and 01.dcm have the same SOP instance UID and are different slices")
	_, _, err := Find(putSeries(t, []float64{5, 5}, func(int) values { return maps.Clone(same) }), "") // other pixels at one place
	wantError(t, "one place", err, "2 series, choose one")
	// A real copy is left out, also one in another packing.
	dir, _ := inputs(t)
	data, err := os.ReadFile(filepath.Join(dir, "syntaxes/implicit.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"big", "explicit"} {
		os.Remove(filepath.Join(dir, "syntaxes", name+".dcm"))
	}
	if err := os.WriteFile(filepath.Join(dir, "syntaxes/z"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	s, warnings = find(t, filepath.Join(dir, "syntaxes"), "")
	if s.Size[2] != 1 || len(warnings) != 2 {
		t.Errorf("%v, %q", s.Size, warnings)
	}
	wantWarning(t, warnings, "implicit.dcm was left out: a copy of deflated.dcm")
}

func TestDecimalComma(t *testing.T) {
	dir := putSeries(t, []float64{0, 1, 2}, func(i int) values {
		return values{tag.PixelSpacing: []string{"0,5", "0,25"}, tag.ImagePositionPatient: []string{"-10,5", "-3,5", fmt.Sprintf("%d,5", 2*i)},
			tag.RescaleSlope: []string{"0,5"}, tag.RescaleIntercept: []string{"-1,5"}}
	})
	v, warnings, err := Read(dir)
	want := volume.Grid{Size: [3]int{3, 2, 3}, Affine: [3][4]float64{{-0.25, 0, 0, 10.5}, {0, -0.5, 0, 3.5}, {0, 0, 2, 0.5}}}
	if err != nil || len(warnings) > 0 || !v.Same(want, 1e-9) || v.Data[0] != -4 {
		t.Errorf("%v %v %v", v, warnings, err)
	}
	for text, over := range map[string]values{
		`PixelSpacing is "0.5mm\\0.5mm"`:           {tag.PixelSpacing: []string{"0.5mm", "0.5mm"}},
		`ImagePositionPatient is "1.000,5\\0\\0"`:  {tag.ImagePositionPatient: []string{"1.000,5", "0", "0"}},
		`ImageOrientationPatient is "x\\0\\0\\0\\`: {tag.ImageOrientationPatient: []string{"x", "0", "0", "0", "1", "0"}},
		`RescaleSlope is "NaN"`:                    {tag.RescaleSlope: []string{"NaN"}},
		`RescaleIntercept is "- 5"`:                {tag.RescaleIntercept: []string{"- 5"}},
	} {
		_, _, err := Read(putSeries(t, []float64{0}, func(int) values { return over }))
		wantError(t, text, err, strings.ReplaceAll(text, `\\`, `\\`)) // %q doubles the backslash
	}
	// An empty value is a missing one.
	if _, _, err := Read(putSeries(t, []float64{0}, func(int) values { return values{tag.RescaleSlope: []string{""}} })); err != nil {
		t.Error(err)
	}
}

// Three time points, of which each can be chosen by what the message says.
func TestChooseByID(t *testing.T) {
	heights := []float64{0, 4, 8, 0, 4, 8, 0, 4, 8}
	for name, over := range map[string]func(i int) values{
		"time points": func(i int) values { return values{tag.TemporalPositionIdentifier: []string{fmt.Sprint(i/3 + 1)}} },
		"acquisitions, each image with its time": func(i int) values {
			return values{tag.AcquisitionNumber: []string{fmt.Sprint(i/3 + 1)}, tag.ContentTime: []string{fmt.Sprintf("1200%02d", i)}}
		},
		"nothing but instance numbers": func(i int) values { return values{tag.ContentTime: []string{fmt.Sprintf("1200%02d", i)}} },
	} {
		dir := putSeries(t, heights, over)
		_, _, err := Find(dir, "")
		wantError(t, name, err, "3 series, choose one: CT \"\", 3 x 2 x 3, ")
		_, _, err = Find(dir, "1.2.3")
		wantError(t, name+" by UID", err, "3 series, choose one")
		for n := range 3 {
			id := fmt.Sprintf("1.2.3#%d", n+1)
			if !strings.Contains(err.Error(), "series "+id) {
				t.Errorf("%s: %v does not name %s", name, err, id)
			}
			s, _ := find(t, dir, id)
			if got := first(t, s); !slices.Equal(got, []float32{float32(30*n - 5), float32(30*n + 5), float32(30*n + 15)}) {
				t.Errorf("%s: series %s begins with %v", name, id, got)
			}
		}
		_, _, err = Find(dir, "1.2.3#4")
		wantError(t, name, err, "no series 1.2.3#4; there are")
		if s, _ := find(t, filepath.Join(dir, "04.dcm"), ""); first(t, s)[0] != 25 {
			t.Errorf("%s: a file of the second time point gives %v", name, first(t, s))
		}
	}
	// Two traits at once: two echoes at each of two time points.
	dir := putSeries(t, []float64{0, 4, 0, 4, 0, 4, 0, 4}, func(i int) values {
		return values{tag.EchoTime: decimals(float64(10 * (i/2%2 + 1))), tag.TemporalPositionIdentifier: []string{fmt.Sprint(i/4 + 1)}}
	})
	all, _, err := Scan(dir)
	if err != nil || len(all) != 4 {
		t.Fatal(all, err)
	}
	for n, s := range all {
		if got := first(t, s); !slices.Equal(got, []float32{float32(20*n - 5), float32(20*n + 5)}) {
			t.Errorf("series %d: %v", n, got)
		}
	}
	if all[1].Part != "echo time 20, temporal position identifier 1" {
		t.Errorf("part %q", all[1].Part)
	}
}

// A b value with a few slices only is another series, not slices acquired again.
func TestIncompleteStackIsItsOwn(t *testing.T) {
	dir := putSeries(t, []float64{0, 2, 4, 6, 8, 0, 2}, func(i int) values {
		return values{tag.DiffusionBValue: []float64{float64(i / 5 * 1000)}, tag.InstanceNumber: []string{fmt.Sprint(20 - i)}}
	})
	all, _, err := Scan(dir)
	if err != nil || len(all) != 2 || all[0].Size[2] != 5 || all[1].Size[2] != 2 {
		t.Errorf("%v %v", all, err)
	}
}

func TestSliceAcquiredAgain(t *testing.T) {
	dir := putSeries(t, []float64{0, 3, 6, 6, 9, 12, 15}, func(i int) values { return values{tag.AcquisitionNumber: []string{fmt.Sprint(2 + min(i/3, 1))}} })
	for path, want := range map[string][]float32{"": {-5, 5, 15, 35, 45, 55}, "00.dcm": {-5, 5, 15, 35, 45, 55}, "03.dcm": {-5, 5, 25, 35, 45, 55}} {
		s, warnings := find(t, filepath.Join(dir, path), "")
		if got := first(t, s); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
		wantWarning(t, warnings, "lie at the same place: the first is used; to use the other, name its file")
	}
}

// A localiser under the UID of its series, of another direction and of the same.
func TestLocaliser(t *testing.T) {
	for name, over := range map[string]values{
		"across":  {tag.ImageOrientationPatient: decimals(1, 0, 0, 0, 0, -1)},
		"along":   {},
		"smaller": {tag.Rows: []int{1}, tag.PixelData: pixels(1, 0, 2, 0, 3, 0)},
	} {
		over[tag.ImageType] = []string{"ORIGINAL", "PRIMARY", "LOCALIZER"}
		dir := putSeries(t, []float64{60, 0, 3, 6}, func(i int) values {
			if i == 0 {
				return over
			}
			return values{}
		})
		s, warnings := find(t, dir, "")
		if s.Size != [3]int{3, 2, 3} || s.ID != "1.2.3#1" {
			t.Errorf("%s: %v", name, s)
		}
		wantWarning(t, warnings, "a localiser was left out: CT")
		if s, _ := find(t, dir, "1.2.3#2"); s.Size[2] != 1 || s.Part != "localiser" {
			t.Errorf("%s: %v", name, s)
		}
		if s, _ := find(t, filepath.Join(dir, "00.dcm"), ""); s.Size[2] != 1 {
			t.Errorf("%s: the localiser's file gives %v", name, s)
		}
	}
}

func TestSeriesUIDForEverySlice(t *testing.T) {
	own := func(i int) values {
		return values{tag.SeriesInstanceUID: []string{fmt.Sprintf("1.2.3.%d", i)}, tag.SeriesNumber: []string{"4"}, tag.SOPInstanceUID: []string{fmt.Sprintf("1.2.4.%d", i)}}
	}
	dir := putSeries(t, []float64{4, 0, 2, 8, 6}, own)
	s, warnings := find(t, dir, "")
	wantWarning(t, warnings, "each of 5 slices has a series UID of its own: they are joined")
	if got := first(t, s); !slices.Equal(got, []float32{5, 15, -5, 35, 25}) || s.Affine[2][2] != 2 {
		t.Errorf("%v %v", got, s.Affine)
	}
	if other, _ := find(t, dir, "1.2.3.3"); other.Size[2] != 5 {
		t.Error("not found by the UID of one of its slices")
	}
	for name, c := range map[string]struct {
		heights []float64
		change  func(i int, v values)
		want    int
	}{
		"numbers of their own, evenly spaced":   {[]float64{0, 2, 4}, func(i int, v values) { v[tag.SeriesNumber] = []string{fmt.Sprint(i)} }, 1},
		"numbers of their own, unevenly spaced": {[]float64{0, 2, 5}, func(i int, v values) { v[tag.SeriesNumber] = []string{fmt.Sprint(i)} }, 3},
		"two with numbers of their own":         {[]float64{0, 2}, func(i int, v values) { v[tag.SeriesNumber] = []string{fmt.Sprint(i)} }, 2},
		"other descriptions":                    {[]float64{0, 2, 4}, func(i int, v values) { v[tag.SeriesDescription] = []string{fmt.Sprint(i)} }, 3},
		"other patients":                        {[]float64{0, 2, 4}, func(i int, v values) { v[tag.PatientID] = []string{fmt.Sprint(i)} }, 3},
		"no frame of reference":                 {[]float64{0, 2, 4}, func(i int, v values) { v[tag.FrameOfReferenceUID] = nil }, 3},
		"localisers":                            {[]float64{0, 2, 4}, func(i int, v values) { v[tag.ImageType] = []string{"ORIGINAL", "PRIMARY", "LOCALIZER"} }, 3},
		"one place":                             {[]float64{0, 0, 0}, func(i int, v values) {}, 3},
	} {
		all, _, err := Scan(putSeries(t, c.heights, func(i int) values {
			v := own(i)
			c.change(i, v)
			return v
		}))
		if err != nil || len(all) != c.want {
			t.Errorf("%s: %d series, want %d (%v)", name, len(all), c.want, err)
		}
	}
}

// Files without preamble are found by what they hold; others are not taken for them.
func TestFilesWithoutPreamble(t *testing.T) {
	dir := t.TempDir()
	for name, syntax := range map[string]string{"IM000001": explicitLittle, "1.2.840": implicitLittle, "big": explicitBig} {
		v := plane(1, [3]float64{}, values{tag.TransferSyntaxUID: []string{syntax}, tag.SeriesInstanceUID: []string{"1.2." + fmt.Sprint(len(name))}})
		whole := encodeFile(t, v)
		for what, data := range map[string][]byte{"": whole[metaLength(t, v):], "-meta": whole[132:]} {
			path := filepath.Join(dir, name+what)
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			if v, _, err := Read(path); !IsFile(path) || err != nil || v.Data[5] != 10 && syntax != explicitBig { // whose pixels are still little here
				t.Errorf("%s: %v, %v", path, IsFile(path), err)
			}
		}
	}
	for name, data := range map[string]string{
		"text": "hello", "empty": "", "group": "\x08\x00", "number": "\x08\x00\x05\x00\xff\xff\xff\x7f01234567", "words": "\x08\x00\x05\x00ZZ\x04\x0001234567",
		"short": "\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\xff\xff\xff\xffXX\xff\xff",
	} {
		path := filepath.Join(dir, "other", name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if IsFile(path) {
			t.Errorf("%s is taken for DICOM", name)
		}
	}
}

// A series with a damaged file is not read as if it were whole.
func TestDamagedFileInSeries(t *testing.T) {
	whole := encodeFile(t, plane(3, [3]float64{0, 0, 6}, nil))
	header := strings.Index(string(whole), "\x20\x00\x0e\x00UI") + 20 // behind the series UID
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"pixels":   {whole[:len(whole)-4], "03.dcm cannot be read (cut short: pixel data"},
		"header":   {whole[:header+30], "03.dcm cannot be read (cut short"},
		"meta":     {whole[:150], "03.dcm cannot be read (cut short"},
		"preamble": {whole[:100], "03.dcm cannot be read (cut short"},
		"empty":    {nil, "03.dcm cannot be read (the file is empty"},
		"packing":  {[]byte(strings.Replace(string(whole), explicitLittle+"\x00", "1.2.840.10008.1.2.4.90"[:20], 1)), "03.dcm cannot be read ("},
	} {
		dir := putSeries(t, []float64{0, 2, 4}, nil)
		path := filepath.Join(dir, "03.dcm")
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{dir, filepath.Join(dir, "00.dcm")} {
			_, _, err := Find(from, "")
			wantError(t, name, err, c.want)
			wantError(t, name, err, "get the file again, or move it away to do without")
		}
		all, problems, err := Scan(dir)
		if err != nil || len(all) != 1 || all[0].Damaged == nil || len(problems) != 1 {
			t.Errorf("%s: %v %v %v", name, all, problems, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		find(t, dir, "")
	}
	// Of another series, a picture with colours and a damaged copy of a slice that is there: no harm.
	dir := putSeries(t, []float64{0, 2, 4}, nil)
	other := encodeFile(t, plane(9, [3]float64{}, values{tag.SeriesInstanceUID: []string{"1.2.4"}}))
	copied := encodeFile(t, plane(1, [3]float64{0, 0, 2}, nil))
	for name, data := range map[string][]byte{"other.dcm": other[:len(other)-4], "copy.dcm": copied[:len(copied)-4]} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	putFile(t, dir, "rgb.dcm", plane(8, [3]float64{}, values{tag.SamplesPerPixel: []int{3}}))
	if s, warnings := find(t, dir, ""); s.Size[2] != 3 || len(warnings) != 3 {
		t.Errorf("%v %q", s, warnings)
	}
}

// Directions that are rounded in the files keep their stack together.
func TestRoundedDirections(t *testing.T) {
	s, _ := find(t, putSeries(t, []float64{0, 2, 4, 6}, func(i int) values {
		return values{tag.ImageOrientationPatient: decimals(0.99498+0.00002*float64(i), 0.1, 0, -0.1, 0.99498+0.00002*float64(i), 0)}
	}), "")
	if s.Size[2] != 4 {
		t.Errorf("%d slices", s.Size[2])
	}
}

func TestNuclear(t *testing.T) {
	detector := func(over values) [][]*lib.Element {
		v := values{tag.ImagePositionPatient: decimals(1, 2, 3), tag.ImageOrientationPatient: decimals(1, 0, 0, 0, 1, 0)}
		maps.Copy(v, over)
		return [][]*lib.Element{v.elements(t)}
	}
	base := func(over values) values {
		v := values{tag.SOPClassUID: []string{nuclearMedicine}, tag.ImageType: []string{"ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"}, tag.NumberOfFrames: []string{"3"},
			tag.ImagePositionPatient: nil, tag.ImageOrientationPatient: nil, tag.SpacingBetweenSlices: decimals(4), tag.DetectorInformationSequence: detector(nil),
			tag.SliceVector: []int{3, 1, 2}, tag.PixelData: pixels(slices.Repeat([]byte{1, 0}, 6*3)...)}
		data := v[tag.PixelData].(lib.PixelDataInfo).UnprocessedValueData
		data[0], data[12], data[24] = 30, 10, 20
		maps.Copy(v, over)
		return v
	}
	s, warnings := find(t, putSeries(t, []float64{0}, func(int) values { return base(nil) }), "")
	if got := first(t, s); !slices.Equal(got, []float32{10, 20, 30}) || len(warnings) > 0 || s.Affine != [3][4]float64{{-0.25, 0, 0, -1}, {0, -0.5, 0, -2}, {0, 0, 4, 3}} {
		t.Errorf("%v %v %q", got, s.Affine, warnings)
	}
	for name, c := range map[string]struct {
		over values
		want string
	}{
		"projections":   {values{tag.ImageType: []string{"ORIGINAL", "PRIMARY", "TOMO", "EMISSION"}}, `a nuclear medicine image of kind "TOMO"`},
		"slice vector":  {values{tag.SliceVector: []int{1, 2}}, "3 frames with a slice vector that does not number them"},
		"slice numbers": {values{tag.SliceVector: []int{1, 2, 9}}, "3 frames with a slice vector that does not number them"},
		"no distance":   {values{tag.SpacingBetweenSlices: nil, tag.SliceThickness: nil}, "3 slices without SpacingBetweenSlices"},
		"comma twice":   {values{tag.DetectorInformationSequence: detector(values{tag.ImagePositionPatient: []string{"1,,5", "0", "0"}})}, "ImagePositionPatient is"},
	} {
		_, _, err := Read(putSeries(t, []float64{0}, func(int) values { return base(c.over) }))
		wantError(t, name, err, c.want)
	}
	// Gated: as many stacks as time slots.
	all, _, err := Scan(putSeries(t, []float64{0}, func(int) values {
		return base(values{tag.NumberOfFrames: []string{"4"}, tag.SliceVector: []int{1, 2, 1, 2}, tag.TimeSlotVector: []int{1, 1, 2, 2},
			tag.PixelData: pixels(slices.Repeat([]byte{1, 0}, 6*4)...)})
	}))
	if err != nil || len(all) != 2 || all[1].Part != "time slot vector 2" || all[0].Size[2] != 2 {
		t.Errorf("%v %v", all, err)
	}
}
