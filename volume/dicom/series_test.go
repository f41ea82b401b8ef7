package dicom

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// A file that other people packed holds what it holds unpacked.
func TestReadSharedRLE(t *testing.T) {
	packed, _, err := Read(shared(t, "formats/dicom/transfer-syntaxes/MR_small_RLE.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := Read(shared(t, "formats/dicom/transfer-syntaxes/MR_small.dcm"))
	if err != nil || !slices.Equal(packed.Data, want.Data) {
		t.Error(err, "values differ")
	}
}

// Larger files of the shared data.
func TestReadAgreesWithPydicom(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		t.Run(want.File, func(t *testing.T) { want.check(t, shared(t, want.File), 0) })
	}
}

func TestRefusedByName(t *testing.T) {
	for name, want := range map[string]string{
		"dicom/transfer-syntaxes/MR_truncated.dcm":        "cut short",
		"dicom/transfer-syntaxes/ExplVR_LitEndNoMeta.dcm": "not an image", // its header is read without meta information
		"dicom/transfer-syntaxes":                         "2 series, choose one",
		"dicom-seg/liver.dcm":                             "a segmentation (SEG), not an image",
		"nrrd":                                            "no DICOM image in it",
		"nrrd/BallBinary30x30x30.nrrd":                    "not DICOM",
		"nrrd/gone.dcm":                                   "no such file",
	} {
		_, _, err := Read(shared(t, "formats/"+name))
		wantError(t, name, err, want)
	}
}

// A folder with two series, files in no order, text, a broken file, and other objects.
func TestScanMixedFolder(t *testing.T) {
	dir := t.TempDir()
	for i, height := range []float64{4, 0, 6, 2} {
		putFile(t, dir, filepath.Join("a", strings.Repeat("x", i+1)), plane(i, [3]float64{10, 20, height}, nil))
	}
	putFile(t, dir, "b.dcm", plane(9, [3]float64{0, 0, 0}, values{tag.SeriesInstanceUID: []string{"1.2.4"}}))
	putFile(t, dir, "copy.dcm", plane(9, [3]float64{0, 0, 0}, values{tag.SeriesInstanceUID: []string{"1.2.4"}}))
	putFile(t, dir, "seg.dcm", plane(8, [3]float64{0, 0, 0}, values{tag.SOPClassUID: []string{"1.2.840.10008.5.1.4.1.1.66.4"}}))
	putFile(t, dir, "rgb.dcm", plane(7, [3]float64{0, 0, 0}, values{tag.SamplesPerPixel: []int{3}}))
	os.WriteFile(filepath.Join(dir, "broken.dcm"), []byte("nothing"), 0o644)
	os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("nothing"), 0o644)
	all, problems, err := Scan(dir)
	if err != nil || len(all) != 2 || all[0].UID != "1.2.3" || all[1].UID != "1.2.4" {
		t.Fatalf("series %v, %v", all, err)
	}
	var names []string
	for _, p := range problems {
		names = append(names, filepath.Base(p.File))
	}
	if !slices.Equal(names, []string{"broken.dcm", "copy.dcm", "rgb.dcm"}) {
		t.Errorf("problems %v", problems)
	}
	v, err := all[0].Read()
	if err != nil {
		t.Fatal(err)
	}
	want := volume.Grid{Size: [3]int{3, 2, 4}, Affine: [3][4]float64{{-0.25, 0, 0, -10}, {0, -0.5, 0, -20}, {0, 0, 2, 0}}}
	if !v.Same(want, 1e-9) || len(all[0].Warnings) > 0 || v.Stored != "int16" {
		t.Errorf("grid %v %v, %v", v.Size, v.Affine, all[0].Warnings)
	}
	// Slices by height are numbers 1, 3, 0, 2; the first pixel of number n is 10n - 5.
	if got := []float32{v.Data[0], v.Data[6], v.Data[12], v.Data[23]}; !slices.Equal(got, []float32{5, 25, -5, 20}) {
		t.Errorf("voxels %v", v.Data)
	}
	_, _, err = Read(dir)
	wantError(t, "two series", err, "2 series, choose one")
	one, warnings, err := Read(filepath.Join(dir, "b.dcm"))
	if err != nil || one.Len() != 6 {
		t.Errorf("one file: %v %v", one, err)
	}
	wantWarning(t, warnings, "copy.dcm was left out: a copy of b.dcm")
}

func TestOblique(t *testing.T) {
	dir := t.TempDir()
	right, down := [3]float64{0.6, 0.8, 0}, [3]float64{-0.48, 0.36, -0.8}
	normal := cross(right, down)
	for i := range 3 {
		var at [3]float64
		for r := range 3 {
			at[r] = 10 - 3*float64(i)*normal[r] // numbered against the normal
		}
		putFile(t, dir, string(rune('a'+i))+".dcm", plane(i, at, values{tag.ImageOrientationPatient: decimals(append(right[:], down[:]...)...)}))
	}
	v, warnings, err := Read(dir)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for r := range 3 {
		sign := []float64{-1, -1, 1}[r]
		want := [4]float64{sign * 0.25 * right[r], sign * 0.5 * down[r], sign * 3 * normal[r], sign * (10 - 6*normal[r])}
		for c := range 4 {
			if math.Abs(v.Affine[r][c]-want[c]) > 1e-9 {
				t.Fatalf("row %d of the affine is %v, want %v", r, v.Affine[r], want)
			}
		}
	}
	if v.Data[0] != 15 || v.Data[12] != -5 {
		t.Errorf("order of slices: %v", v.Data)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name    string
		heights []float64
		over    values
		want    string
		step    [3]float64 // in k, LPS
	}{
		{"missing", []float64{0, 2, 4, 10, 12}, nil, "2 slices are missing between 2.dcm and 3.dcm", [3]float64{0, 0, 3}},
		{"uneven", []float64{0, 2, 4.3, 6}, nil, "1.7 to 2.3 mm apart", [3]float64{0, 0, 2}},
		{"no spacing", []float64{0, 2}, values{tag.PixelSpacing: nil}, "distances are in voxels", [3]float64{0, 0, 1}},
		{"no position", []float64{0, 2}, values{tag.ImagePositionPatient: nil}, "order of their instance numbers", [3]float64{0, 0, 9}},
		{"detector spacing", []float64{0, 2}, values{tag.PixelSpacing: nil, tag.ImagerPixelSpacing: decimals(0.5, 0.25)}, "", [3]float64{0, 0, 2}},
	} {
		dir := t.TempDir()
		for i, h := range c.heights {
			putFile(t, dir, string(rune('0'+i))+".dcm", plane(i, [3]float64{0, 0, h}, c.over))
		}
		v, warnings, err := Read(dir)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want == "" && len(warnings) > 0 {
			t.Errorf("%s: warnings %v", c.name, warnings)
		}
		wantWarning(t, warnings, c.want)
		if got := v.Column(2); norm([3]float64{got[0] - c.step[0], got[1] - c.step[1], got[2] - c.step[2]}) > 1e-9 {
			t.Errorf("%s: step %v, want %v", c.name, got, c.step)
		}
	}
}

func TestGantryTilt(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		putFile(t, dir, string(rune('0'+i)), plane(i, [3]float64{0, float64(i), 2 * float64(i)}, nil))
	}
	v, warnings, err := Read(dir)
	if err != nil || v.Column(2) != [3]float64{0, -1, 2} {
		t.Errorf("%v %v", v, err)
	}
	wantWarning(t, warnings, "sheared by 26.6 degrees")
}

// Two echoes at every place become two series; without anything that tells them apart, too.
func TestSeveralImagesAtOnePlace(t *testing.T) {
	for _, echo := range []bool{true, false} {
		dir := t.TempDir()
		for i := range 6 {
			over := values{}
			if echo {
				over[tag.EchoTime] = decimals(float64(10 + i/3))
			}
			putFile(t, dir, string(rune('0'+i)), plane(i, [3]float64{0, 0, float64(2 * (i % 3))}, over))
		}
		all, _, err := Scan(dir)
		if err != nil || len(all) != 2 {
			t.Fatalf("%v %v", all, err)
		}
		for i, s := range all {
			v, err := s.Read()
			if err != nil || !slices.Equal([]float32{v.Data[0], v.Data[6], v.Data[12]}, []float32{float32(30*i - 5), float32(30*i + 5), float32(30*i + 15)}) {
				t.Errorf("series %d: %v %v", i, v, err)
			}
		}
	}
}

func TestPixels(t *testing.T) {
	pixels := func(b ...byte) lib.PixelDataInfo {
		return lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: b}
	}
	for _, c := range []struct {
		name   string
		over   values
		want   []float32
		stored string
	}{
		{"signed", nil, []float32{5, 6, 7, 8, 9, 10}, "int16"},
		{"rescale", values{tag.RescaleSlope: decimals(0.5), tag.RescaleIntercept: decimals(-1024)}, []float32{-1021.5, -1021, -1020.5, -1020, -1019.5, -1019}, "int16"},
		{"12 bits signed", values{tag.BitsStored: []int{12}, tag.HighBit: []int{11}, tag.PixelData: pixels(0xff, 0xff, 0xff, 0xf7, 0, 0xf8, 1, 0, 0, 0x10, 0xfe, 0x0f)},
			[]float32{-1, 2047, -2048, 1, 0, -2}, "int16"},
		{"12 bits unsigned", values{tag.PixelRepresentation: []int{0}, tag.BitsStored: []int{12}, tag.HighBit: []int{11}, tag.PixelData: pixels(0xff, 0xff, 0xff, 0xf7, 0, 0xf8, 1, 0, 0, 0x10, 0xfe, 0x0f)},
			[]float32{4095, 2047, 2048, 1, 0, 4094}, "uint16"},
		{"8 bits", values{tag.BitsAllocated: []int{8}, tag.BitsStored: []int{8}, tag.HighBit: []int{7}, tag.PixelRepresentation: []int{0}, tag.PixelData: pixels(0, 1, 127, 128, 254, 255)},
			[]float32{0, 1, 127, 128, 254, 255}, "uint8"},
		{"high bits", values{tag.BitsStored: []int{8}, tag.HighBit: []int{15}, tag.PixelData: pixels(9, 1, 9, 2, 9, 3, 9, 0xff, 9, 0x80, 9, 0)},
			[]float32{1, 2, 3, -1, -128, 0}, "int16"},
		{"32 bits", values{tag.Columns: []int{1}, tag.BitsAllocated: []int{32}, tag.BitsStored: []int{32}, tag.HighBit: []int{31}, tag.PixelData: pixels(1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)},
			[]float32{1, -1}, "int32"},
		{"implicit", values{tag.TransferSyntaxUID: []string{implicitLittle}}, []float32{5, 6, 7, 8, 9, 10}, "int16"},
	} {
		dir := t.TempDir()
		v, _, err := Read(putFile(t, dir, "a.dcm", plane(1, [3]float64{}, c.over)))
		if err != nil || !slices.Equal(v.Data, c.want) || v.Stored != c.stored {
			t.Errorf("%s: %v, %v, want %v", c.name, v, err, c.want)
		}
	}
}

// An enhanced file holds its slices as frames, with the geometry in functional groups and the frames in any order.
func TestMultiFrame(t *testing.T) {
	group := func(x float64) []*lib.Element {
		return values{
			tag.PlanePositionSequence:            [][]*lib.Element{values{tag.ImagePositionPatient: decimals(x, 2, 3)}.elements(t)},
			tag.PixelValueTransformationSequence: [][]*lib.Element{values{tag.RescaleSlope: decimals(2), tag.RescaleIntercept: decimals(x)}.elements(t)},
		}.elements(t)
	}
	shared := values{
		tag.PlaneOrientationSequence: [][]*lib.Element{values{tag.ImageOrientationPatient: decimals(0, 1, 0, 0, 0, -1)}.elements(t)},
		tag.PixelMeasuresSequence:    [][]*lib.Element{values{tag.PixelSpacing: decimals(3, 4), tag.SliceThickness: decimals(7)}.elements(t)},
	}.elements(t)
	var pixels []byte
	for i := range 18 {
		pixels = append(pixels, byte(i), 0)
	}
	over := values{
		tag.ImagePositionPatient: nil, tag.ImageOrientationPatient: nil, tag.PixelSpacing: nil, tag.NumberOfFrames: []string{"3"},
		tag.SharedFunctionalGroupsSequence:   [][]*lib.Element{shared},
		tag.PerFrameFunctionalGroupsSequence: [][]*lib.Element{group(5), group(15), group(10)},
		tag.PixelData:                        lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels},
	}
	// The normal of these planes is -x: the frame with the largest x comes first.
	path := putFile(t, t.TempDir(), "a.dcm", plane(1, [3]float64{}, over))
	v, warnings, err := Read(path)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := [3][4]float64{{0, 0, 5, -15}, {-4, 0, 0, -2}, {0, -3, 0, 3}}
	if v.Affine != want || v.Data[0] != 2*6+15 || v.Data[6] != 2*12+10 || v.Data[17] != 2*5+5 {
		t.Errorf("%v %v, want %v", v.Affine, v.Data, want)
	}
	over[tag.PerFrameFunctionalGroupsSequence] = [][]*lib.Element{group(0)}
	_, _, err = Read(putFile(t, t.TempDir(), "a.dcm", plane(1, [3]float64{}, over)))
	wantError(t, "no geometry", err, "3 frames with the geometry of 1")
}
