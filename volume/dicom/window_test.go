package dicom

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// The windows of the header are those of the values after rescaling; those of MONOCHROME1 are turned with the pixels.
func TestWindowsOfTheHeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		change map[tag.Tag]any
		want   []Window
	}{
		{"two, named", map[tag.Tag]any{tag.WindowCenter: []string{"40", "-600"}, tag.WindowWidth: []string{"400", "1500"}, tag.WindowCenterWidthExplanation: []string{"SOFT", "LUNG"}},
			[]Window{{"SOFT", -160, 240}, {"LUNG", -1350, 150}}},
		{"no name", map[tag.Tag]any{tag.WindowCenter: []string{"300"}, tag.WindowWidth: []string{"600"}}, []Window{{"", 0, 600}}},
		{"no width", map[tag.Tag]any{tag.WindowCenter: []string{"300"}, tag.WindowWidth: []string{"0"}}, nil},
		{"none", nil, nil},
	} {
		dir := t.TempDir()
		putFile(t, dir, "a.dcm", plane(1, [3]float64{}, c.change))
		all, _, err := Scan(dir)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if diff := cmp.Diff(c.want, all[0].Windows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
