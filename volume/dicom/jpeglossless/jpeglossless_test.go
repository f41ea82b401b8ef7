package jpeglossless

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/volume/fuzztest"

	"github.com/nextslice/nextslice/volume/dicom/jpegstream"
)

// streams returns the JPEG streams of the packed files that package dicom is tested on; GDCM and pylibjpeg unpack them alike. Package
// dicom compares all pixels.
func streams(t testing.TB) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader("../testdata/inputs.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	out := map[string][]byte{}
	for _, f := range archive.File {
		if !strings.HasPrefix(f.Name, "packed/lossless") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(data, []byte{0xff, jpegstream.StartOfImage, 0xff})
		out[strings.TrimSuffix(strings.TrimPrefix(f.Name, "packed/lossless-"), ".dcm")] = data[at : bytes.LastIndex(data, []byte{0xff, jpegstream.EndOfImage})+2]
	}
	return out
}

// size returns what the frame header says.
func size(data []byte) (columns, rows int) {
	at := bytes.Index(data, []byte{0xff, lossless})
	if at < 0 || at+9 > len(data) {
		return 20, 24
	}
	return int(data[at+7])<<8 | int(data[at+8]), int(data[at+5])<<8 | int(data[at+6])
}

// The same picture by every predictor.
func TestPredictorsAgree(t *testing.T) {
	all := streams(t)
	want, precision, err := Decode(all["1"], 20, 24)
	if err != nil || precision != 16 || len(want) != 480 {
		t.Fatal(len(want), precision, err)
	}
	for _, name := range []string{"2", "3", "4", "5", "6", "7"} {
		if got, _, err := Decode(all[name], 20, 24); err != nil || !slices.Equal(got, want) {
			t.Errorf("predictor %s: %v", name, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	sound := streams(t)["1"]
	change := func(old, new string) []byte {
		out := bytes.Replace(sound, []byte(old), []byte(new), 1)
		if bytes.Equal(out, sound) {
			t.Fatalf("%q is not in the stream", old)
		}
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":       {nil, "does not begin with SOI"},
		"baseline":    {change("\xff\xc3", "\xff\xc0"), "SOF0, not lossless"},
		"arithmetic":  {change("\xff\xc3", "\xff\xcb"), "SOF11, not lossless"},
		"size":        {change("\x00\x18\x00\x14", "\x00\x14\x00\x18"), "of 24 x 20 pixels: want 20 x 24"},
		"huge":        {change("\x00\x18\x00\x14", "\xff\xff\xff\xff"), "of 65535 x 65535 pixels"},
		"precision":   {change("\xff\xc3\x00\x0b\x10", "\xff\xc3\x00\x0b\x11"), "17 bits"},
		"predictor 0": {change("\xff\xda\x00\x08\x01\x01\x00\x01", "\xff\xda\x00\x08\x01\x01\x00\x00"), "predictor 0"},
		"table":       {change("\xff\xda\x00\x08\x01\x01\x00", "\xff\xda\x00\x08\x01\x01\x10"), "Huffman table 1 is missing"},
		"category":    {change("\x0e\x0f\x10\xff\xda", "\x0e\x0f\x11\xff\xda"), "damaged Huffman table"},
		"code":        {change("\x00\x00\x11\x00", "\x11\x00\x00\x00"), "damaged Huffman table"},
		"restart":     {change("\xff\xda", "\xff\xdd\x00\x04\x00\x07\xff\xda"), "restarts every 7 samples in rows of 20"},
		"no restart":  {change("\xff\xda", "\xff\xdd\x00\x04\x00\x14\xff\xda"), "no restart marker"},
		"no scan":     {append(bytes.Clone(sound[:2]), 0xff, jpegstream.EndOfImage), "no scan"},
		"cut header":  {sound[:30], "cut short"},
		"cut":         {sound[:len(sound)-40], "cut short"},
		"cut early":   {sound[:100], "cut short"},
	} {
		samples, _, err := Decode(c.data, 20, 24)
		if err == nil || !strings.Contains(err.Error(), c.want) || samples != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// Promised samples get memory only where the data may hold them.
	huge := change("\x00\x18\x00\x14", "\xff\xff\xff\xff")
	fuzztest.Bound(t, func() int {
		if _, _, err := Decode(huge, 65535, 65535); err == nil {
			t.Error("no error")
		}
		return 0
	})
}

func FuzzDecode(f *testing.F) {
	for _, data := range streams(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		columns, rows := size(data)
		if columns == 0 {
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
			return 16 * len(data)
		})
	})
}

// Streams with every byte changed in turn are decoded or refused.
func TestDamaged(t *testing.T) {
	for _, data := range streams(t) {
		columns, rows := size(data)
		for i := range data {
			damaged := bytes.Clone(data)
			damaged[i] ^= 0x55
			Decode(damaged, columns, rows)
			Decode(data[:i], columns, rows)
		}
	}
}
