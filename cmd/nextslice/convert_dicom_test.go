package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume"
	"github.com/nextslice/nextslice/volume/dicom"
)

// A mask becomes a SEG, a label map or contours, and from each of them the same mask again.
func TestConvertToDICOM(t *testing.T) {
	image := filepath.Join("..", "..", "volume", "testdata", "ct")
	series, _, err := dicom.Find(image, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m := &volume.Mask{Grid: series.Grid, Data: make([]uint8, series.Len())}
	for v := range m.Data {
		if at := m.Size.Voxel(v); at[0] > 1 && at[0] < 8 && at[1] > 1 && at[1] < 8 && !(at[0] == 4 && at[1] == 5) { // with a hole
			m.Data[v] = uint8(1 + at[2]%2)
		}
	}
	mask := filepath.Join(dir, "mask.nii.gz")
	if err := volume.WriteMask(mask, m); err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string][]string{"seg.dcm": nil, "labelmap.dcm": {"--labelmap"}, "contours.dcm": {"--rtstruct"}} {
		out, back := filepath.Join(dir, name), filepath.Join(dir, name+".nii.gz")
		text := command(t, append([]string{"convert", mask, out, "--reference", image, "--names", "liver,tumour"}, flags...)...)
		if !strings.HasSuffix(text, ", 1 liver, 2 tumour\n") {
			t.Errorf("%s: %s", name, text)
		}
		command(t, "convert", out, back, "--reference", image)
		got, err := volume.ReadMask(back)
		if err != nil || !got.Same(m.Grid, 1e-3) || !slices.Equal(got.Data, m.Data) {
			t.Errorf("%s: the mask comes back otherwise: %v", name, err)
		}
	}
	for _, flags := range [][]string{{"x.nii.gz", "--rtstruct"}, {"x.nii.gz", "--labelmap"}, {"x.dcm", "--rtstruct", "--labelmap"}, {"x.dcm", "--codes", filepath.Join(dir, "none.csv")}} {
		var out, errs bytes.Buffer
		args := append([]string{"convert", mask, filepath.Join(dir, flags[0]), "--reference", image}, flags[1:]...)
		if code := run(t.Context(), nil, &out, &errs, args); code == done || !strings.Contains(errs.String(), "--") {
			t.Errorf("%v: code %d, %s", flags, code, errs.String())
		}
	}
}
