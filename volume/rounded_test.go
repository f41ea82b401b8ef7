package volume

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Labels that are off by what storing them as scaled integers leaves are read and counted; further off they are no labels.
func TestMaskRounded(t *testing.T) {
	read := func(values string) (*Mask, error) {
		path := filepath.Join(t.TempDir(), "a.nrrd")
		if err := os.WriteFile(path, nrrdFile([]byte(values), "type: double", "dimension: 2", "sizes: 3 2", "encoding: ascii"), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadMask(path)
	}
	for values, want := range map[string]int{
		"0 1 2 26 255 0": 0,
		"0 0.99991 2.00009 26 -0.00005 255.00005":  0,
		"0 1.00017 1.99994 26.00019 -0.0002 255":   3,
		"0.0099 1.0099 2.0099 25.9901 0 254.99001": 5,
	} {
		m, err := read(values)
		if err != nil || m.Rounded != want {
			t.Errorf("%s: got %+v, %v, want %d rounded", values, m, err, want)
			continue
		}
		for v, c := range m.Data {
			if !slices.Contains([]uint8{0, 1, 2, 26, 255}, c) {
				t.Errorf("%s: voxel %d is %d", values, v, c)
			}
		}
	}
	for values, want := range map[string]string{
		"0 1 1.011 0 0 0": "voxel (2, 0, 0) is not a whole number",
		"0 1 0.5 0 0 0":   "the value 0.5 of voxel (2, 0, 0) is not a whole number",
		"0 1 1 nan 0 0":   "is not a whole number",
		"0 1 1 255.6 0 0": "is not a whole number",
		"0 1 1 256 0 0":   "is above 255",
		"0 1 1 -1 0 0":    "is negative",
	} {
		_, err := read(values)
		wantError(t, values, err, want)
	}
}
