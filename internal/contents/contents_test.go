package contents

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Other bytes are noticed, also of the same size; the same bytes at another time are not, and nothing is read where nothing moved.
func TestNow(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, at int64) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(at, 0)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, other := range map[string]string{"a.nii": "a.nii", "b.mhd": "b.raw", "v.mhd": "v_vox.raw", "l.mhd": "store/l.raw", "n.nrrd": "data/n.raw", "q.hdr.gz": "q.img.gz", "p.img": "p.hdr", "series": "series/2.dcm"} {
		write("a.nii", "one", 1)
		for header, data := range map[string]string{"b": "b.raw", "v": "v_vox.raw", "l": "l.raw"} {
			write(header+".mhd", metaHeader+data+"\n", 1)
		}
		write("n.nrrd", "NRRD0004\ntype: uchar\ndata file: data/n.raw\n\n", 1)
		for _, voxels := range []string{"b.raw", "v_vox.raw", "store/l.raw", "data/n.raw", "p.hdr", "p.img", "q.hdr.gz", "q.img.gz"} {
			write(voxels, "one", 1)
		}
		_ = os.Symlink(filepath.Join("store", "l.raw"), filepath.Join(dir, "l.raw")) // as DataLad keeps files
		write("series/1.dcm", "one", 1)
		write("series/2.dcm", "one", 1)
		if _, err := os.Stat(filepath.Join(dir, "l.raw")); name == "l.mhd" && err != nil {
			continue // a system without links
		}
		path := filepath.Join(dir, name)
		before, err := Of(path)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, want bool) {
			t.Helper()
			if _, changed, err := before.Now(path); err != nil || changed != want {
				t.Errorf("%s: %s: changed %v, %v", name, what, changed, err)
			}
		}
		check("untouched", false)
		write(other, "one", 2)
		check("the same bytes written again", false)
		write(other, "two", 3)
		check("other bytes of the same size", true)
		write(other, "two", 1)
		check("size and time as before: not read", false)
	}
	if _, _, err := (Seen{}).Now(filepath.Join(dir, "nothing")); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}

const metaHeader = "NDims = 2\nDimSize = 3 1\nElementType = MET_UCHAR\nElementDataFile = "

// What stands beside an image under its name is none of it, and the hashes that older run folders and projects have of a header with its voxels hold.
func TestBesideIsNotOf(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"p1.mhd": metaHeader + "p1.raw\n", "p1.raw": "one", "p1.json": "{}", "p1.seg.nrrd": "labels"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "p1.mhd")
	before, err := Of(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("\"p1.mhd\"\n" + metaHeader + "p1.raw\n" + "\"p1.raw\"\none"))
	if want := hex.EncodeToString(sum[:]); before.SHA256 != want {
		t.Errorf("the hash is %s, that of older versions %s", before.SHA256, want)
	}
	for _, beside := range []string{"p1.json", "p1.seg.nrrd"} {
		if err := os.WriteFile(filepath.Join(dir, beside), []byte("edited"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, changed, err := before.Now(path); changed || err != nil {
		t.Errorf("edited beside the image: changed %v, %v", changed, err)
	}
}
