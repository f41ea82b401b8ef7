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

// What a reviewer has rejected or sent back is not sent, along whatever axis the project's slices lie; the rest is. What stays of a case that was sent before is named.
func TestPushLeavesOutWhatIsRefused(t *testing.T) {
	s, dir, series := pulledCase(t)
	for axis := range 3 {
		final := filepath.Join(t.TempDir(), "final")
		if err := os.Mkdir(final, 0o700); err != nil {
			t.Fatal(err)
		}
		mask := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
		for i := range mask.Data {
			mask.Data[i] = 1
		}
		if err := volume.WriteMask(filepath.Join(final, "P001.nii.gz"), mask); err != nil {
			t.Fatal(err)
		}
		push := func(reviews bool, statuses ...string) pacs.Sent {
			t.Helper()
			var labels []string
			for k, status := range statuses {
				labels = append(labels, fmt.Sprintf(`{"slice":%d,"version":1,"review":%q}`, k, status))
			}
			list := fmt.Sprintf(`{"config":{"classes":[{"value":1,"name":"prostate"}],"preprocess":{"axis":%d}},"reviews":%v,"cases":{"P001":{"slices":%d,"labels":[%s]}}}`,
				axis, reviews, series.Size[axis], strings.Join(labels, ","))
			if err := os.WriteFile(filepath.Join(filepath.Dir(final), "project.json"), []byte(list), 0o600); err != nil {
				t.Fatal(err)
			}
			return pushed(t, s, dir, pacs.PushOptions{Masks: final})[0]
		}
		all := make([]string, series.Size[axis])
		if got := push(true, all...); got.Err != nil || len(got.Warnings) > 0 {
			t.Errorf("%+v", got)
		}
		statuses := slices.Clone(all)
		copy(statuses, []string{"accepted", "rejected", "discuss", "returned", "rejected", ""})
		got := push(true, statuses...)
		want := []string{"slices that a reviewer has refused: 3 (rejected: 2, sent back: 1); nothing of them is sent", "slices that a reviewer has marked for discussion: 1; they are sent"}
		if got.Err != nil || !slices.Equal(got.Warnings, want) {
			t.Fatalf("%+v", got)
		}
		back := object(t, s, got.Instance, series)
		for v := range mask.Data {
			at := series.Size.Voxel(v)[axis]
			if drawn := back.Layers[0][v] != 0; drawn == (at == 1 || at == 3 || at == 4) {
				t.Fatalf("axis %d, slice %d: drawn: %v", axis, at, drawn)
			}
		}
		for k := range statuses {
			statuses[k] = "rejected"
		}
		if none := push(true, statuses...); none.Err != nil || !none.NoMask || len(none.Warnings) != 2 || !strings.Contains(strings.Join(none.Warnings, "\n"), got.Instance) {
			t.Errorf("all rejected: %+v", none)
		}
		if old := push(false, all...); old.Err != nil || len(old.Warnings) != 1 || !strings.Contains(old.Warnings[0], "is of an older nextslice; serve the project once") {
			t.Errorf("an older list: %+v", old)
		}
		// A mask that has other slices than the list is not sent.
		other := pacstest.New(t)
		text, err := os.ReadFile(filepath.Join(filepath.Dir(final), "project.json"))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(strings.Replace(string(text), `"review":""`, `"review":"rejected"`, 1), fmt.Sprintf(`"slices":%d`, series.Size[axis]), `"slices":4`, 1)
		if err := os.WriteFile(filepath.Join(filepath.Dir(final), "project.json"), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := pushed(t, other, dir, pacs.PushOptions{Masks: final})[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "which that is in the mask is not known") || len(other.Seen()) > 0 {
			t.Errorf("other slices: %+v", got)
		}
	}
}
