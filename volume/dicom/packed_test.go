package dicom

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Packed files that lie are refused in one line, and before there is memory for what they promise.
func TestHostilePacked(t *testing.T) {
	dir, _ := inputs(t)
	load := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name+".dcm"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	change := func(name, old, new string) []byte {
		data := load(name)
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("%s: no %q in it", name, old)
		}
		return bytes.Replace(data, []byte(old), []byte(new), 1)
	}
	const rows, columns = "\x28\x00\x10\x00US\x02\x00", "\x28\x00\x11\x00US\x02\x00"
	huge := func(name string) []byte {
		data := load(name)
		for _, t := range []string{rows, columns} {
			at := bytes.Index(data, []byte(t)) + len(t)
			binary.LittleEndian.PutUint16(data[at:], 65535)
		}
		return data
	}
	const delimiter = "\xfe\xff\xdd\xe0\x00\x00\x00\x00"
	whole := load("packed/rle-16")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"RLE huge":        {huge("packed/rle-16"), "cut short: frame 1 of 65535 x 65535 pixels is packed into"},
		"lossless huge":   {huge("packed/lossless-1"), "cut short: frame 1 of 65535 x 65535 pixels is packed into"},
		"baseline huge":   {huge("packed/baseline"), "cut short: frame 1 of 65535 x 65535 pixels is packed into"},
		"lossless size":   {change("packed/lossless-1", rows+"\x18", rows+"\x17"), "frame 1: lossless JPEG of 20 x 24 pixels: want 20 x 23"},
		"baseline size":   {change("packed/baseline", rows+"\x18", rows+"\x17"), "frame 1: JPEG of 20 x 24 pixels: want 20 x 23"},
		"RLE size":        {change("packed/rle-16", rows+"\x18", rows+"\x19"), "frame 1: cut short: RLE data end"},
		"RLE segments":    {change("packed/rle-16", "\x02\x00\x00\x00\x40\x00\x00\x00", "\x03\x00\x00\x00\x40\x00\x00\x00"), "RLE data of 3 segments: want 2"},
		"RLE segment":     {change("packed/rle-16", "\x02\x00\x00\x00\x40\x00\x00\x00", "\x02\x00\x00\x00\xff\xff\xff\x7f"), "segment 1 lies from byte 2147483647"},
		"no delimiter":    {whole[:len(whole)-4], "cut short: packed pixel data end"},
		"cut":             {whole[:len(whole)-40], "cut short: a fragment of"},
		"no item":         {change("packed/rle-16", delimiter, "\xfe\xff\xdd\xe1\x00\x00\x00\x00"), "damaged: no item of packed pixel data"},
		"other process":   {change("packed/lossless-1", "\xff\xc3", "\xff\xc1"), "SOF1, not lossless"},
		"frames":          {change("packed/frames-table", "\xff\xd8", "\xff\xd9"), "frame 1: no JPEG stream"},
		"no table":        {change("packed/frames-bare", "\xff\xd8", "\xff\xd9"), "3 frames in 4 fragments, and no table"},
		"deflated bytes":  {load("syntaxes/deflated")[:600], "cut short"},
		"deflated header": {load("syntaxes/deflated")[:420], "cut short within the header"},
	} {
		path := filepath.Join(t.TempDir(), "a.dcm")
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Read(path)
		runtime.ReadMemStats(&after)
		wantError(t, name, err, c.want)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: allocated %d bytes", name, used)
		}
	}
}
