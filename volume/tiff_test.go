package volume

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// tiffFiles are the files that internal/bench/volume_tiff.py writes, and what they hold.
type tiffFiles struct {
	Read []struct {
		File, Stored string
		Shape        [3]int // pages, rows, columns
		Values       []*float32
	}
	Refused []struct{ File, Reason string }
}

func openTIFFs(t testing.TB) (fs.FS, tiffFiles) {
	t.Helper()
	files, err := zip.OpenReader("testdata/tiff.zip")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	var index tiffFiles
	text, err := fs.ReadFile(files, "index.json")
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil || len(index.Read) < 60 || len(index.Refused) < 9 {
		t.Fatalf("the index is not complete: %d, %d, %v", len(index.Read), len(index.Refused), err)
	}
	return files, index
}

// TIFF files of every type of number, byte order, compression and predictor, in strips and tiles, of one page and several, as tifffile reads
// them; pictures with every EXIF orientation, as Pillow turns them.
func TestTIFFOfOtherPrograms(t *testing.T) {
	files, index := openTIFFs(t)
	for _, want := range index.Read {
		v, err := readFS(files, want.File)
		if err != nil {
			t.Errorf("%s: %v", want.File, err)
			continue
		}
		if size := (Size{want.Shape[2], want.Shape[1], want.Shape[0]}); v.Size != size || v.Stored != want.Stored || v.Unit != Voxel {
			t.Errorf("%s: %v voxels of %s, want %v of %s", want.File, v.Size, v.Stored, size, want.Stored)
			continue
		}
		for i, x := range v.Data {
			if w := want.Values[i]; w == nil && x == x || w != nil && *w != x {
				t.Errorf("%s: voxel %v is %v, want %v", want.File, v.Size.Voxel(i), x, w)
				break
			}
		}
	}
	for _, want := range index.Refused {
		_, err := readFS(files, want.File)
		wantError(t, want.File, err, want.Reason)
	}
}

// Directories that point at each other or share what they hold, and sizes that lie.
func TestHostileTIFF(t *testing.T) {
	files, _ := openTIFFs(t)
	data := func(name string) []byte {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	stack := data("float32-stack.tif")
	loop := append([]byte{}, stack...)
	at := int(loop[4]) | int(loop[5])<<8
	next := at + 2 + 12*(int(loop[at])|int(loop[at+1])<<8)
	copy(loop[next:], loop[4:8])
	set := func(tag, value byte) []byte { // of the first page; the value's lowest byte
		b := append([]byte{}, data("float32-le.tif")...)
		at := int(b[4]) | int(b[5])<<8
		for e := at + 2; e < len(b)-12; e += 12 {
			if b[e] == tag && b[e+1] == 1 {
				b[e+8], b[e+9], b[e+10] = value, 0xff, 0x0f
				return b
			}
		}
		t.Fatalf("no tag %d", tag)
		return nil
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"loop":       {loop, "a page follows itself"},
		"cut":        {stack[:len(stack)/2], "cut short"},
		"entry cut":  {slices.Clip(bytes.Clone(stack[:at+8])), "cut short"},
		"wide":       {set(0, 255), "TIFF: "}, // width
		"strip away": {set(17, 255), "cut short"},
		"short":      {stack[:6], "cut short"},
		"nothing":    {[]byte("II*\x00\x00\x00\x00\x00"), "no page"},
	} {
		_, err := readFS(fstest.MapFS{"a.tif": {Data: c.data}}, "a.tif")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
