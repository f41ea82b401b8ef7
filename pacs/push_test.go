package pacs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// pulledCase returns a server with a series, the folder that it was pulled into as P001, and the series there.
func pulledCase(t *testing.T) (s *pacstest.Server, dir string, series *dicom.Series) {
	t.Helper()
	s = pacstest.New(t, pacstest.Slices(t, 1, 1, 6, nil)...)
	dir = filepath.Join(t.TempDir(), "data")
	if _, _, err := pull(t, s, dir, 5); err != nil {
		t.Fatal(err)
	}
	series, _, err := dicom.Find(filepath.Join(dir, "P001"), "")
	if err != nil {
		t.Fatal(err)
	}
	return s, dir, series
}

// What stands in a file wins over --names and the project's classes, these name only what has no name, and nothing is sent that nobody named or annotated.
func TestNamesOfWhatIsPushed(t *testing.T) {
	s, dir, series := pulledCase(t)
	one := func(name string, value uint8) volume.Segment { return volume.Segment{Name: name, Value: value} }
	for name, c := range map[string]struct {
		file     string
		segments []volume.Segment // voxel 500+i is of segment i
		names    []string
		project  string // classes
		want     string // names at voxels 500, 501 ... in the object that is sent
		warning  string
		err      string
	}{
		"3D Slicer numbers otherwise": {file: "P001.seg.nrrd", segments: []volume.Segment{one("lesion", 1), one("prostate", 2)}, names: []string{"prostate", "lesion"}, want: "lesion prostate"},
		"a DICOM SEG does too":        {file: "P001.dcm", segments: []volume.Segment{one("lesion", 1), one("Prostate", 2)}, names: []string{"prostate", "lesion"}, want: "lesion Prostate"},
		"so does a project":           {file: "P001.seg.nrrd", segments: []volume.Segment{one("lesion", 1), one("prostate", 2)}, project: `{"value":1,"name":"prostate"},{"value":2,"name":"lesion"}`, want: "lesion prostate"},
		"names of its own alone":      {file: "P001.seg.nrrd", segments: []volume.Segment{one("lesion", 1), one("cyst", 2)}, want: "lesion cyst"},
		"another name":                {file: "P001.seg.nrrd", segments: []volume.Segment{one("lesion", 1), one("cyst", 2)}, names: []string{"prostate", "lesion"}, err: `its segment "cyst" is none of the classes prostate, lesion: rename it, or give --names with it`},
		"numbers":                     {file: "P001.nii.gz", segments: []volume.Segment{one("", 1), one("", 2)}, names: []string{"prostate", " lesion"}, want: "prostate lesion"},
		"numbers in a file for names": {file: "P001.seg.nrrd", segments: []volume.Segment{one("Segment_1", 1), one("Segment_2", 2)}, names: []string{"prostate", "lesion"}, want: "prostate lesion"},
		"numbers without names":       {file: "P001.seg.nrrd", segments: []volume.Segment{one("Segment_1", 1), one("Segment_2", 2)}, err: "its class 1 has no name, without which nobody knows what it is: give --names"},
		"numbers, a name left out":    {file: "P001.nii.gz", segments: []volume.Segment{one("", 1), one("", 2)}, names: []string{"prostate", ""}, err: "its class 2 has no name"},
		"numbers that contradict":     {file: "P001.seg.nrrd", segments: []volume.Segment{one("Segment_2", 1), one("Segment_1", 2)}, names: []string{"prostate", "lesion"}, err: `its segment "Segment_2" has no name, without which nobody knows what it is: name it in the file`},
		"names and numbers":           {file: "P001.seg.nrrd", segments: []volume.Segment{one("lesion", 1), one("Segment_2", 2)}, names: []string{"prostate", "lesion"}, err: `its segment "Segment_2" has no name`},
		"void by name":                {file: "P001.seg.nrrd", segments: []volume.Segment{one(" Void", 1), one("prostate", 2)}, names: []string{"prostate"}, want: "- prostate", warning: "its Void voxels (1) are not sent"},
		"as our exports call it":      {file: "P001.dcm", segments: []volume.Segment{one("prostate", 1), one("not labelled", 2)}, want: "prostate -", warning: "its not labelled voxels (2) are not sent"},
		"unsure in --names":           {file: "P001.nii.gz", segments: []volume.Segment{one("", 1), one("", 2)}, names: []string{"prostate", "unsure"}, want: "prostate -", warning: "its unsure voxels (2) are not sent"},
		"ignore of a project":         {file: "P001.nii.gz", segments: []volume.Segment{one("", 1), one("", 9)}, project: `{"value":1,"name":"prostate"},{"value":9,"name":"ignore"}`, want: "prostate -", warning: "its ignore voxels (9) are not sent"},
		"255 without a name":          {file: "P001.nii.gz", segments: []volume.Segment{one("", 1), one("", 255)}, names: []string{"prostate"}, want: "prostate -", warning: "its unsure voxels (255) are not sent"},
		"255 with a name":             {file: "P001.seg.nrrd", segments: []volume.Segment{one("prostate", 1), one("lesion", 255)}, want: "prostate lesion"},
	} {
		t.Run(name, func(t *testing.T) {
			masks := filepath.Join(t.TempDir(), "final")
			if err := os.Mkdir(masks, 0o700); err != nil {
				t.Fatal(err)
			}
			if c.project != "" {
				if err := os.WriteFile(filepath.Join(filepath.Dir(masks), "project.json"), fmt.Appendf(nil, `{"config":{"classes":[%s]}}`, c.project), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			seg := &volume.Segmentation{Grid: series.Grid, Segments: c.segments, Layers: [][]uint8{make([]uint8, series.Len())}}
			for i, segment := range c.segments {
				seg.Layers[0][500+i] = segment.Value
			}
			path, err := filepath.Join(masks, c.file), error(nil)
			switch {
			case volume.IsSegmentation(path):
				err = volume.WriteSegmentation(path, seg)
			case volume.IsImage(path):
				err = volume.WriteMask(path, &volume.Mask{Grid: seg.Grid, Data: seg.Layers[0]})
			default:
				err = dicom.WriteSegmentation(path, seg, series, time.Now())
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Set(pacstest.Quirks{})
			got := pushed(t, s, dir, pacs.PushOptions{Masks: masks, Names: c.names})[0]
			if c.err != "" {
				if got.Err == nil || !strings.Contains(got.Err.Error(), c.err) || len(s.Seen()) > 0 {
					t.Errorf("%+v, want %q and nothing sent", got, c.err)
				}
				return
			}
			if got.Err != nil || strings.Join(got.Warnings, "\n") != c.warning {
				t.Fatalf("%+v, want the warning %q", got, c.warning)
			}
			back := object(t, s, got.Instance, series)
			var found []string
			for i := range c.segments {
				at := slices.IndexFunc(back.Segments, func(s volume.Segment) bool { return back.Layers[s.Layer][500+i] == s.Value })
				if at < 0 {
					found = append(found, "-")
				} else {
					found = append(found, back.Segments[at].Name)
				}
			}
			if strings.Join(found, " ") != c.want {
				t.Errorf("sent %q, want %q", found, c.want)
			}
		})
	}
}

// The newest object on a server is the mask as it is now: one that goes back to what it was is sent again, and what stays of an erased one is named.
func TestNewestIsTheMask(t *testing.T) {
	s, dir, series := pulledCase(t)
	o := pacs.PushOptions{Masks: t.TempDir(), Names: []string{"prostate"}}
	push := func(o pacs.PushOptions, voxels ...int) pacs.Sent {
		t.Helper()
		mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
		for _, v := range voxels {
			mask.Data[v] = 1
		}
		if err := volume.WriteMask(filepath.Join(o.Masks, "P001.nii.gz"), mask); err != nil {
			t.Fatal(err)
		}
		return pushed(t, s, dir, o)[0]
	}
	if empty := push(o); !empty.NoMask || len(empty.Warnings) > 0 {
		t.Errorf("empty from the beginning: %+v", empty)
	}
	a, b, back := push(o, 500), push(o, 501), push(o, 500)
	if back.Err != nil || back.Before || back.Instance == a.Instance || back.Instance == b.Instance {
		t.Fatalf("%+v, %+v, back: %+v", a, b, back)
	}
	if seg := object(t, s, back.Instance, series); seg.Layers[0][500] == 0 || seg.Layers[0][501] != 0 {
		t.Error("the newest is another mask")
	}
	if again := push(o, 500); !again.Before || again.Instance != back.Instance {
		t.Errorf("unchanged: %+v", again)
	}
	// What the server may have, though it did not say so, is the newest too.
	s.Set(pacstest.Quirks{StoreAnswer: "{"})
	lost := push(o, 502)
	if lost.Err == nil {
		t.Fatalf("%+v", lost)
	}
	s.Set(pacstest.Quirks{})
	last := push(o, 500)
	if last.Err != nil || last.Before || s.File(last.Instance) == nil || last.Instance == back.Instance {
		t.Errorf("after a lost answer: %+v", last)
	}
	stay := strings.Join([]string{last.Instance, lost.Instance + " (perhaps)", back.Instance, b.Instance, a.Instance}, ", ")
	for _, dry := range []bool{true, false} {
		o.DryRun = dry
		s.Set(pacstest.Quirks{})
		if erased := push(o); !erased.NoMask || len(erased.Warnings) != 1 || !strings.Contains(erased.Warnings[0], stay+"; push removes nothing") || len(s.Seen()) > 0 {
			t.Errorf("erased: %+v, want the warning to name %s", erased, stay)
		}
	}
	other := pacstest.New(t)
	if elsewhere := pushed(t, other, dir, o)[0]; len(elsewhere.Warnings) > 0 {
		t.Errorf("another server has nothing of it: %+v", elsewhere)
	}
}

// A mask goes to no study but that of its own images.
func TestPushOnAnotherSeries(t *testing.T) {
	s := pacstest.New(t, append(pacstest.Slices(t, 1, 1, 6, nil), pacstest.Slices(t, 2, 1, 6, nil)...)...)
	dir, masks := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, _, err := pull(t, s, dir, 5); err != nil {
		t.Fatal(err)
	}
	series, _, err := dicom.Find(filepath.Join(dir, "P001"), "")
	if err != nil {
		t.Fatal(err)
	}
	mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	mask.Data[500] = 1
	if err := volume.WriteMask(filepath.Join(masks, "P001.nii.gz"), mask); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "P001")), os.Rename(filepath.Join(dir, "P002"), filepath.Join(dir, "P001"))); err != nil {
		t.Fatal(err)
	}
	s.Set(pacstest.Quirks{})
	if got := pushed(t, s, dir, pacs.PushOptions{Masks: masks, Names: []string{"prostate"}})[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "no longer holds the series that was pulled") || len(s.Seen()) > 0 {
		t.Errorf("%+v, %d requests", got, len(s.Seen()))
	}
}

// object reads a segmentation that a server has.
func object(t *testing.T, s *pacstest.Server, instance string, series *dicom.Series) *volume.Segmentation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "back.dcm")
	if err := os.WriteFile(path, s.File(instance), 0o600); err != nil {
		t.Fatal(err)
	}
	back, _, err := dicom.ReadSegments(path, series)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// What the images say of a patient is in what is stored byte by byte, whatever the character set, and no word of it in what is told.
func TestPushInOtherCharacterSets(t *testing.T) {
	raw := "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=" // PS3.5 H.3.2
	s := pacstest.New(t, pacstest.Slices(t, 1, 1, 6, map[tag.Tag]any{tag.SpecificCharacterSet: []string{"ISO 2022 IR 13", "ISO 2022 IR 87"}, tag.PatientName: raw})...)
	dir, masks := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, _, err := pull(t, s, dir, 5); err != nil {
		t.Fatal(err)
	}
	series, _, err := dicom.Find(filepath.Join(dir, "P001"), "")
	if err != nil {
		t.Fatal(err)
	}
	mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	mask.Data[500] = 1
	if err := volume.WriteMask(filepath.Join(masks, "P001.nii.gz"), mask); err != nil {
		t.Fatal(err)
	}
	got := pushed(t, s, dir, pacs.PushOptions{Masks: masks, Names: []string{"prostate"}})[0]
	if got.Err != nil || len(got.Warnings) > 0 || !strings.Contains(string(s.File(got.Instance)), raw) {
		t.Errorf("%+v", got)
	}
}

// Where the mask of a case that was sent has gone, what stays on the server is named as where it was erased.
func TestMaskHasGone(t *testing.T) {
	s, dir, series := pulledCase(t)
	o := pacs.PushOptions{Masks: t.TempDir(), Names: []string{"prostate"}}
	if never := pushed(t, s, dir, o)[0]; !never.NoMask || len(never.Warnings) > 0 {
		t.Errorf("%+v", never)
	}
	mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	mask.Data[500] = 1
	path := filepath.Join(o.Masks, "P001.nii.gz")
	if err := volume.WriteMask(path, mask); err != nil {
		t.Fatal(err)
	}
	sent := pushed(t, s, dir, o)[0]
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		o.DryRun = dry
		if gone := pushed(t, s, dir, o)[0]; gone.Err != nil || !gone.NoMask || len(gone.Warnings) != 1 || !strings.Contains(gone.Warnings[0], sent.Instance+"; push removes nothing") {
			t.Errorf("%+v", gone)
		}
	}
	if elsewhere := pushed(t, pacstest.New(t), dir, o)[0]; len(elsewhere.Warnings) > 0 {
		t.Errorf("another server has nothing of it: %+v", elsewhere)
	}
}

// A pulled series that is no one stack, or is damaged, says so, without a word of the patient.
func TestPushOfWhatIsNoStack(t *testing.T) {
	files := pacstest.Slices(t, 1, 1, 6, nil)
	for k, file := range pacstest.Slices(t, 1, 1, 12, map[tag.Tag]any{tag.ImageOrientationPatient: []string{"0.8", "0.6", "0", "-0.6", "0.8", "0"}}) {
		if k >= 6 {
			files = append(files, file)
		}
	}
	s := pacstest.New(t, files...)
	dir, masks := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, _, err := pull(t, s, dir, 5); err != nil {
		t.Fatal(err)
	}
	if err := volume.WriteMask(filepath.Join(masks, "P001.nii.gz"), &volume.Mask{Grid: volume.Grid{Size: [3]int{1, 1, 1}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}, Data: []uint8{1}}); err != nil {
		t.Fatal(err)
	}
	o := pacs.PushOptions{Masks: masks, Names: []string{"prostate"}}
	if got := pushed(t, s, dir, o)[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "are 2 stacks, and a mask is of one (1.2.826.0.1.9.1.1#1, 1.2.826.0.1.9.1.1#2)") || !quiet(got.Err.Error()) {
		t.Errorf("%+v", got)
	}
	damaged := filepath.Join(dir, "P001", "0003.dcm")
	if err := errors.Join(os.Truncate(damaged, 600), os.RemoveAll(filepath.Join(dir, "P001", "0007.dcm"))); err != nil {
		t.Fatal(err)
	}
	for k := 7; k <= 12; k++ {
		os.Remove(filepath.Join(dir, "P001", fmt.Sprintf("%04d.dcm", k)))
	}
	if got := pushed(t, s, dir, o)[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "0003.dcm cannot be read") || !quiet(got.Err.Error()) {
		t.Errorf("%+v", got)
	}
}

// The project that masks are of is found from within their folder and by a link to it.
func TestProjectOfMasks(t *testing.T) {
	s, dir, series := pulledCase(t)
	labels := t.TempDir()
	final, link := filepath.Join(labels, "final"), filepath.Join(t.TempDir(), "masks")
	if err := errors.Join(os.Mkdir(final, 0o700), os.Symlink(final, link)); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(filepath.Join(labels, "project.json"), []byte(`{"config":{"classes":[{"value":1,"name":"prostate"}]},"reviews":true,"cases":{"P001":{"slices":6,"labels":[{"slice":1}]}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	mask.Data[500] = 1
	if err := volume.WriteMask(filepath.Join(final, "P001.nii.gz"), mask); err != nil {
		t.Fatal(err)
	}
	t.Chdir(final)
	for _, masks := range []string{".", "./", "../final", link, final + "/"} {
		got := pushed(t, s, dir, pacs.PushOptions{Masks: masks, DryRun: true})[0]
		if got.Err != nil || !slices.Equal(got.Warnings, []string{"labelled slices: 1 of 6; in the others nothing is drawn"}) {
			t.Errorf("%s: %+v", masks, got)
		}
	}
}
