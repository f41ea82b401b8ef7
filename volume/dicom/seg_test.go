package dicom

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// The shared SEG files hold the same segments as NRRD files that other programs made of them, with the segment's number (or,
// for the liver, 1) as value.
func TestReadSegmentationAgreesWithNRRD(t *testing.T) {
	for name, files := range map[string][]string{
		"liver.dcm":            {"liver_seg.nrrd"},
		"partial_overlaps.dcm": {"partial_overlaps-1.nrrd", "partial_overlaps-2.nrrd", "partial_overlaps-3.nrrd"},
	} {
		s, warnings, err := ReadSegmentation(shared(t, "formats/dicom-seg/"+name))
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		seen := 0
		for _, file := range files {
			want, err := volume.ReadMask(shared(t, "formats/dicom-seg/"+file))
			if err != nil {
				t.Fatal(err)
			}
			on, err := s.On(want.Grid)
			if err != nil {
				t.Fatal(err)
			}
			for _, segment := range on.Segments {
				if !slices.Contains(want.Data, segment.Value) {
					continue
				}
				seen++
				for v, value := range on.Layers[segment.Layer] {
					if (value == segment.Value) != (want.Data[v] == segment.Value) {
						t.Fatalf("%s: voxel %d of segment %s differs", file, v, segment.Name)
					}
				}
			}
		}
		if seen != len(s.Segments) {
			t.Errorf("%s: %d of %d segments compared", name, seen, len(s.Segments))
		}
	}
}

// A number in a label map that no segment has is an error, and no background.
func TestLabelMapWithoutSegment(t *testing.T) {
	series, _, err := Find(filepath.Join("..", "testdata", "ct"), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{{Name: "liver", Value: 1}, {Name: "spleen", Value: 2}}}
	first := 16*12*2 + 16*5 + 3 // voxel (3, 5, 2)
	for n := range 9 {
		s.Layers[0][first+n] = 2
	}
	path := filepath.Join(t.TempDir(), "a.dcm")
	if err := (SEG{LabelMap: true, Made: time.Unix(0, 0)}).Write(path, s, series); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadSegments(path, series); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Count(data, bytes.Repeat([]byte{2}, 9)) != 1 {
		t.Fatal(bytes.Count(data, bytes.Repeat([]byte{2}, 9)), err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, bytes.Repeat([]byte{2}, 9), bytes.Repeat([]byte{3}, 9), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = ReadSegments(path, series)
	wantError(t, "value 3", err, "the value 3, first at voxel (3, 5, 2), has no segment")

	// The background may have another number, which the header names: the value of padding, unless a segment has it.
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	for padding, voxels := range map[byte]int{3: 0, 2: 9} {
		padded := bytes.Replace(data, []byte("\x28\x00\x20\x01US\x02\x00\x00\x00"), []byte{0x28, 0, 0x20, 1, 'U', 'S', 2, 0, padding, 0}, 1)
		if padding == 2 {
			padded = bytes.Replace(padded, bytes.Repeat([]byte{3}, 9), bytes.Repeat([]byte{2}, 9), 1)
		}
		if bytes.Equal(padded, data) || os.WriteFile(path, padded, 0o600) != nil {
			t.Fatal("the padding was not written")
		}
		s, _, err := ReadSegments(path, series)
		if err != nil {
			t.Fatalf("padding %d: %v", padding, err)
		}
		if n := len(slices.DeleteFunc(slices.Clone(s.Layers[0]), func(v uint8) bool { return v == 0 })); n != voxels {
			t.Errorf("padding %d: %d voxels, want %d", padding, n, voxels)
		}
	}
}

// Voxel counts by pydicom; frames that are left out become empty slices.
func TestReadSegmentationKinds(t *testing.T) {
	for name, want := range map[string]struct {
		slices  int
		voxels  []int
		warning string
	}{
		"seg_image_ct_binary.dcm":              {3, []int{638}, ""},
		"seg_image_ct_binary_fractional.dcm":   {3, []int{638}, "fractional"},
		"seg_image_ct_binary_overlap.dcm":      {165, []int{64, 16}, ""},
		"seg_image_ct_binary_single_frame.dcm": {1, []int{1832}, ""},
		"partial_overlaps.dcm":                 {3, []int{9602, 11888, 10743, 6693, 4713}, ""},
	} {
		s, warnings, err := ReadSegmentation(shared(t, "formats/dicom-seg/"+name))
		if err != nil {
			t.Error(err)
			continue
		}
		wantWarning(t, warnings, want.warning)
		if s.Size[2] != want.slices {
			t.Errorf("%s: %d slices, want %d", name, s.Size[2], want.slices)
		}
		for i, segment := range s.Segments {
			n := 0
			for _, v := range s.Layers[segment.Layer] {
				if v == segment.Value {
					n++
				}
			}
			if n != want.voxels[i] {
				t.Errorf("%s: segment %s has %d voxels, want %d", name, segment.Name, n, want.voxels[i])
			}
		}
	}
}

// The single-frame segmentation lies on its image.
func TestSegmentationLiesOnItsImage(t *testing.T) {
	v, _, err := Read(shared(t, "formats/dicom-seg/ct_image.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := ReadSegmentation(shared(t, "formats/dicom-seg/seg_image_ct_binary_single_frame.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	if on, err := s.On(v.Grid); err != nil || !on.Same(v.Grid, 0) {
		t.Error(err)
	}
}

func TestWriteSegmentationRoundTrip(t *testing.T) {
	dir := t.TempDir()
	right, down := [3]float64{0.6, 0.8, 0}, [3]float64{-0.48, 0.36, -0.8}
	normal := cross(right, down)
	for i := range 4 {
		var at [3]float64
		for r := range 3 {
			at[r] = 10.1 + 3*float64(i)*normal[r]
		}
		putFile(t, dir, string(rune('a'+i))+".dcm", plane(i, at, values{
			tag.ImageOrientationPatient: decimals(append(right[:], down[:]...)...), tag.StudyDescription: []string{"Abdomen"},
		}))
	}
	all, _, err := Scan(dir)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	on := all[0]
	made := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	s := &volume.Segmentation{Grid: on.Grid, Layers: [][]uint8{make([]uint8, 24), make([]uint8, 24)}, Segments: []volume.Segment{
		{Name: `Zone\é`, Color: [3]uint8{128, 174, 128}, Value: 4}, {Name: "empty", Color: [3]uint8{0, 0, 0}, Value: 5}, {Name: "C", Color: [3]uint8{255, 1, 77}, Value: 4, Layer: 1},
	}}
	for _, v := range []int{6, 7, 11, 12, 17} { // slices 1 and 2
		s.Layers[0][v] = 4
	}
	for _, v := range []int{5, 6, 12} {
		s.Layers[1][v] = 4
	}
	path := filepath.Join(t.TempDir(), "seg.dcm")
	if err := WriteSegmentation(path, s, on, made); err != nil {
		t.Fatal(err)
	}
	got, warnings, err := ReadSegmentation(path)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if got.Segments[0].Name != "Zone/é" || got.Segments[0].Color != s.Segments[0].Color || got.Segments[2].Color != s.Segments[2].Color {
		t.Errorf("segments %v", got.Segments)
	}
	back, err := got.On(on.Grid)
	if err != nil {
		t.Fatal(err)
	}
	for i, segment := range back.Segments {
		want := s.Segments[i]
		for v := range 24 {
			if (back.Layers[segment.Layer][v] == segment.Value) != (s.Layers[want.Layer][v] == want.Value) {
				t.Errorf("segment %s differs at voxel %d", want.Name, v)
			}
		}
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	frame := f.items(tag.PerFrameFunctionalGroupsSequence)[0]
	source := frame.inner(tag.DerivationImageSequence).inner(tag.SourceImageSequence).text(tag.ReferencedSOPInstanceUID)
	if kept := frame.inner(tag.DerivationImageSequence).inner(tag.SourceImageSequence).text(tag.SpatialLocationsPreserved); kept != "YES" {
		t.Errorf("SpatialLocationsPreserved %q", kept)
	}
	if source != on.slices[1].text(tag.SOPInstanceUID) || f.text(tag.PatientID) != "P1" || f.text(tag.ContentDate) != "20240506" || f.text(tag.StudyInstanceUID) != "1.2.9" || f.text(tag.StudyDescription) != "Abdomen" {
		t.Errorf("refers to %s of patient %s", source, f.text(tag.PatientID))
	}
	// An object without a voxel is written and read too.
	s.Layers = [][]uint8{make([]uint8, 24), make([]uint8, 24)}
	if err := WriteSegmentation(path, s, on, made); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadSegmentation(path); err != nil {
		t.Error(err)
	}
}

func TestWriteSegmentationRefuses(t *testing.T) {
	dir := t.TempDir()
	putFile(t, dir, "a.dcm", plane(1, [3]float64{}, nil))
	all, _, err := Scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := volume.NewSegmentation(&volume.Mask{Grid: all[0].Grid, Data: make([]uint8, 6)}, nil)
	wantError(t, "no segments", WriteSegmentation("x.dcm", s, all[0], time.Time{}), "no segments")
	s = volume.NewSegmentation(&volume.Mask{Grid: all[0].Grid, Data: []uint8{1, 0, 0, 0, 0, 0}}, nil)
	s.Affine[0][3] += 0.1
	wantError(t, "elsewhere", WriteSegmentation("x.dcm", s, all[0], time.Time{}), "do not coincide")
}

func TestHostileSegmentation(t *testing.T) {
	segment := func(n int) []*lib.Element {
		return values{tag.SegmentNumber: []int{n}, tag.SegmentLabel: []string{"A"}}.elements(t)
	}
	base := values{
		tag.SOPClassUID: []string{segClass}, tag.SegmentationType: []string{"BINARY"}, tag.BitsAllocated: []int{1}, tag.BitsStored: []int{1},
		tag.HighBit: []int{0}, tag.PixelRepresentation: []int{0},
		tag.SegmentSequence:               [][]*lib.Element{segment(1)},
		tag.SegmentIdentificationSequence: [][]*lib.Element{values{tag.ReferencedSegmentNumber: []int{1}}.elements(t)},
	}
	for _, c := range []struct {
		name string
		over values
		want string
	}{
		{"sound", nil, ""},
		{"image", values{tag.SOPClassUID: []string{"1.2.840.10008.5.1.4.1.1.2"}}, "no DICOM segmentation"},
		{"kind", values{tag.SegmentationType: []string{"CLOUD"}}, `segmentation type "CLOUD"`},
		{"no segments", values{tag.SegmentSequence: nil}, "no segments"},
		{"segment 0", values{tag.SegmentSequence: [][]*lib.Element{segment(0)}}, "segment number 0"},
		{"twice", values{tag.SegmentSequence: [][]*lib.Element{segment(1), segment(1)}}, "used twice"},
		{"other segment", values{tag.SegmentSequence: [][]*lib.Element{segment(2)}}, "does not describe"},
		{"no position", values{tag.ImagePositionPatient: nil}, "frame 1 has no position"},
		{"no spacing", values{tag.PixelSpacing: nil}, "no pixel spacing"},
	} {
		v := values{}
		for t, x := range base {
			v[t] = x
		}
		for t, x := range c.over {
			v[t] = x
		}
		_, _, err := ReadSegmentation(putFile(t, t.TempDir(), "a.dcm", plane(1, [3]float64{}, v)))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantError(t, c.name, err, c.want)
	}
}

func TestColours(t *testing.T) {
	// By dcmqi: the colours of partial_overlaps.dcm.
	for lab, want := range map[[3]int][3]uint8{
		{43803, 26565, 37722}: {128, 174, 128}, {37064, 44082, 41620}: {216, 101, 79}, {45062, 38660, 25486}: {183, 156, 220}, {55193, 26619, 30325}: {140, 224, 228},
	} {
		if got := fromLab(lab); got != want {
			t.Errorf("%v: %v, want %v", lab, got, want)
		}
		got := toLab(want)
		for i := range got {
			if d := got[i] - lab[i]; d < -40 || d > 40 {
				t.Errorf("%v: %v, want %v", want, got, lab)
			}
		}
	}
	for v := 0; v < 256; v += 15 {
		for _, c := range [][3]uint8{{uint8(v), 0, 0}, {0, uint8(v), 9}, {uint8(v), uint8(255 - v), 128}} {
			if got := fromLab(toLab(c)); got != c {
				t.Errorf("%v comes back as %v", c, got)
			}
		}
	}
}
