package volume

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.mhd":      "NDims = 2\nElementDataFile = a_vox.raw\n",
		"b.mha":      "NDims = 2\nElementDataFile = LOCAL\nElementDataFile = no",
		"c.nrrd":     "NRRD0004\ndata file: ./c/v.raw.gz\n\n",
		"d.seg.nrrd": "NRRD0004\ntype: uchar\n\ndata file: no\n\n",
		"e.nhdr":     "NRRD0004\nlong:=" + strings.Repeat("x", 20000) + "\ndatafile: e.raw", // longer than what is read first
		"f.hdr":      "", "f.img": "", "g.hdr.gz": "", "g.img.gz": "", "h.nii.gz": "", "i.png": "", "j.mhd": "no header", "k.txt": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"a.mhd": "a_vox.raw", "b.mha": "", "c.nrrd": "c/v.raw.gz", "d.seg.nrrd": "", "e.nhdr": "e.raw", "f.hdr": "f.img", "f.img": "f.hdr", "g.hdr.gz": "g.img.gz",
		"h.nii.gz": "", "i.png": "", "k.txt": "",
	} {
		all := []string{filepath.Join(dir, name)}
		if want != "" {
			all = append(all, filepath.Join(dir, filepath.FromSlash(want)))
		}
		if got, err := Files(all[0]); err != nil || !slices.Equal(got, all) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Files(filepath.Join(dir, "j.mhd")); err == nil || !strings.Contains(err.Error(), "j.mhd") {
		t.Errorf("a damaged header: %v", err)
	}
}
