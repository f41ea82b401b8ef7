package pacs_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// pull pulls everything of a server into a folder and returns a line for each series, and what was left out.
func pull(t *testing.T, s *pacstest.Server, dir string, minSlices int) (lines []string, chosen pacs.Selection, err error) {
	t.Helper()
	c := client(t, s, pacs.Access{})
	found, _, err := c.Find(t.Context(), pacs.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := pacs.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if chosen, err = folder.Select(t.Context(), c, found, minSlices); err != nil {
		t.Fatal(err)
	}
	err = folder.Pull(t.Context(), c, chosen.Series, nil, func(p pacs.Pulled) {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(p.Name, " ", p.Instances, " ", p.Err)))
	})
	return lines, chosen, err
}

func TestPull(t *testing.T) {
	s := archive(t)
	frames := pacstest.Slices(t, 6, 1, 1, map[tag.Tag]any{tag.NumberOfFrames: "12", tag.PixelData: lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: make([]byte, 12*2*24*20)}})[0]
	if err := s.Add(frames); err != nil { // one file, and a whole stack
		t.Fatal(err)
	}
	if err := s.Add(pacstest.Slices(t, 1, 2, 1, nil)[0]); err != nil { // a localiser
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	lines, chosen, err := pull(t, s, dir, 5)
	want := []string{"P001 6 <nil>", "P002 6 <nil>", "P003 6 <nil>", "P004 6 <nil>", "P005 6 <nil>", "P006 1 <nil>"}
	if err != nil || !slices.Equal(lines, want) {
		t.Fatalf("%q, %v", lines, err)
	}
	if chosen.NoImages != 1 || chosen.Few != 1 || chosen.Slices != 42 {
		t.Errorf("%+v", chosen)
	}
	// The files are those of the server, byte by byte, for this account alone, under names of our own.
	if got, err := os.ReadFile(filepath.Join(dir, "P001", "0002.dcm")); err != nil || !slices.Equal(got, s.File("1.2.826.0.1.9.1.1.2")) {
		t.Errorf("another file: %v", err)
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, _ error) error {
		info, err := e.Info()
		if err == nil && (e.IsDir() && info.Mode().Perm() != 0o700 || !e.IsDir() && info.Mode().Perm() != 0o600) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(dir, "pacs.json"))
	if err != nil || !quiet(string(record)) || strings.Contains(string(record), "ct-j") {
		t.Errorf("the record tells who it is: %s, %v", record, err)
	}
	// Again nothing is asked for; a case that went missing keeps its name, and new ones come behind.
	if lines, chosen, _ := pull(t, s, dir, 5); len(lines) > 0 || chosen.Known != 6 {
		t.Errorf("again: %q, %+v", lines, chosen)
	}
	if err := os.RemoveAll(filepath.Join(dir, "P003")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".pull-P003", "x"), 0o700); err != nil { // of a process that was killed
		t.Fatal(err)
	}
	for _, f := range pacstest.Slices(t, 7, 1, 5, nil) {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if lines, _, _ := pull(t, s, dir, 5); !slices.Equal(lines, []string{"P003 6 <nil>", "P007 5 <nil>"}) {
		t.Errorf("after a loss: %q", lines)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".pull*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// What a server sends wrongly becomes no case; what is cut is fetched again; what is wrong with one series does not stop the next.
func TestTrapsOfPulling(t *testing.T) {
	for name, c := range map[string]struct {
		quirks pacstest.Quirks
		want   string // of each series
		stops  string
	}{
		"sound":                       {pacstest.Quirks{}, "6 <nil>", ""},
		"cut twice":                   {pacstest.Quirks{CutSeries: 2}, "6 <nil>", ""},
		"fails at first":              {pacstest.Quirks{RefuseExplicit: 406, CutSeries: 1}, "6 <nil>", ""},
		"a file is missing":           {pacstest.Quirks{Missing: true}, "5 files came of a series of 6", ""},
		"a file of another series":    {pacstest.Quirks{Foreign: true}, "a file of another series", ""},
		"a file twice":                {pacstest.Quirks{Twice: true}, "sent a file twice", ""},
		"a damaged file":              {pacstest.Quirks{Damaged: true}, "damaged or no DICOM", ""},
		"no counts":                   {pacstest.Quirks{WithoutCounts: true}, "6 <nil>", ""},
		"one part of several":         {pacstest.Quirks{SinglePart: true}, "1 files came of a series of 6", ""},
		"addresses of a host inside":  {pacstest.Quirks{RetrieveURL: "http://inside.invalid"}, "6 <nil>", ""},
		"a login page":                {pacstest.Quirks{HTML: true}, "", ""},
		"the password is not taken":   {pacstest.Quirks{User: "x", Password: "y"}, "", "(401)"},
		"errors that quote a patient": {pacstest.Quirks{RefuseAny: 500, RefuseExplicit: 500, LeakName: true}, "6 <nil>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := pacstest.New(t, append(pacstest.Slices(t, 1, 1, 6, nil), pacstest.Slices(t, 2, 1, 6, nil)...)...)
			one := client(t, s, pacs.Access{})
			found, _, err := one.Find(t.Context(), pacs.Query{}, nil)
			if err != nil || len(found) != 2 {
				t.Fatal(found, err)
			}
			if c.quirks.WithoutCounts {
				for i := range found {
					found[i].Instances = -1
				}
			}
			dir := filepath.Join(t.TempDir(), "data")
			folder, err := pacs.Create(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer folder.Close()
			s.Set(c.quirks)
			n := 0
			err = folder.Pull(t.Context(), one, found, nil, func(p pacs.Pulled) {
				n++
				text := strings.TrimSpace(fmt.Sprint(p.Instances, " ", p.Err))
				if !strings.Contains(text, c.want) || !quiet(text) || strings.Contains(text, "\n") {
					t.Errorf("%s, want %s", text, c.want)
				}
				if whole := p.Err == nil; whole != (len(folder.Cases()) == n && whole) {
					t.Errorf("%d cases are whole", len(folder.Cases()))
				}
			})
			if c.stops != "" {
				if err == nil || !strings.Contains(err.Error(), c.stops) || n > 0 {
					t.Errorf("%d series, %v", n, err)
				}
			} else if err != nil || n != 2 {
				t.Errorf("%d series, %v", n, err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".pull*")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// What is wrong with this machine's disk stops at once, and is not tried again.
func TestPullToABadDisk(t *testing.T) {
	s := pacstest.New(t, pacstest.Slices(t, 1, 1, 6, nil)...)
	one := client(t, s, pacs.Access{})
	one.Wait = func(context.Context, int) error { t.Error("tried again"); return nil }
	found, _, err := one.Find(t.Context(), pacs.Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	folder, err := pacs.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	n := 0
	err = folder.Pull(t.Context(), one, found, func(_, files int) {
		if files == 2 { // its folder is taken away
			os.RemoveAll(filepath.Join(dir, ".pull-P001"))
		}
	}, func(p pacs.Pulled) {
		n++
		if p.Err == nil || !strings.Contains(p.Err.Error(), "no such file or directory") {
			t.Errorf("%+v", p)
		}
	})
	if err != nil || n != 1 {
		t.Errorf("%d series, %v", n, err)
	}
}

// A series that one server did not give whole, and another did, is of the other: its masks go there.
func TestPulledFromAnotherServer(t *testing.T) {
	files := pacstest.Slices(t, 1, 1, 6, nil)
	first, second := pacstest.New(t, files...), pacstest.New(t, files...)
	first.Set(pacstest.Quirks{Missing: true})
	dir := filepath.Join(t.TempDir(), "data")
	for _, s := range []*pacstest.Server{first, second} {
		if _, _, err := pull(t, s, dir, 5); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := pacs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if all := folder.Cases(); len(all) != 1 || all[0].Server != second.URL+"/dicom-web" {
		t.Errorf("%+v, want the server %s", all, second.URL)
	}
}

func TestFoldersOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pacs.Create(dir); err == nil || !strings.Contains(err.Error(), "choose a new folder") {
		t.Error(err)
	}
	if _, err := pacs.Open(dir); err == nil || !strings.Contains(err.Error(), "was not pulled") {
		t.Error(err)
	}
	mine := filepath.Join(t.TempDir(), "data")
	one, err := pacs.Create(mine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pacs.Create(mine); err == nil || !strings.Contains(err.Error(), "another nextslice works on") {
		t.Error(err)
	}
	one.Close()
	if err := os.WriteFile(filepath.Join(mine, "pacs.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pacs.Open(mine); err == nil || !strings.Contains(err.Error(), "restore it from a copy") {
		t.Error(err)
	}
}

// pushed pushes the masks of a folder and returns what became of each.
func pushed(t *testing.T, s *pacstest.Server, dir string, o pacs.PushOptions) (out []pacs.Sent) {
	t.Helper()
	folder, err := pacs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	o.Server = func(string) (*pacs.Client, error) { return client(t, s, pacs.Access{}), nil }
	if err := folder.Push(t.Context(), o, func(one pacs.Sent) { out = append(out, one) }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPush(t *testing.T) {
	s := pacstest.New(t, append(pacstest.Slices(t, 1, 1, 6, nil), append(pacstest.Slices(t, 2, 1, 6, nil), pacstest.Slices(t, 3, 1, 6, nil)...)...)...)
	dir, masks := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if _, _, err := pull(t, s, dir, 5); err != nil {
		t.Fatal(err)
	}
	series, _, err := dicom.Find(filepath.Join(dir, "P001"), "")
	if err != nil {
		t.Fatal(err)
	}
	mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	for _, v := range []int{500, 501, 524, 1500} {
		mask.Data[v] = 1
	}
	mask.Data[502] = 2
	mask.Data[503] = volume.Ignored // unsure
	put := func(name string, m *volume.Mask) {
		t.Helper()
		if err := volume.WriteMask(filepath.Join(masks, name), m); err != nil {
			t.Fatal(err)
		}
	}
	put("P001.nii.gz", mask)
	put("P002.nii.gz", &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}) // nothing in it
	o := pacs.PushOptions{Masks: masks, Names: []string{"liver", "unheard of"}}

	s.Set(pacstest.Quirks{})
	dry := o
	dry.DryRun = true
	if got := pushed(t, s, dir, dry); got[0].To == "" || got[0].Instance != "" || len(s.Seen()) > 0 {
		t.Errorf("dry run: %+v, %v", got, s.Seen())
	}
	got := pushed(t, s, dir, o)
	if len(got) != 3 || got[0].Err != nil || !got[1].NoMask || !got[2].NoMask || !slices.Contains(got[0].Warnings, "its unsure voxels (255) are not sent") {
		t.Fatalf("%+v", got)
	}
	file := s.File(got[0].Instance)
	if file == nil {
		t.Fatal("the server does not have it")
	}
	path := filepath.Join(t.TempDir(), "back.dcm")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	back, _, err := dicom.ReadSegments(path, series)
	if err != nil || len(back.Segments) != 2 || back.Segments[0].Name != "liver" || back.Segments[1].Name != "unheard of" {
		t.Fatal(back, err)
	}
	for v, want := range mask.Data {
		if want == volume.Ignored {
			want = 0
		}
		if back.Layers[0][v] != want {
			t.Fatalf("voxel %d is %d, want %d", v, back.Layers[0][v], want)
		}
	}
	// Nothing is sent twice; a changed mask, or another form, is a new object.
	s.Set(pacstest.Quirks{})
	if again := pushed(t, s, dir, o); !again[0].Before || again[0].Instance != got[0].Instance || len(s.Seen()) > 0 {
		t.Errorf("again: %+v, %d requests", again[0], len(s.Seen()))
	}
	mask.Data[600] = 2
	put("P001.nii.gz", mask)
	changed := pushed(t, s, dir, o)[0]
	if changed.Before || changed.Err != nil || changed.Instance == got[0].Instance {
		t.Errorf("changed: %+v", changed)
	}
	o.SEG.LabelMap = true
	if form := pushed(t, s, dir, o)[0]; form.Before || form.Err != nil || form.Instance == changed.Instance {
		t.Errorf("as a label map: %+v", form)
	}
	// What the server does not name is not stored, and goes again as the same object.
	mask.Data[601] = 1
	put("P001.nii.gz", mask)
	s.Set(pacstest.Quirks{Forget: true})
	forgotten := pushed(t, s, dir, o)[0]
	if forgotten.Err == nil || !strings.Contains(forgotten.Err.Error(), "P001: the server does not name the file") {
		t.Errorf("forgotten: %+v", forgotten)
	}
	s.Set(pacstest.Quirks{})
	if again := pushed(t, s, dir, o)[0]; again.Err != nil || again.Before || again.Instance != forgotten.Instance || again.Instance == "" {
		t.Errorf("after a failure: %+v, want the object %s", again, forgotten.Instance)
	}
	// A class without a name is not sent; the project that the masks are of has names.
	s.Set(pacstest.Quirks{})
	nameless := o
	nameless.Names = []string{"liver"}
	mask.Data[602] = 1
	put("P001.nii.gz", mask)
	if got := pushed(t, s, dir, nameless)[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "its class 2 has no name") || len(s.Seen()) > 0 {
		t.Errorf("without a name: %+v", got)
	}
	final := filepath.Join(t.TempDir(), "labels", "final")
	if err := os.CopyFS(final, os.DirFS(masks)); err != nil {
		t.Fatal(err)
	}
	list := `{"config":{"classes":[{"value":0,"name":"background"},{"value":1,"name":"liver"},{"value":2,"name":"cyst"},{"value":255,"name":"unsure"}]},
		"reviews":true,"cases":{"P001":{"slices":6,"labels":[{"slice":1},{"slice":3}]}}}`
	if err := os.WriteFile(filepath.Join(filepath.Dir(final), "project.json"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	named := pushed(t, s, dir, pacs.PushOptions{Masks: final})[0]
	if named.Err != nil || !slices.Contains(named.Warnings, "labelled slices: 2 of 6; in the others nothing is drawn") {
		t.Errorf("of a project: %+v", named)
	}
	if seg, _, err := dicom.ReadSegmentation(filepath.Join(dir, "seg", "P001.dcm")); err != nil || seg.Segments[1].Name != "cyst" {
		t.Errorf("names of a project: %v, %v", seg, err)
	}
	// A mask that lies elsewhere is not sent.
	mask.Affine[0][3] += 5
	put("P001.nii.gz", mask)
	s.Set(pacstest.Quirks{})
	if elsewhere := pushed(t, s, dir, o)[0]; elsewhere.Err == nil || !strings.Contains(elsewhere.Err.Error(), "does not lie on the series") || len(s.Seen()) > 0 {
		t.Errorf("elsewhere: %+v", elsewhere)
	}
	put("P001.nrrd", mask)
	folder, err := pacs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := folder.Push(context.Background(), o, nil); err == nil || !strings.Contains(err.Error(), "two masks of one case") {
		t.Error(err)
	}
}
