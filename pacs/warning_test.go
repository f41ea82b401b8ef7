package pacs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/pacs"
	"github.com/nextslice/nextslice/pacs/pacstest"
	"github.com/nextslice/nextslice/volume"
)

// A server that stores an object otherwise than it is warns; the warning is told and kept with the object, which counts as stored.
func TestStoredWithAWarning(t *testing.T) {
	s, dir, series := pulledCase(t)
	o := pacs.PushOptions{Masks: t.TempDir(), Names: []string{"prostate"}}
	for n, c := range []struct {
		code   int
		reason string
		want   string
	}{
		{200, "", ""},
		{202, "45056", "the server stored it, and warns: it changed some of what the file says, which may be whose it is (reason 45056)"},
		{202, "45062", "the server stored it, and warns: it left out some of what the file says (reason 45062)"},
		{200, "45063", "the server stored it, and warns: the file is not what its class says (reason 45063)"},
		{202, "7", "the server stored it, and warns, with a reason that is not known here (7)"},
		{202, "", "the server stored it, and warns, without a reason (202)"},
	} {
		mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
		mask.Data[500+n] = 1
		if err := volume.WriteMask(filepath.Join(o.Masks, "P001.nii.gz"), mask); err != nil {
			t.Fatal(err)
		}
		// The object that is to be sent is known once it was sent.
		s.Set(pacstest.Quirks{Forget: true})
		instance := pushed(t, s, dir, o)[0].Instance
		item := fmt.Sprintf(`"00081155":{"vr":"UI","Value":[%q]}`, instance)
		if c.reason != "" {
			item += `,"00081196":{"vr":"US","Value":[` + c.reason + `]}`
		}
		s.Set(pacstest.Quirks{StoreStatus: c.code, StoreAnswer: `{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}},{` + item + `}]}}`})
		got := pushed(t, s, dir, o)[0]
		if got.Err != nil || got.Instance != instance || strings.Join(got.Warnings, "\n") != c.want {
			t.Errorf("%d, %s: %+v, want the warning %q", c.code, c.reason, got, c.want)
		}
		record, err := os.ReadFile(filepath.Join(dir, "pacs.json"))
		if err != nil || c.want != "" && strings.Count(string(record), fmt.Sprintf(`"warning": %q`, c.want)) != 1 || c.want == "" && strings.Contains(string(record), "warning") {
			t.Errorf("pacs.json: %s, %v", record, err)
		}
		s.Set(pacstest.Quirks{})
		if again := pushed(t, s, dir, o)[0]; !again.Before || !slices.Equal(again.Warnings, nil) {
			t.Errorf("again: %+v", again)
		}
	}
}
