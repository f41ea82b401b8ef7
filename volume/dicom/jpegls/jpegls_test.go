package jpegls

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume/fuzztest"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

// vector is a packed file and its samples, on which CharLS, libjpeg and GDCM agree (internal/bench/volume_dicom_jpegls.py).
type vector struct {
	File                  string
	Rows, Columns, Stored int
	Values                []int
	stream                []byte
}

func vectors(t testing.TB) map[string]vector {
	t.Helper()
	archive, err := zip.OpenReader("../testdata/packed.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var all []vector
	if err := json.Unmarshal(files["index.json"], &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]vector{}
	for _, v := range all {
		data := files[v.File]
		at := bytes.Index(data, []byte{0xff, jpegstream.StartOfImage, 0xff})
		if name, ok := strings.CutPrefix(strings.TrimSuffix(v.File, ".dcm"), "ls-"); ok {
			v.stream = data[at : bytes.LastIndex(data, []byte{0xff, jpegstream.EndOfImage})+2]
			out[name] = v
		}
	}
	return out
}

func TestDecode(t *testing.T) {
	all := vectors(t)
	if len(all) != 22 {
		t.Errorf("%d vectors, want 22", len(all))
	}
	for name, v := range all {
		got, precision, err := Decode(v.stream, v.Columns, v.Rows)
		if err != nil || precision > 16 || len(got) != len(v.Values) {
			t.Errorf("%s: %d samples of %d bits, %v", name, len(got), precision, err)
			continue
		}
		for i, x := range got {
			if want := v.Values[i] & (1<<v.Stored - 1); int(x) != want {
				t.Errorf("%s: sample %d is %d, want %d", name, i, x, want)
				break
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	all := vectors(t)
	sound := all["12"].stream
	change := func(data []byte, old, new string) []byte {
		out := bytes.Replace(data, []byte(old), []byte(new), 1)
		if bytes.Equal(out, data) {
			t.Fatalf("%q is not in the stream", old)
		}
		return out
	}
	restart := all["restart"].stream
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":          {nil, "does not begin with SOI"},
		"lossless JPEG":  {change(sound, "\xff\xf7", "\xff\xc3"), "SOF3, not JPEG-LS"},
		"size":           {change(sound, "\x00\x18\x00\x14", "\x00\x14\x00\x18"), "of 24 x 20 pixels: want 20 x 24"},
		"huge":           {change(sound, "\x00\x18\x00\x14", "\xff\xff\xff\xff"), "of 65535 x 65535 pixels"},
		"precision":      {change(sound, "\xff\xf7\x00\x0b\x0c", "\xff\xf7\x00\x0b\x11"), "17 bits"},
		"components":     {change(sound, "\xff\xf7\x00\x0b\x0c\x00\x18\x00\x14\x01", "\xff\xf7\x00\x0b\x0c\x00\x18\x00\x14\x00"), "damaged frame header"},
		"tolerance":      {change(sound, "\xff\xda\x00\x08\x01\x01\x00\x00", "\xff\xda\x00\x08\x01\x01\x00\xff"), "damaged"},
		"interleaved":    {change(sound, "\xff\xda\x00\x08\x01\x01\x00\x00\x00", "\xff\xda\x00\x08\x01\x01\x00\x00\x01"), "interleaved lines are not supported"},
		"mapping table":  {change(sound, "\xff\xda\x00\x08\x01\x01\x00", "\xff\xda\x00\x08\x01\x01\x01"), "mapping tables"},
		"point":          {change(sound, "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00", "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x0c"), "a point transform is not supported"},
		"thresholds":     {change(all["presets"].stream, "\x00\x14\x00\x3c", "\x00\x3c\x00\x14"), "thresholds 60, 20"},
		"reset":          {change(all["presets"].stream, "\x00\x1f\xff\xda", "\x00\x01\xff\xda"), "reset 1"},
		"preset length":  {change(all["presets"].stream, "\xff\xf8\x00\x0d\x01", "\xff\xf8\x00\x0d\x02"), "mapping tables"},
		"no restart":     {change(restart, "\xff\xd0", "\xff\xd1"), "no restart marker"},
		"restart length": {change(restart, "\xff\xdd\x00\x04\x00\x07", "\xff\xdd\x00\x04\x00\x08"), "cut short"},
		"no scan":        {append(bytes.Clone(sound[:2]), 0xff, jpegstream.EndOfImage), "no scan"},
		"cut header":     {sound[:20], "cut short"},
		"cut":            {sound[:len(sound)-60], "cut short"},
	} {
		columns, rows := 20, 24
		if strings.Contains(name, "restart") {
			columns, rows = 70, 50
		}
		samples, _, err := Decode(c.data, columns, rows)
		if err == nil || !strings.Contains(err.Error(), c.want) || samples != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	huge := change(sound, "\x00\x18\x00\x14", "\xff\xff\xff\xff")
	fuzztest.Bound(t, func() int {
		if _, _, err := Decode(huge, 65535, 65535); err == nil {
			t.Error("no error")
		}
		return 0
	})
}

// size returns what the frame header says.
func size(data []byte) (columns, rows int) {
	at := bytes.Index(data, []byte{0xff, frameLS})
	if at < 0 || at+9 > len(data) {
		return 20, 24
	}
	return int(data[at+7])<<8 | int(data[at+8]), int(data[at+5])<<8 | int(data[at+6])
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.stream)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		columns, rows := size(data)
		if columns == 0 || rows*columns > 1<<22 {
			return
		}
		fuzztest.Bound(t, func() int {
			samples, precision, err := Decode(data, columns, rows)
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			if err == nil && (len(samples) != rows*columns || slices.Max(append(samples, 0))>>precision != 0) {
				t.Errorf("%d samples of %d bits", len(samples), precision)
			}
			return 8 * rows * columns
		})
	})
}

// Streams with every byte changed in turn, or cut there, are decoded or refused.
func TestDamaged(t *testing.T) {
	for _, v := range vectors(t) {
		for i := range v.stream[:min(len(v.stream), 600)] {
			damaged := bytes.Clone(v.stream)
			damaged[i] ^= 0x55
			Decode(damaged, v.Columns, v.Rows)
			Decode(v.stream[:i], v.Columns, v.Rows)
		}
	}
}
