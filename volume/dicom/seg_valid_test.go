package dicom

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/volume"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// dciodvfy returns the errors that dicom3tools finds in a file; the test is skipped where it is not installed.
func dciodvfy(t *testing.T, path string) (errors []string) {
	t.Helper()
	program, err := exec.LookPath("dciodvfy")
	if err != nil {
		t.Skip("there is no dciodvfy: scripts/deps.sh test installs dicom3tools")
	}
	text, _ := exec.Command(program, path).CombinedOutput() // its exit code counts errors
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "Error") {
			errors = append(errors, strings.TrimSpace(line))
		}
	}
	return errors
}

// drawnOn returns a series of five slices, written by pydicom, and two segments on it that share no voxel, the second with holes and in one slice only.
func drawnOn(t *testing.T) (*Series, *volume.Segmentation) {
	t.Helper()
	dir, _ := inputs(t)
	series, _, err := Find(filepath.Join(dir, "series"), "")
	if err != nil {
		t.Fatal(err)
	}
	return series, draw(series)
}

// draw draws two segments on a series.
func draw(series *Series) *volume.Segmentation {
	s := &volume.Segmentation{Grid: series.Grid, Layers: [][]uint8{make([]uint8, series.Len())}, Segments: []volume.Segment{
		{Name: "Kidney_Left", Color: [3]uint8{200, 30, 30}, Value: 3}, {Name: "zebra stripes", Color: [3]uint8{0, 90, 200}, Value: 1},
	}}
	w, h := s.Size[0], s.Size[1]
	for v := range s.Layers[0] {
		x, y, k := v%w-8, v/w%h-8, v/(w*h)
		switch d := x*x + y*y; {
		case k > 0 && k < 4 && d > 4 && d < 30:
			s.Layers[0][v] = 3
		case k == 2 && d <= 2:
			s.Layers[0][v] = 1
		}
	}
	return s
}

// Objects of both classes are what dicom3tools takes for valid, and say what the standard wants them to say.
func TestSegmentationsAreValid(t *testing.T) {
	series, s := drawnOn(t)
	for name, c := range map[string]struct {
		seg    SEG
		frames int
		passed []string // what dciodvfy of 2022 says against a class of 2023
	}{
		"binary":   {SEG{}, 4, nil},
		"labelmap": {SEG{LabelMap: true}, 3, []string{"SegmentNumber not monotonically increasing from one by one", "Information Object Not found"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "seg.dcm")
			c.seg.Made = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			if err := c.seg.Write(path, s, series); err != nil {
				t.Fatal(err)
			}
			back, warnings, err := ReadSegments(path, series)
			if err != nil || len(warnings) > 0 || len(back.Segments) != 2 {
				t.Fatal(back, warnings, err)
			}
			for i, a := range s.Segments {
				b := back.Segments[i]
				for v := range s.Layers[0] {
					if (s.Layers[0][v] == a.Value) != (back.Layers[b.Layer][v] == b.Value) {
						t.Fatalf("segment %s differs at voxel %d", a.Name, v)
					}
				}
			}
			f, err := openFile(path)
			if err != nil {
				t.Fatal(err)
			}
			frames := f.items(tag.PerFrameFunctionalGroupsSequence)
			if len(frames) != c.frames || f.whole(tag.NumberOfFrames, 0) != c.frames {
				t.Errorf("%d frames, want %d: empty ones are left out", len(frames), c.frames)
			}
			if n := len(f.inner(tag.ReferencedSeriesSequence).items(tag.ReferencedInstanceSequence)); n != len(series.Files()) {
				t.Errorf("%d images are referred to, want all %d", n, len(series.Files()))
			}
			for _, frame := range frames {
				image := frame.inner(tag.DerivationImageSequence).inner(tag.SourceImageSequence)
				if image.text(tag.SpatialLocationsPreserved) != "YES" || image.text(tag.ReferencedSOPInstanceUID) == "" {
					t.Error("a frame without its image, or the word that voxels lie where they do in it")
				}
				if own := frame.inner(tag.SegmentIdentificationSequence) != nil; own == c.seg.LabelMap {
					t.Errorf("frames name a segment: %v", own)
				}
			}
			segments := f.items(tag.SegmentSequence)
			if c.seg.LabelMap {
				segments = segments[1:] // the background
			}
			var codes []string
			for _, m := range segments {
				category, kind := m.inner(tag.SegmentedPropertyCategoryCodeSequence), m.inner(tag.SegmentedPropertyTypeCodeSequence)
				codes = append(codes, fmt.Sprintf("%s %s | %s %s %s | %s", category.text(tag.CodingSchemeDesignator), category.text(tag.CodeValue),
					kind.text(tag.CodingSchemeDesignator), kind.text(tag.CodeValue), kind.text(tag.CodeMeaning),
					kind.inner(tag.SegmentedPropertyTypeModifierCodeSequence).text(tag.CodeMeaning)))
			}
			want := []string{"SCT 91723000 | SCT 64033007 Kidney | Left", "SCT 91723000 | 99NEXTSLICE F2B42358C84E zebra stripes | "}
			if !slices.Equal(codes, want) {
				t.Errorf("codes %q, want %q", codes, want)
			}
			found := slices.DeleteFunc(dciodvfy(t, path), func(line string) bool {
				return slices.ContainsFunc(c.passed, func(p string) bool { return strings.Contains(line, p) })
			})
			if len(found) > 0 {
				t.Errorf("dciodvfy: %q", found)
			}
		})
	}
	// A label map cannot hold two segments of one voxel.
	s.Layers = append(s.Layers, slices.Clone(s.Layers[0]))
	s.Segments[1].Layer, s.Segments[1].Value = 1, 3
	err := SEG{LabelMap: true}.Write(filepath.Join(t.TempDir(), "x.dcm"), s, series)
	wantError(t, "overlap", err, `segments "Kidney_Left" and "zebra stripes" overlap`)
}

func TestCodesOfNames(t *testing.T) {
	extra, err := parseCodes("# mine\nzebra stripes, SCT,49755003,Morphologically Abnormal Structure,99LAB,Z1,Stripes of a zebra\nliver,SCT,1,x,99LAB,L,our liver\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"prostate": "SCT 41216001 ", "Prostates": "SCT 41216001 ", "Left Kidney": "SCT 64033007 Left", "kidney_right": "SCT 64033007 Right", "kidneys": "SCT 64033007 ",
		"left_ventricle": "SCT 87878005 ", "peripheral-zone": "SCT 279706003 ", "tumour": "SCT 108369006 ", "vertebrae": "SCT 51282000 ", "ovaries": "SCT 15497006 ",
		"Zebra  Stripes": "99LAB Z1 ", "LIVER": "99LAB L ", "left": "99NEXTSLICE",
	} {
		c := Codes{extra}.Of(name)
		if got := c.Type.Scheme + " " + c.Type.Value + " " + c.Side.Meaning; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if c := (Codes{}).Of(strings.Repeat("é", 90)); len([]rune(c.Type.Meaning)) != 64 || !regexp.MustCompile(`^[0-9A-F]{12}$`).MatchString(c.Type.Value) {
		t.Errorf("a long name: %+v", c)
	}
	for text, want := range map[string]string{
		"liver,SCT,1,x": "want name, category scheme", "liver,SCT,12345678901234567,x,SCT,1,x": "1 to 16 characters", ",SCT,1,x,SCT,1,x": "has no name", `a,SCT,1,x,SCT,1,x\y`: "no backslash",
	} {
		_, err := parseCodes(text)
		wantError(t, text, err, want)
	}
	if _, err := parseCodes(knownCodes); err != nil {
		t.Error(err)
	}
}
