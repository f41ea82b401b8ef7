package pacs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// A series that was pulled while it was arriving is named when it is asked for again and when its mask is sent, also by servers that do not count; it is not replaced.
func TestPulledWhileArriving(t *testing.T) {
	files := pacstest.Slices(t, 1, 1, 12, nil)
	s := pacstest.New(t, files[:6]...)
	dir := filepath.Join(t.TempDir(), "data")
	if lines, _, err := pull(t, s, dir, 5); err != nil || !slices.Equal(lines, []string{"P001 6 <nil>"}) {
		t.Fatal(lines, err)
	}
	for _, quirks := range []pacstest.Quirks{{}, {WithoutCounts: true}} {
		s.Set(quirks)
		if _, chosen, _ := pull(t, s, dir, 5); chosen.Known != 1 || len(chosen.Changed) > 0 {
			t.Errorf("unchanged: %+v", chosen)
		}
	}
	for _, f := range files[6:] {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, quirks := range []pacstest.Quirks{{}, {WithoutCounts: true}, {WithoutCounts: true, RefusePaging: true}} {
		s.Set(quirks)
		lines, chosen, err := pull(t, s, dir, 5)
		if err != nil || len(lines) > 0 || chosen.Known != 1 || len(chosen.Changed) != 1 || !chosen.Changed[0].Short() || chosen.Changed[0].String() != "P001 has 6 files, the server 12 by now: move it away and pull again" {
			t.Errorf("%+v: %q, %+v, %v", quirks, lines, chosen, err)
		}
	}
	// A process that was killed before it could note the files.
	record := filepath.Join(dir, "pacs.json")
	text, err := os.ReadFile(record)
	if err != nil || strings.Count(string(text), `"instances": 6`) != 1 {
		t.Fatal(string(text), err)
	}
	if err := os.WriteFile(record, []byte(strings.Replace(string(text), `"instances": 6`, `"instances": 0`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Set(pacstest.Quirks{})
	if _, chosen, _ := pull(t, s, dir, 5); len(chosen.Changed) != 1 || chosen.Changed[0].Here != 6 {
		t.Errorf("%+v", chosen)
	}

	series, _, err := dicom.Find(filepath.Join(dir, "P001"), "")
	if err != nil {
		t.Fatal(err)
	}
	masks := t.TempDir()
	for n, quirks := range []pacstest.Quirks{{}, {WithoutCounts: true}} {
		s.Set(quirks)
		mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
		mask.Data[500+n] = 1
		if err := volume.WriteMask(filepath.Join(masks, "P001.nii.gz"), mask); err != nil {
			t.Fatal(err)
		}
		got := pushed(t, s, dir, pacs.PushOptions{Masks: masks, Names: []string{"prostate"}})[0]
		if want := []string{"its mask is of the 6 files that were pulled, and the server has 12 of the series by now"}; got.Err != nil || !slices.Equal(got.Warnings, want) {
			t.Errorf("%+v", got)
		}
	}
	// Moved away, it is pulled whole.
	if err := os.Rename(filepath.Join(dir, "P001"), filepath.Join(t.TempDir(), "P001")); err != nil {
		t.Fatal(err)
	}
	s.Set(pacstest.Quirks{})
	if lines, chosen, _ := pull(t, s, dir, 5); !slices.Equal(lines, []string{"P001 12 <nil>"}) || len(chosen.Changed) > 0 {
		t.Errorf("%q, %+v", lines, chosen)
	}
	// Of a server that has fewer by now it is told too; nothing is missing here.
	fewer := pacstest.New(t, files[:4]...)
	if _, chosen, _ := pull(t, fewer, dir, 4); len(chosen.Changed) != 1 || chosen.Changed[0].Short() {
		t.Errorf("%+v", chosen)
	}
}
